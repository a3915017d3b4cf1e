"""Build a valid notebook from what editors make of one.

Colab, VS Code, PyCharm, Kaggle and tools that merge notebooks write files that the schema of the
format refuses: cells without outputs or counts, ids in an older version of the format or the same
id twice, ``null`` where there should be a list. None of this matters to the grader, which runs the
cells itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import nbformat
from nbformat import NotebookNode

from helpers.notebook_file import CELL_TYPES, cell_id


def repaired(data: Any) -> NotebookNode:
    """Return a valid notebook with the cells of a notebook's JSON, without outputs.

    The result has the text, the metadata and the attachments of each cell. An id that is missing,
    not allowed or taken by an earlier cell is replaced. Metadata of the notebook are left out.

    Parameters
    ----------
    data
        The JSON of a notebook in any version of the format, parsed.

    Raises
    ------
    ValueError
        If it has no list of cells, and so is not a notebook.
    """
    cells = _older(data) if _is_older(data) else data.get("cells") if isinstance(data, dict) else 0
    if not isinstance(cells, list):
        raise ValueError("there is no list of cells")
    return nbformat.from_dict(
        {"cells": list(_repaired_cells(cells)), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )


def _is_older(data: Any) -> bool:
    """Whether the notebook has worksheets, as before version 4, instead of cells."""
    return isinstance(data, dict) and "worksheets" in data and data.get("nbformat") in (1, 2, 3)


def _older(data: dict[str, Any]) -> Any:
    """Return the cells of a notebook in a format before version 4."""
    major, minor = nbformat.reader.get_version(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are about faults that are repaired here
        nb = nbformat.convert(nbformat.versions[major].to_notebook_json(data, minor=minor), 4)
    return nb.cells


def _repaired_cells(cells: list[Any]) -> Iterator[dict[str, Any]]:
    taken: set[str] = set()
    for number, cell in enumerate(cells):
        if not isinstance(cell, dict):
            continue
        kind = cell.get("cell_type")
        made: dict[str, Any] = {
            "cell_type": kind if kind in CELL_TYPES else "raw",
            "id": cell_id(cell.get("id"), number, taken),
            "metadata": _metadata(cell.get("metadata")),
            "source": _text(cell.get("source")),
        }
        taken.add(made["id"])
        if kind == "code":
            made |= {"outputs": [], "execution_count": None}
        elif attachments := _attachments(cell.get("attachments")):
            made["attachments"] = attachments
        yield made


def _metadata(found: Any) -> dict[str, Any]:
    """Return the metadata of a cell without the entries that have a form of their own."""
    if not isinstance(found, dict):
        return {}
    with_a_form = ("collapsed", "scrolled", "deletable", "editable", "format", "name", "tags")
    return {
        key: value
        for key, value in found.items()
        if key not in (*with_a_form, "jupyter", "execution")
    }


def _text(found: Any) -> str:
    """Return a text that is stored in one piece or in lines."""
    if isinstance(found, list):
        return "".join(line for line in found if isinstance(line, str))
    return found if isinstance(found, str) else ""


def _attachments(found: Any) -> dict[str, dict[str, str]]:
    """Return the attached files by name: for each of them, its content by media type."""
    if not isinstance(found, dict):
        return {}
    return {
        name: {kind: _text(content) for kind, content in bundle.items()}
        for name, bundle in found.items()
        if isinstance(bundle, dict)
    }
