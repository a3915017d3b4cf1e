"""The box under a graded test: points, one line per check, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from helpers.checks.box import AMBER, GREEN, RED, box, line, note, prose

__all__ = ["GradedCheck", "in_points", "points_text", "prose", "question_box", "waiting_box"]


class GradedCheck(NamedTuple):
    """One check of a question, as it is shown to the student.

    Attributes
    ----------
    label
        What was checked, in a few words.
    credit
        The part of the check that was right, from 0 to 1.
    message
        An explanation of the result; may be empty, and may contain ``code`` in backticks.
    explanation
        If the answer matches a known misconception, what that misconception gets wrong; it is
        highlighted. Empty otherwise.
    """

    label: str
    credit: float
    message: str
    explanation: str = ""


# mark, colour of the mark, what a screen reader says
_RIGHT = ("✓", GREEN, "right")
_PARTLY = ("◐", AMBER, "partly right")
_WRONG = ("✗", RED, "not right")
_WAITING = ("…", AMBER, "waiting for a person")


def points_text(points: float) -> str:
    """Write points as a person would: ``8``, ``2.5``, ``6.67``."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def in_points(points: float, kind: str = "point") -> str:
    """Write points with their unit: ``1 point``, ``2.5 points``."""
    text = points_text(points)
    return f"{text} {kind}" if text == "1" else f"{text} {kind}s"


def question_box(
    score: float, points: float, checks: Iterable[GradedCheck | tuple[str, float, str]]
) -> str:
    """Render the result of one question.

    Parameters
    ----------
    score
        The points that the student earned.
    points
        The points that the question is worth.
    checks
        One entry per check, in the order of the test: a `GradedCheck`, or a tuple of label, credit
        and message. An explanation that several checks share is shown once.

    Returns
    -------
    str
        An HTML block with inline styles only; all text in it is escaped.
    """
    _, colour, _ = _state(score / points if points else 1.0)
    body, explained = [], set()
    for check in (GradedCheck(*each) for each in checks):
        mark, mark_colour, spoken = _state(check.credit)
        body.append(line(mark, mark_colour, spoken, _text(check)))
        if check.explanation and check.explanation not in explained:
            body.append(note(check.explanation))
        explained.add(check.explanation)
    return box(f"{points_text(score)} of {in_points(points)}", colour, body)


def waiting_box(points: float, reason: str) -> str:
    """Render a question that a person has to grade, because its hidden test could not.

    Parameters
    ----------
    points
        The points that the question is worth.
    reason
        Why there is no result, in words for the student.

    Returns
    -------
    str
        An HTML block like that of `question_box`.
    """
    _, colour, _ = _WAITING
    return box(
        f"to be graded, out of {points_text(points)}", colour, [line(*_WAITING, prose(reason))]
    )


def _state(credit: float) -> tuple[str, str, str]:
    if credit >= 1:
        return _RIGHT
    return _PARTLY if credit > 0 else _WRONG


def _text(check: GradedCheck) -> str:
    label, message = prose(check.label), prose(check.message)
    return f"<b>{label}</b>: {message}" if label and message else f"<b>{label}</b>{message}"
