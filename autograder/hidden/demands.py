"""Demands on a trained network beside its accuracy, for `trained(also=...)`.

A demand is a function of the loaded network. It returns None, or what is wrong, for the student.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from autograder.hidden import reference
from helpers.reference import masks

Demand = Callable[[nn.Module], str | None]

UNDECIDED = 2
"""How many weights of a layer may lie so close to its threshold that rounding decides on them."""


def pruned_as(find_masks: Callable[[dict[str, Tensor]], dict[str, Tensor]], setting: str) -> Demand:
    """Demand the zeros of our own masks, found from the starting weights.

    A weight or two on the threshold of a layer may be on either side of it.

    Parameters
    ----------
    find_masks : callable
        Returns the masks of all layers, given their weights.
    setting : str
        What was asked for, such as ``"s = 1"``, for the feedback.

    Returns
    -------
    callable
    """

    def demand(model: nn.Module) -> str | None:
        expected = find_masks(masks.layer_weights(reference.starting_model()))
        for layer, w in masks.layer_weights(model).items():
            kept = expected[layer]
            revived, lost = int((w != 0)[~kept].sum()), int((w == 0)[kept].sum())
            if revived + lost > UNDECIDED:
                return (
                    f"in {layer}, {revived} of the weights that {setting} prunes are not zero, "
                    f"and {lost} of those that it keeps are."
                )
        return None

    return demand


def sparse(sparsity: float, *, spare: float) -> Demand:
    """Demand that a part of all weights is zero, in whatever layers.

    Parameters
    ----------
    sparsity : float
        The part, from 0 to 1.
    spare : float
        How many weights of each layer may be missing: half a weight where the count is rounded,
        one where the threshold may fall on a weight.

    Returns
    -------
    callable
    """

    def demand(model: nn.Module) -> str | None:
        weights = masks.layer_weights(model)
        count = sum(w.numel() for w in weights.values())
        found = masks.sparsity(weights)
        if found >= sparsity - spare * len(weights) / count:
            return None
        asked = f"{100 * sparsity:.0f} %"
        return f"Only {found:.1%} of the weights are zero, and {asked} were asked for."

    return demand
