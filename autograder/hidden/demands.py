"""Demands on a trained network besides its accuracy, for `trained(also=...)`.

A demand is a function of the loaded network. It returns None if the network meets the demand, and
otherwise what is wrong, in words for the student.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from autograder.hidden import reference
from helpers.reference import masks

Demand = Callable[[nn.Module], str | None]

UNDECIDED = 2
"""How many weights of a layer may be so close to its threshold that rounding decides on them."""


def pruned_as(find_masks: Callable[[dict[str, Tensor]], dict[str, Tensor]], setting: str) -> Demand:
    """Demand zeros where the masks of the starting weights have them.

    In each layer, up to `UNDECIDED` weights may differ, since they may lie on its threshold.

    Parameters
    ----------
    find_masks
        Returns the masks of all layers, given their weights.
    setting
        What was asked for, such as ``"s = 1"``, for the feedback.
    """

    def demand(model: nn.Module) -> str | None:
        expected = find_masks(masks.layer_weights(reference.starting_model()))
        for layer, w in masks.layer_weights(model).items():
            kept = expected[layer]
            revived, lost = int((w != 0)[~kept].sum()), int((w == 0)[kept].sum())
            if revived + lost > UNDECIDED:
                return (
                    f"in {layer}, {revived} of the weights that {setting} prunes are not zero, "
                    f"and {lost} of those that it keeps are zero."
                )
        return None

    return demand


def sparse(sparsity: float, *, spare: float) -> Demand:
    """Demand that a share of all weights is zero, in whichever layers they are.

    Parameters
    ----------
    sparsity
        The share, from 0 to 1.
    spare
        How many zeros per layer may be missing: half a zero if the count is rounded, one if the
        threshold may fall on a weight.
    """

    def demand(model: nn.Module) -> str | None:
        weights = masks.layer_weights(model)
        count = sum(w.numel() for w in weights.values())
        found = masks.sparsity(weights)
        if found >= sparsity - spare * len(weights) / count:
            return None
        asked = f"{100 * sparsity:.0f} %"
        return f"Only {found:.1%} of the weights are zero instead of the {asked} asked for."

    return demand
