"""The last line of a hidden test, which turns its checks into points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autograder.grading.question_box import GradedCheck, points_text, question_box
from autograder.hidden.checks import Check
from autograder.misconceptions import Misconception, misconceptions_of


@dataclass(frozen=True)
class Score:
    """The result of a question.

    Its text is only the number of points, which nbgrader reads as partial credit; its HTML tells
    the student what each check found. So the points and the feedback come together, whichever
    program runs the notebook.

    Attributes
    ----------
    checks
        The checks of the question.
    of
        Maximum points of the question.
    """

    checks: tuple[Check, ...]
    of: float

    @property
    def points(self) -> float:
        """The points reached: the weighted mean of the checks' credits times the maximum points."""
        total = sum(check.weight for check in self.checks)
        reached = sum(check.weight * check.credit for check in self.checks) / total
        return round(reached * self.of, 2)

    def __repr__(self) -> str:
        return repr(self.points)

    def _repr_html_(self) -> str:
        return question_box(self.points, self.of, [_line(check) for check in self.checks])

    @property
    def messages(self) -> list[str]:
        """What went wrong: one text for each check that lost points."""
        return [f"{c.label}: {c.message}" for c in self.checks if c.message]


def _line(check: Check) -> GradedCheck:
    explanation = check.misconception.explanation if check.misconception else ""
    return GradedCheck(check.label, check.credit, check.message, explanation)


def score(*checks: Check, of: float) -> Score:
    """Turn checks into points; this is the last expression of every hidden test.

    Parameters
    ----------
    *checks
        The checks of the question, at least one.
    of
        Maximum points of the question, as in the metadata of its cell.

    Raises
    ------
    ValueError
        If there is no check, since every answer would then earn the points.
    """
    if not checks:
        raise ValueError(f"a hidden test of {points_text(of)} points checks nothing")
    return Score(tuple(replace(check, misconception=_named(check, checks)) for check in checks), of)


def _named(check: Check, checks: Sequence[Check]) -> Misconception | None:
    """Return the misconception that a check's feedback explains, or None.

    It has to give every answer of the student's function in this question, and to be the only one
    that does: a wrong name costs a student more time than none.
    """
    if check.answers is None or not check.message:
        return None
    expected = check.answers.expected
    about = [c.answers for c in checks if c.answers and c.answers.expected is expected]
    fitting = [m for m in misconceptions_of(expected) if all(a.fit(m) for a in about)]
    return fitting[0] if len(fitting) == 1 else None
