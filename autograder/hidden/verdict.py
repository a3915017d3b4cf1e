"""The check of a verdict: whether a statement is true or false."""

from __future__ import annotations

from autograder.hidden.checks import Check, holds
from autograder.hidden.student import Handle, value


def verdict(answer: Handle, key: bool, *, hint: str) -> Check:
    """Compare a verdict of the student's with the key.

    Only True and False count as verdicts: a number that equals the key is none.

    Parameters
    ----------
    answer : Handle
        The student's verdict, such as ``student.verdict_gain``.
    key : bool
        Whether the statement is true.
    hint : str
        The feedback on a wrong verdict. It should help to find the right reason.

    Returns
    -------
    Check
    """
    return holds(lambda: value(answer) is key, hint, label="verdict")
