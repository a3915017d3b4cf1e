"""Check a student's verdict on whether a statement is true or false."""

from __future__ import annotations

from autograder.hidden.checks import Check, holds
from autograder.hidden.student import Handle, value


def verdict(answer: Handle, key: bool, *, hint: str) -> Check:
    """Compare a student's verdict with the key.

    Only True and False count as verdicts, not a number that equals one of them.

    Parameters
    ----------
    answer
        The student's verdict, such as ``student.verdict_gain``.
    key
        Whether the statement is true.
    hint
        The feedback on a wrong verdict. It should help the student to find the right reason.
    """
    return holds(lambda: value(answer) is key, hint, label="verdict")
