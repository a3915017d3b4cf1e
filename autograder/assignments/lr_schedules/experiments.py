"""The experiments of `lr_schedules`: one network, three constant rates and three schedules."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from autograder.runs.convnet import EPOCHS, FEW_EPOCHS, FROM_SCRATCH, random_convnet
from autograder.runs.experiment import Experiment
from helpers.reference.baseline.network import NAME, shipped_files
from helpers.reference.lr_schedules.schedules import one_cycle
from helpers.schedules import Factor


def _row(name: str, how: str, **fields: Any) -> Experiment:
    return Experiment(
        name=name,
        assignment="lr_schedules",
        recipe=f"{{epochs}} from random weights, {how} {{lr}}",
        start=random_convnet(),
        **FROM_SCRATCH | fields,
    )


def _constant(name: str, rate: float, **fields: Any) -> Experiment:
    """Return the row of a network that is trained with a constant rate for a few epochs."""
    return _row(
        name,
        "at the constant rate",
        lr=rate,
        epochs=FEW_EPOCHS,
        settings={"schedule": "constant", "step_losses": True},
        draws_curve=True,
        **fields,
    )


def _shipped(profile: str) -> Path:
    return shipped_files(profile)[0]


def _one_cycle(total: int) -> Factor:
    return partial(one_cycle, total=total)


EXPERIMENTS = (
    # Rates at which training hardly begins, or fails, say nothing about the spread of others.
    _constant("rate_small", 0.0001, is_steady=False),
    _constant("rate_medium", 0.1),
    _constant("rate_large", 1.0, is_steady=False),
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
