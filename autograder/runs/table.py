"""The course's table: every network that is trained, and every figure that needs no training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from autograder.assignments import in_course_order
from autograder.runs import starting
from autograder.runs.experiment import TRAINED, UNTRAINED, Experiment, Sweep
from helpers.profile import profile

__all__ = ["TRAINED", "UNTRAINED", "Experiment", "Sweep", "experiments", "sweeps"]

Row = TypeVar("Row", Experiment, Sweep)


def experiments() -> list[Experiment]:
    """Return the trained networks of the course, in the current profile."""
    theirs = (row for assignment in in_course_order() for row in assignment.experiments)
    return _present([*starting.EXPERIMENTS, *theirs])


def sweeps() -> list[Sweep]:
    """Return the figures of the course that need no training, in the current profile."""
    return _present(row for assignment in in_course_order() for row in assignment.sweeps)


def _present(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.only_in in (None, profile())]
