"""The figures of `sparse_linear`, which has no network: how well two methods find the solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.runs.experiment import Accuracy, Sweep
from helpers.data import Dataset
from helpers.reference.sparse_linear import sparse_regression

SOLUTION = np.array([0.0, 3.0, 0.0, 0.0, -1.0])
STRENGTH = 5.0


def _run(run: sparse_regression.Run) -> dict[str, float]:
    weights, losses = run
    return {
        "log10 L": float(sparse_regression.log10_loss(losses)[-1]),
        "furthest weight from (0, 3, 0, 0, -1)": float(np.abs(weights[-1] - SOLUTION).max()),
    }


def _projected(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
    return _run(sparse_regression.projected_descent(*sparse_regression.PROBLEM))


def _trimmed(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
    return _run(sparse_regression.trimmed_descent(*sparse_regression.PROBLEM, STRENGTH))


COMMON: dict[str, Any] = {
    "assignment": "sparse_linear",
    "reported": {"log10 L": -27.0, "furthest weight from (0, 3, 0, 0, -1)": 0.0},
    "weights": None,
    "remark": "Students reported that log10 L falls below -27; how far below depends on the "
    "rounding of float64.",
}

SWEEPS = (
    Sweep(
        name="projected_descent",
        recipe=f"projected gradient descent, {sparse_regression.STEPS} steps",
        measure=_projected,
        **COMMON,
    ),
    Sweep(
        name="trimmed_descent",
        recipe=f"trimmed L1, strength {STRENGTH:g}, {sparse_regression.STEPS} steps",
        measure=_trimmed,
        **COMMON,
    ),
)
