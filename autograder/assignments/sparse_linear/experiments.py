"""The figures of `sparse_linear`, which has no network: two methods find the sparse solution."""

from __future__ import annotations

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


def sweeps() -> list[Sweep]:
    """Return what the two methods end with."""
    X, y = sparse_regression.PROBLEM
    published = {"log10 L": -27.0, "furthest weight from (0, 3, 0, 0, -1)": 0.0}

    def projected(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
        return _run(sparse_regression.projected_descent(X, y))

    def trimmed(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
        return _run(sparse_regression.trimmed_descent(X, y, STRENGTH))

    steps = f"{sparse_regression.STEPS} steps"
    remark = "Reported is that log10 L falls below -27; how far, the rounding of float64 decides."
    return [
        Sweep(
            "projected_descent",
            "sparse_linear",
            f"projected gradient descent, {steps}",
            projected,
            published,
            None,
            remark,
        ),
        Sweep(
            "trimmed_descent",
            "sparse_linear",
            f"trimmed L1, strength {STRENGTH:g}, {steps}",
            trimmed,
            published,
            None,
            remark,
        ),
    ]
