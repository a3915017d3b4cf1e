"""Schedules: how the learning rate changes from step to step."""

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
"""A function from the step, counted from 0, to the factor of the learning rate at this step."""


class Schedule:
    """A schedule of the learning rate over all steps of a training.

    If the schedule is a function, it is called once for each step, in order, when the object is
    created, and the factors are kept.

    Parameters
    ----------
    schedule, milestones, epochs
        As for `helpers.training.fit`.
    steps
        Steps per epoch.

    Attributes
    ----------
    recipe
        Plain data that are equal for two trainings whose learning rates change in the same way. A
        function is represented by the SHA-256 of its factors, because neither its name nor its
        source text determines what it computes.

    Raises
    ------
    ValueError
        If there is no schedule with that name, or a factor is negative or not a finite number.
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
                f"function that returns the factor of the learning rate at each step."
            )

    def scheduler(self, optimizer: Optimizer) -> lr_scheduler.LRScheduler:
        """Return a PyTorch scheduler for this schedule, to be stepped after every batch."""
        if self.name == "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.steps)
        if self.name == "multistep":
            return lr_scheduler.MultiStepLR(optimizer, self.milestones, gamma=0.1)
        if self.name == "constant":
            return lr_scheduler.ConstantLR(optimizer, factor=1.0)
        # After the last batch, PyTorch asks for one more factor, which no step uses.
        last = len(self.factors) - 1
        return lr_scheduler.LambdaLR(optimizer, lambda step: self.factors[min(step, last)])


def _factor(schedule: Factor, step: int) -> float:
    """Return the factor at a step as a float; refuse values that no factor can have."""
    found: object = schedule(step)
    factor = _number(found)
    if not 0 <= factor < math.inf:
        raise ValueError(
            f"schedule({step}) returns {found!r}: the factor of the learning rate at a step must "
            f"be a finite number that is not negative."
        )
    return factor


def _number(found: object) -> float:
    """Convert a number of Python, NumPy or PyTorch to float; return NaN for anything else."""
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
