"""Find out which line of a figure is called what, as a reader of its legend does."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.hidden.student import StudentError, value
from helpers.checks.figures import MOST_LINES


def names_of_lines(figure: Any) -> list[tuple[str, np.ndarray]]:
    """Return the names and the points of the lines that a legend names.

    A reader looks for the line that has the colour, the dashes and the marks of an entry. Where
    several lines look alike, a line has the name that it was drawn with.

    Parameters
    ----------
    figure
        A figure, or a handle to one.

    Returns
    -------
    list of (str, array)
        The name of each line and its points (N, 2). It is empty if there is no figure, or nothing
        has a name. Lines of two points or fewer, such as those of ``axhline``, are left out.
    """
    try:
        axes = value(figure.axes)
        shared = value(figure.legends)
        if not isinstance(axes, list):
            return []
        return [named for each in axes for named in _named(each, shared)]
    except (StudentError, AttributeError, TypeError, ValueError):
        return []


def _named(axes: Any, shared: list[Any]) -> list[tuple[str, np.ndarray]]:
    lines = value(axes.get_lines())[:MOST_LINES]
    own = axes.get_legend()
    entries = [entry for legend in ([own] if own is not None else shared) for entry in _of(legend)]
    looks = [_look(line) for line in lines]
    found = []
    for line, look in zip(lines, looks, strict=True):
        names = [name for name, shown in entries if shown == look]
        if looks.count(look) > 1:
            names = [name for name in names if name == value(line.get_label())]
        points = np.asarray(value(line.get_xydata()), dtype=float)
        if names and len(points) > 2:
            found.append((names[0], points))
    return found


def _of(legend: Any) -> list[tuple[str, tuple[str, ...]]]:
    texts, handles = value(legend.get_texts()), value(legend.legend_handles)
    # Other things than lines, such as bands, may have an entry as well; they have no colour.
    entries = zip(texts[:MOST_LINES], handles, strict=False)
    return [(value(text.get_text()), look) for text, h in entries if (look := _look_or_none(h))]


def _look_or_none(handle: Any) -> tuple[str, ...] | None:
    try:
        return _look(handle)
    except (StudentError, AttributeError):
        return None


def _look(line: Any) -> tuple[str, ...]:
    asked = (line.get_color, line.get_linestyle, line.get_marker)
    return tuple(repr(value(ask())) for ask in asked)
