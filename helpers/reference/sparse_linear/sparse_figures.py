"""The figure of one run of `sparse_regression`: its loss and its weights over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from helpers.reference.sparse_linear.sparse_regression import log10_loss

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_run(weights: np.ndarray, losses: np.ndarray) -> Figure:
    """Draw the loss and the weights of a run over the steps.

    Parameters
    ----------
    weights
        (steps + 1, d), float: row k holds the weights after k steps.
    losses
        (steps + 1,), float: the losses of these weights. A loss of zero leaves a gap.

    Returns
    -------
    Figure
        Two panels: log10 of the loss, and the weights with one line for each.
    """
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.4))
    left.plot(log10_loss(losses))
    left.set(title="Loss", xlabel="step", ylabel="log10 of the loss")
    for j in range(weights.shape[1]):
        right.plot(weights[:, j], label=f"$w_{{{j + 1}}}$")
    right.set(title="Weights", xlabel="step", ylabel="weight")
    right.legend()
    return figure
