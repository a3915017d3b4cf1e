"""The panel under a graded test: points, one line per check, and what went wrong.

It is shown in JupyterLab, in nbgrader's formgrader and on the feedback page, so it brings its own
colours (readable on a dark theme too), uses inline styles only, and holds no script.  Everything
that reaches it may come from a student and is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from helpers.checks import look

__all__ = ["Line", "panel", "points_text", "prose"]


class Line(NamedTuple):
    """One check of a question, as its student reads it.

    Attributes
    ----------
    label : str
        What was checked, in a few words.
    credit : float
        The part of the check that was right, from 0 to 1.
    message : str
        What to know about the result; may be empty, and ``code`` in backticks.
    explanation : str
        What a known misconception gets wrong, where one fits the answer; shown with emphasis.
    """

    label: str
    credit: float
    message: str
    explanation: str = ""


# mark, colour of the mark, what a screen reader says
_RIGHT = ("✓", look.GREEN, "right")
_PARTLY = ("◐", look.AMBER, "partly right")
_WRONG = ("✗", look.RED, "not right")


def points_text(points: float) -> str:
    """Write points as a person would: ``8``, ``2.5``, ``6.67``."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def prose(text: str) -> str:
    """Escape a text for HTML; what stands in backticks becomes code, a new line stays one."""
    safe = escape(text.strip())
    safe = re.sub(r"`([^`\n]+)`", rf'<code style="{look.CODE}">\1</code>', safe)
    return safe.replace("\n", "<br>")


def panel(score: float, points: float, checks: Iterable[Line | tuple[str, float, str]]) -> str:
    """Render the result of one question.

    Parameters
    ----------
    score : float
        Points that were reached.
    points : float
        Points that the question gives.
    checks : iterable of Line or of (label, credit, message)
        One entry per check, in the order of the test. An explanation that several checks share
        is shown once.

    Returns
    -------
    str
        An HTML block with inline styles only; every text in it is escaped.
    """
    _, colour, _ = _state(score / points if points else 1.0)
    body, explained = "", set()
    for line in (Line(*check) for check in checks):
        body += _line(line, explain=line.explanation not in explained)
        explained.add(line.explanation)
    unit = "point" if points == 1 else "points"
    return (
        f'<div style="{look.PANEL.format(colour=colour)}">'
        f'<div style="{look.HEADING}">{points_text(score)} of {points_text(points)} {unit}</div>'
        f"{body}</div>"
    )


def _state(credit: float) -> tuple[str, str, str]:
    if credit >= 1:
        return _RIGHT
    return _PARTLY if credit > 0 else _WRONG


def _line(line: Line, explain: bool) -> str:
    mark, colour, spoken = _state(line.credit)
    label, message = prose(line.label), prose(line.message)
    text = f"<b>{label}</b>: {message}" if label and message else f"<b>{label}</b>{message}"
    html = (
        f'<div style="{look.LINE}"><span style="{look.MARK.format(colour=colour)}" role="img" '
        f'aria-label="{spoken}" title="{spoken}">{mark}</span>{text}</div>'
    )
    if line.explanation and explain:
        html += f'<div style="{look.NOTE}">{prose(line.explanation)}</div>'
    return html
