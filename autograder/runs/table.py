"""The course's table: every network that is trained, and every figure that needs no training."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from autograder.assignments import assignments, part
from autograder.runs import starting
from autograder.runs.experiment import TRAINED, UNTRAINED, Experiment, Sweep

__all__ = ["TRAINED", "UNTRAINED", "Experiment", "Sweep", "experiments", "sweeps"]


def experiments(share: float = 1.0) -> list[Experiment]:
    """Return the trained networks of the course, with the recipes of the current profile.

    Parameters
    ----------
    share : float
        Of the epochs of `full` that are trained, over 0 and up to 1. The recipes of `quick` stay
        as they are.
    """
    return [
        *starting.experiments(share),
        *(
            row
            for module in _modules()
            if hasattr(module, "experiments")
            for row in module.experiments(share)
        ),
    ]


def sweeps() -> list[Sweep]:
    """Return the figures of the course that need no training."""
    return [row for module in _modules() if hasattr(module, "sweeps") for row in module.sweeps()]


def _modules() -> Iterator[ModuleType]:
    for assignment in assignments():
        module = part(assignment, "experiments")
        if module is not None:
            yield module
