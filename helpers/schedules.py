"""How the learning rate changes from step to step."""

import hashlib
import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from torch import Tensor
from torch.optim import Optimizer, lr_scheduler

__all__ = ["SCHEDULES", "Factor", "Schedule"]

SCHEDULES = ("cosine", "constant", "multistep")

Factor = Callable[[int], float]
"""Returns the factor of the learning rate at a step, counted from 0."""


class Schedule:
    """A schedule of the learning rate over all steps of a training.

    A function is called here, once for each step in order, and the factors are kept.

    Parameters
    ----------
    schedule, milestones, epochs
        As for `helpers.training.fit`.
    steps
        Steps per epoch.

    Attributes
    ----------
    recipe
        What two trainings have in common if their learning rates change in the same way. For a
        function, this is the SHA-256 of its factors: neither its name nor its source text says
        what it computes.

    Raises
    ------
    ValueError
        If there is no schedule of that name, or a factor is not a finite number of at least 0.
    """

    def __init__(
        self, schedule: str | Factor, milestones: Sequence[float] | None, epochs: int, steps: int
    ) -> None:
        if milestones is None:
            milestones = [epochs / 4, epochs / 2, epochs * 3 / 4]
        self.steps = epochs * steps
        self.milestones = [round(milestone * steps) for milestone in milestones]
        self.recipe: dict[str, Any] = {"schedule": schedule, "milestones": []}
        if callable(schedule):
            self.name = "function"
            self.factors = [_factor(schedule, step) for step in range(max(1, self.steps))]
            self.recipe["schedule"] = f"function {_digest(self.factors)}"
        elif schedule in SCHEDULES:
            self.name = schedule
            if schedule == "multistep":
                self.recipe["milestones"] = list(milestones)
        else:
            raise ValueError(
                f"schedule is {schedule!r}: it must be one of {', '.join(SCHEDULES)}, or a "
                f"function that returns the factor of the learning rate at a step."
            )

    def scheduler(self, optimizer: Optimizer) -> lr_scheduler.LRScheduler:
        """Return torch's scheduler for this schedule, which takes a step after every batch."""
        if self.name == "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.steps)
        if self.name == "multistep":
            return lr_scheduler.MultiStepLR(optimizer, self.milestones, gamma=0.1)
        if self.name == "constant":
            return lr_scheduler.ConstantLR(optimizer, factor=1.0)
        # After the last batch, torch asks for one factor more, which no step uses.
        last = len(self.factors) - 1
        return lr_scheduler.LambdaLR(optimizer, lambda step: self.factors[min(step, last)])


def _factor(schedule: Factor, step: int) -> float:
    """Return the factor at a step as a float; refuse whatever no learning rate can have."""
    found: object = schedule(step)
    factor = _number(found)
    if not 0 <= factor < math.inf:
        raise ValueError(
            f"schedule({step}) returns {found!r}: the factor of the learning rate at a step must "
            f"be a finite number that is not negative."
        )
    return factor


def _number(found: object) -> float:
    """Return a number of Python, numpy or torch as a float, and NaN for anything else."""
    if isinstance(found, Tensor) and found.ndim == 0:
        found = found.item()
    if isinstance(found, bool) or not isinstance(found, Real):
        return math.nan
    try:
        return float(found)
    except OverflowError:
        return math.inf


def _digest(factors: Sequence[float]) -> str:
    return hashlib.sha256(np.array(factors, dtype="<f8").tobytes()).hexdigest()
