"""The figures in a submitted notebook, as the student's own Jupyter drew them.

The kernel in which a submission is graded draws no figures (see `autograder.sandbox.inside`). Where
it would show one, the graded notebook shows the picture that was handed in with the same cell.
Hidden tests do not look at pictures, so one that was made up earns nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.grading.intake.submitted_notebook import (
    UnreadableNotebook,
    submitted_json,
    within_limits,
)

Pictures = Mapping[str, Sequence[str]]
"""From the text of a cell to its pictures: PNG files in base64."""

PNG = "image/png"
_FIGURE = "<Figure size "
"""The beginning of the text that stands for a figure that was not drawn."""
MISSING = "[A figure, of which the hand-in holds no picture.]"


def pictures_in(path: Path) -> Pictures:
    """Return the pictures in a submitted notebook, by the texts of their cells.

    Parameters
    ----------
    path
        The file, which may be anything at all.

    Returns
    -------
    mapping
        Empty if the file cannot be read as a notebook.
    """
    found: dict[str, list[str]] = {}
    try:
        with within_limits():
            for cell in _dicts(_entry(json.loads(submitted_json(path)), "cells")):
                if pictures := [_text(picture) for picture in _pictures(cell)]:
                    found.setdefault(_text(cell.get("source")), []).extend(pictures)
    except (UnreadableNotebook, ValueError, RecursionError, OSError):
        return {}
    return found


def with_pictures(outputs: Sequence[Any], pictures: Sequence[str]) -> list[Any]:
    """Put the pictures of a cell in the places of figures that were not drawn, one after the other.

    Parameters
    ----------
    outputs
        The cell's outputs as a kernel sent them; they are not trusted to have any form.
    pictures
        Those that were handed in with this cell.
    """
    left = iter(pictures)
    return [
        {**output, "data": _drawn(output["data"]["text/plain"], next(left, None))}
        if _is_figure(output)
        else output
        for output in outputs
    ]


def _drawn(name: str, picture: str | None) -> dict[str, str]:
    return {"text/plain": MISSING} if picture is None else {"text/plain": name, PNG: picture}


def _is_figure(output: Any) -> bool:
    data = _entry(output, "data")
    text = _entry(data, "text/plain")
    return isinstance(text, str) and text.startswith(_FIGURE) and PNG not in data


def _pictures(cell: dict[str, Any]) -> Iterator[Any]:
    for output in _dicts(cell.get("outputs")):
        if picture := _entry(output.get("data"), PNG):
            yield picture


def _entry(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Return a text that the format allows to be written as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
