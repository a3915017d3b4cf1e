"""Which attempt of a student counts, where the best one does, and why the others do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from autograder.course import Course
from autograder.grading.intake.kept_attempts import KeptAttempts
from autograder.grading.intake.submission_folder import SubmissionFolder
from autograder.grading.question_box import in_points, points_text
from helpers.files import replacing

FILE = "choice.json"
"""The file beside the attempts of a student that says which of them counts."""


@dataclass(frozen=True)
class JudgedAttempt:
    """An attempt with its points.

    Attributes
    ----------
    key
        The key of the attempt, see `autograder.grading.intake.kept_attempts`.
    handed_in
        When it was handed in, as text (ISO 8601, UTC); empty if no system says so.
    points
        What it earns without the answers that a person grades.
    penalty
        What is taken off because it was late.
    """

    key: str
    handed_in: str
    points: float
    penalty: float

    @property
    def total(self) -> float:
        """The points by which attempts are compared."""
        return round(self.points - self.penalty, 6)


@dataclass(frozen=True)
class Choice:
    """Which of the attempts counts.

    Attributes
    ----------
    release
        A digest of the release by which they were graded.
    counts
        The key of the attempt that counts.
    attempts
        All of them, the earliest first.
    """

    release: str
    counts: str
    attempts: tuple[JudgedAttempt, ...]

    @classmethod
    def read(cls, folder: Path) -> Choice | None:
        """Return the choice that was written into a folder; None if there is none."""
        try:
            found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        attempts = tuple(JudgedAttempt(**attempt) for attempt in found.pop("attempts"))
        return cls(**found, attempts=attempts)

    def write(self, folder: Path) -> None:
        """Write the choice into a folder, completely or not at all."""
        with replacing(folder / FILE) as path:
            path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    def why(self, key: str) -> str:
        """Return why an attempt counts, or why it does not; empty if there is no other."""
        if len(self.attempts) < 2:
            return ""
        places = {attempt.key: place for place, attempt in enumerate(self.attempts, start=1)}
        one, best = (self.attempts[places[found] - 1] for found in (key, self.counts))
        what = f"it is attempt {places[key]} of {len(places)}"
        if one is best:
            return f"{what}, which counts, with {_points(best)}"
        if one.total < best.total:
            return f"{what}, with {_points(one)}; attempt {places[best.key]} has more and counts"
        return f"{what}; attempt {places[best.key]} was earlier, has as many points and counts"

    def lines(self) -> list[str]:
        """Return a line on each attempt; nothing if there is only one."""
        if len(self.attempts) < 2:
            return []
        return [
            f"Attempt {place}{_moment(attempt)}: {_points(attempt)}"
            + (". It counts." if attempt.key == self.counts else ".")
            for place, attempt in enumerate(self.attempts, start=1)
        ]


def attempts_of(course: Course, assignment: str, student: str) -> KeptAttempts:
    """Return the attempts of a student that are kept in a course."""
    return KeptAttempts(SubmissionFolder(course.submitted, student, assignment))


def attempt_lines(course: Course, assignment: str, student: str) -> list[str]:
    """Return a line on each attempt of a student; nothing if there is one, or the latest counts."""
    if course.settings.attempts != "best":
        return []
    choice = Choice.read(attempts_of(course, assignment, student).folder)
    return choice.lines() if choice else []


def best_of(attempts: Sequence[JudgedAttempt]) -> JudgedAttempt:
    """Return the attempt with the most points, and the earliest of those with as many.

    Parameters
    ----------
    attempts
        At least one, the earliest first.
    """
    return max(attempts, key=lambda attempt: attempt.total)


def _points(attempt: JudgedAttempt) -> str:
    text = in_points(attempt.total, "automatic point")
    if attempt.penalty:
        penalty = points_text(attempt.penalty)
        were = "was" if penalty == "1" else "were"
        text += f", after {penalty} {were} taken off because it was late"
    return text


def _moment(attempt: JudgedAttempt) -> str:
    if not attempt.handed_in:
        return ""
    time = datetime.fromisoformat(attempt.handed_in)
    return f" ({time.day} {time:%B %Y, %H:%M} UTC)"
