"""Demands on a trained network besides its accuracy, for `trained(also=...)`.

A demand is a function of the loaded network. It returns None if the network meets the demand, and
otherwise what is wrong, in words for the student.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from autograder.hidden import reference
from autograder.hidden.submitted import submitted
from helpers.reference import masks

Demand = Callable[[nn.Module], str | None]

UNDECIDED = 2
"""How many weights of a layer may be so close to its threshold that rounding decides on them."""


def scheduled(name: str, rates: Sequence[float]) -> Demand:
    """Demand that the history of an artifact has these learning rates.

    A history proves nothing by itself. This demand tells students who have trained in another way
    than was asked for what the difference is.

    Parameters
    ----------
    name
        Name of the artifact.
    rates
        The learning rate of the first step of each epoch.
    """

    def demand(model: nn.Module) -> str | None:
        found = submitted(name).history.learning_rate
        if len(found) != len(rates):
            return f"its history has {len(found)} epochs, not {len(rates)}."
        for epoch, (lr, right) in enumerate(zip(found, rates, strict=True), start=1):
            # A thousandth of the largest rate is far more than rounding makes of it.
            if abs(lr - right) > 1e-3 * max(rates):
                return f"epoch {epoch} began with the learning rate {lr:.4g}, not {right:.4g}."
        return None

    return demand


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


def levels_changed(least: float = 0.01) -> Demand:
    """Demand that a share of the quantized weights is on another level than before the training.

    Training moves several per cent of them, even if it lasts two epochs and the control is as
    accurate as the trained network. Where an estimator passes no gradient, weights only shrink
    together by the weight decay, and every one stays on its level.

    Parameters
    ----------
    least
        The share, from 0 to 1, of the weights in layers that have a number of `bits`. Weights that
        are zero, as pruned ones are, do not count.
    """

    def demand(model: nn.Module) -> str | None:
        start = reference.starting_state()
        changed = count = 0
        for name, layer in model.named_modules():
            if isinstance(bits := getattr(layer, "bits", None), int):
                new, old = layer.get_parameter("weight").detach().cpu(), start[f"{name}.weight"]
                kept = new != 0
                if kept.any():
                    moved = _levels(new[kept], bits) != _levels(old[kept], bits)
                    changed, count = changed + int(moved.sum()), count + moved.numel()
        if count and changed >= least * count:
            return None
        share = changed / count if count else 0.0
        return (
            f"only {share:.2%} of its quantized weights are on another level than before the "
            f"training, and at least {least:.0%} are needed: the weights of the convolutions were "
            "not trained. Does the backward pass of your estimator return the gradient?"
        )

    return demand


def _levels(w: Tensor, bits: int) -> Tensor:
    """Return the number of the level of each weight, counted from the smallest weight."""
    span = (w.max() - w.min()).clamp(min=torch.finfo(w.dtype).tiny)
    return torch.round((w - w.min()) / span * (2**bits - 1))
