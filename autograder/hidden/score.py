"""The last line of a hidden test: its checks, weighed, as points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autograder.grading.question_box import GradedCheck, points_text, question_box
from autograder.hidden.checks import Check
from autograder.misconceptions import Misconception


@dataclass(frozen=True)
class Score:
    """What a question gave.

    Its text is the bare number, which nbgrader reads as partial credit; its HTML tells the student
    what each check found. So points and a message come together, under any executor.

    Attributes
    ----------
    checks : tuple of Check
    of : float
        Points of the question.
    """

    checks: tuple[Check, ...]
    of: float

    @property
    def points(self) -> float:
        """Points reached: the weighted mean of the checks' credits times the question's points."""
        total = sum(check.weight for check in self.checks)
        reached = sum(check.weight * check.credit for check in self.checks) / total
        return round(reached * self.of, 2)

    def __repr__(self) -> str:
        return repr(self.points)

    def _repr_html_(self) -> str:
        return question_box(self.points, self.of, [_line(check) for check in self.checks])

    @property
    def messages(self) -> list[str]:
        """What went wrong, one text per check that lost something."""
        return [f"{c.label}: {c.message}" for c in self.checks if c.message]


def _line(check: Check) -> GradedCheck:
    explanation = check.misconception.explanation if check.misconception else ""
    return GradedCheck(check.label, check.credit, check.message, explanation)


def score(*checks: Check, of: float) -> Score:
    """Weigh `checks` into points: the last expression of every hidden test.

    Parameters
    ----------
    *checks : Check
        At least one.
    of : float
        Points of the question, as in the cell's metadata.

    Returns
    -------
    Score

    Raises
    ------
    ValueError
        If there is no check: a question that checks nothing would be a gift.
    """
    if not checks:
        raise ValueError(f"a hidden test of {points_text(of)} points checks nothing")
    return Score(tuple(_agreed(check, checks) for check in checks), of)


def _agreed(check: Check, checks: Sequence[Check]) -> Check:
    """Let the misconception come first that fits most of the checks.

    A function has one mistake sooner than several, and a check of special cases alone fits many.
    """

    def fits(candidate: Misconception) -> int:
        return sum(candidate in other.fitting for other in checks)

    # Sorting is stable: of those that fit equally often, the first defined stays first.
    return replace(check, fitting=tuple(sorted(check.fitting, key=fits, reverse=True)))
