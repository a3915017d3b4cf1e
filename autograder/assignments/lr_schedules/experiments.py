"""The experiments of `lr_schedules`: one network, three constant rates and some schedules."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from autograder.runs.convnet import EPOCHS, FEW_EPOCHS, FROM_SCRATCH, random_convnet
from autograder.runs.epochs import Epochs
from autograder.runs.experiment import Experiment
from helpers.reference.baseline.network import NAME, shipped_files
from helpers.reference.lr_schedules.schedules import exponential, one_cycle, warm_up
from helpers.schedules import Factor

LOWEST, HIGHEST = 0.001, 10.0
"""The learning rates at the ends of the range test."""
RANGE_EPOCHS = Epochs(quick=4, full=4)
WARM_EPOCHS = 3
"""Epochs, of `FEW_EPOCHS`, in which the rate rises."""


def _row(name: str, how: str, **fields: Any) -> Experiment:
    return Experiment(
        name=name,
        assignment="lr_schedules",
        recipe=f"{{epochs}} from random weights, {how} {{lr}}",
        start=random_convnet(),
        **FROM_SCRATCH | fields,
    )


def _constant(name: str, rate: float) -> Experiment:
    """Return the row of a network that is trained with one rate for a few epochs."""
    return _row(
        name,
        "at the constant rate",
        lr=rate,
        epochs=FEW_EPOCHS,
        settings={"schedule": "constant", "step_losses": True},
        draws_curve=True,
        # Where training hardly begins, nearly fails or stops at a high rate, the seeds say nothing
        # about other trainings.
        is_steady=False,
    )


def _shipped(profile: str) -> Path:
    return shipped_files(profile)[0]


def _one_cycle(total: int) -> Factor:
    return partial(one_cycle, total=total)


def _growing(total: int) -> Factor:
    return partial(exponential, total=total, lowest=LOWEST, highest=HIGHEST)


def _warm_up(total: int) -> Factor:
    return partial(warm_up, length=WARM_EPOCHS * total // FEW_EPOCHS.full)


HANDED_IN = (
    _constant("rate_small", 0.0001),
    _constant("rate_medium", 0.1),
    _constant("rate_large", 1.0),
    _row(
        "rate_large_warm",
        f"{WARM_EPOCHS} of them up to",
        lr=1.0,
        epochs=FEW_EPOCHS,
        settings={"step_losses": True},
        schedule=_warm_up,
        draws_curve=True,
        is_steady=False,
    ),
    _row(
        NAME,
        "a tenth of the rate after each quarter, from",
        epochs=EPOCHS,
        settings={"schedule": "multistep"},
        draws_curve=True,
        ships_as=_shipped,
        ships_history=True,
    ),
    _row(
        "convnet_cosine",
        "cosine from",
        epochs=EPOCHS,
        settings={"schedule": "cosine"},
        draws_curve=True,
    ),
    _row(
        "convnet_one_cycle",
        "one cycle up to",
        epochs=EPOCHS,
        schedule=_one_cycle,
        draws_curve=True,
    ),
)
"""The networks that students train and that are graded."""

UNGRADED = (
    _row(
        "range_test",
        f"at a rate that grows from {LOWEST:g} to {HIGHEST:g} times",
        lr=1.0,
        epochs=RANGE_EPOCHS,
        settings={"step_losses": True},
        schedule=_growing,
        only_in="quick",
        is_steady=False,
    ),
)
"""The range test, whose network nobody grades."""

EXPERIMENTS = (*HANDED_IN, *UNGRADED)
