"""How the course's own trainings ended, for comparison with those of students.

The figures are in ``course_runs.json``. `autograder reference run` and `autograder reference page`
write it from the reference runs; nobody edits it by hand.
"""

import json
from dataclasses import dataclass
from pathlib import Path

COURSE_RUNS = Path(__file__).with_name("course_runs.json")


@dataclass(frozen=True)
class CourseRuns:
    """The course's trainings of an artifact in a profile, which differ in their seeds.

    Attributes
    ----------
    count
        How many there are.
    epochs
        How many epochs each had.
    lowest, highest
        The lowest and the highest test accuracy after the last epoch, from 0 to 1.
    """

    count: int
    epochs: int
    lowest: float
    highest: float

    def __str__(self) -> str:
        if self.count == 1:
            return f"The course's run ended at {self.lowest:.4f} after {_epochs(self.epochs)}."
        return (
            f"The course's {self.count} runs ended between {self.lowest:.4f} and "
            f"{self.highest:.4f} after {_epochs(self.epochs)}."
        )


def course_runs(profile: str, name: str) -> CourseRuns | None:
    """Return how the course's trainings of the artifact `name` ended; None if there are none."""
    found = json.loads(COURSE_RUNS.read_text(encoding="utf-8")).get(profile, {}).get(name)
    return None if found is None else CourseRuns(**found)


def _epochs(count: int) -> str:
    return "one epoch" if count == 1 else f"{count} epochs"
