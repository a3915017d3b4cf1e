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


# mark, colour of the mark, what a screen reader says; the colours keep a contrast above 4.5 on the
# panel's background and differ in lightness as well as in hue
_RIGHT = ("✓", "#17693b", "right")
_PARTLY = ("◐", "#8a5300", "partly right")
_WRONG = ("✗", "#b3261e", "not right")

_PANEL = (
    "margin:4px 0;padding:10px 14px;border:1px solid #d5dbe3;border-left:5px solid {colour};"
    "border-radius:4px;background-color:#fbfcfd;color:#1f2933;text-align:left;"
    "font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:14px;"
    "line-height:1.5;max-width:54em"
)
_HEADING = "font-weight:600;margin-bottom:2px;color:#1f2933"
# a hanging indent, so that a long message stays clear of its mark
_LINE = "padding-left:22px;text-indent:-22px;margin:3px 0;color:#1f2933"
_MARK = "display:inline-block;width:22px;text-indent:0;font-weight:700;color:{colour}"
_EXPLANATION = (
    "margin:5px 0 7px 22px;padding:6px 10px;border-left:3px solid #c98a00;background-color:#fff6df;"
    "color:#3b2f12;border-radius:2px"
)
_CODE = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em;color:inherit"


def points_text(points: float) -> str:
    """Write points as a person would: ``8``, ``2.5``, ``6.67``."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def prose(text: str) -> str:
    """Escape a text for HTML; what stands in backticks becomes code, a new line stays one."""
    safe = escape(text.strip())
    safe = re.sub(r"`([^`\n]+)`", rf'<code style="{_CODE}">\1</code>', safe)
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
        f'<div style="{_PANEL.format(colour=colour)}">'
        f'<div style="{_HEADING}">{points_text(score)} of {points_text(points)} {unit}</div>'
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
        f'<div style="{_LINE}"><span style="{_MARK.format(colour=colour)}" role="img" '
        f'aria-label="{spoken}" title="{spoken}">{mark}</span>{text}</div>'
    )
    if line.explanation and explain:
        html += f'<div style="{_EXPLANATION}">{prose(line.explanation)}</div>'
    return html
