"""Pruning by magnitude: thresholds, a summary, masked training, schedules, allocations.

The names are those of the notebook. A weight is kept if its magnitude lies above a threshold. A
weight whose magnitude equals the threshold is pruned, so that a zero is never kept. Masks with an
exact number of weights, which need no threshold, are in `helpers.reference.masks`.

References
----------
Han, Pool, Tran, Dally, "Learning both Weights and Connections for Efficient Neural Networks", NIPS
2015: prune by a multiple of a layer's standard deviation, then train the rest.
Zhu, Gupta, "To prune, or not to prune: exploring the efficacy of pruning for model compression",
arXiv:1710.01878, 2017: raise the sparsity while training.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.reference.masks import apply_masks, layer_weights

Weights = Mapping[str, Tensor]
FindMasks = Callable[[dict[str, Tensor], float], dict[str, Tensor]]
"""``find_masks(weights, q)`` returns masks that prune q per cent of the weights, by any method."""

KINDS = {2: "linear", 4: "convolution"}
"""The type of a layer, by the number of dimensions of its weight."""

# ------------------------------------------------------------------------------------------------
# One layer


def prune_by_std(w: Tensor, s: float) -> tuple[Tensor, Tensor]:
    """Prune the weights whose magnitude is at most `s` standard deviations.

    Parameters
    ----------
    w
        The weights of one layer, of any shape.
    s
        Factor of the standard deviation of `w` (around its mean, divided by n).

    Returns
    -------
    pruned
        The weights, with zeros in the place of those that are pruned.
    mask
        Boolean, of the same shape as `w`: true where ``|w| > s * std(w)``.
    """
    mask = w.abs() > s * w.std(correction=0)
    return torch.where(mask, w, 0.0), mask


def prune_by_percentage(w: Tensor, q: float) -> tuple[Tensor, Tensor]:
    """Prune the weights whose magnitude is at most the `q`-th percentile of the magnitudes.

    Parameters
    ----------
    w
        The weights of one layer, of any shape.
    q
        Percentile, 0 to 100, interpolated linearly as by ``numpy.percentile``.

    Returns
    -------
    pruned
        The weights, with zeros in the place of those that are pruned.
    mask
        Boolean, of the same shape as `w`: true where ``|w|`` lies above the percentile. If no
        magnitudes are equal, ``floor((n - 1) * q / 100) + 1`` of the n weights are pruned.
    """
    mask = w.abs() > _percentile(w.abs(), q)
    return torch.where(mask, w, 0.0), mask


def _percentile(magnitudes: Tensor, q: float) -> float:
    """Return the percentile as computed by NumPy itself, so that ties with it are exact."""
    return float(np.percentile(magnitudes.detach().cpu().numpy().ravel(), q))


# ------------------------------------------------------------------------------------------------
# A network


def layer_summary(parameters: Weights) -> list[dict[str, Any]]:
    """Summarise the sparsity of a network layer by layer.

    Parameters
    ----------
    parameters
        All parameters of a network by name, such as ``dict(model.named_parameters())``.

    Returns
    -------
    list[dict[str, Any]]
        A row for each convolution and linear layer, in the given order, and a last row for all of
        them together. Its keys are ``"layer"``, ``"type"`` (``"convolution"``, ``"linear"``, or
        ``""`` for the total), ``"weights"``, ``"nonzero"`` and ``"sparsity"`` (0 to 1). Biases and
        the parameters of batch norm have fewer than two dimensions and are not counted.
    """
    rows = [
        _row(name.removesuffix(".weight"), KINDS[w.dim()], w.numel(), int((w != 0).sum()))
        for name, w in parameters.items()
        if w.dim() in KINDS
    ]
    total = _row("total", "", sum(r["weights"] for r in rows), sum(r["nonzero"] for r in rows))
    return [*rows, total]


def _row(layer: str, kind: str, weights: int, nonzero: int) -> dict[str, Any]:
    return {
        "layer": layer,
        "type": kind,
        "weights": weights,
        "nonzero": nonzero,
        "sparsity": 1 - nonzero / weights,
    }


def std_masks(weights: Weights, s: float) -> dict[str, Tensor]:
    """Mask each layer by `s` standard deviations of its own weights.

    Parameters
    ----------
    weights
        Mapping from layer to weights.
    s
        Factor of the standard deviation.

    Returns
    -------
    dict[str, Tensor]
        Mapping from layer to boolean mask, as returned by `prune_by_std`.
    """
    return {layer: prune_by_std(w, s)[1] for layer, w in weights.items()}


def percentage_masks(weights: Weights, q: float) -> dict[str, Tensor]:
    """Mask each layer by the `q`-th percentile of its own magnitudes.

    Parameters
    ----------
    weights
        Mapping from layer to weights.
    q
        Percentile, 0 to 100.

    Returns
    -------
    dict[str, Tensor]
        Mapping from layer to boolean mask, as returned by `prune_by_percentage`.
    """
    return {layer: prune_by_percentage(w, q)[1] for layer, w in weights.items()}


def global_percentage_masks(weights: Weights, q: float) -> dict[str, Tensor]:
    """Mask all layers by one threshold, the `q`-th percentile of all magnitudes together.

    Parameters
    ----------
    weights
        Mapping from layer to weights.
    q
        Percentile, 0 to 100, interpolated linearly.

    Returns
    -------
    dict[str, Tensor]
        Mapping from layer to boolean mask, true where a weight is kept.
    """
    threshold = _percentile(torch.cat([w.abs().flatten() for w in weights.values()]), q)
    return {layer: w.abs() > threshold for layer, w in weights.items()}


# ------------------------------------------------------------------------------------------------
# Training with masks


def masked_step(
    w: Tensor,
    velocity: Tensor,
    gradient: Tensor,
    mask: Tensor,
    lr: float,
    momentum: float,
    weight_decay: float,
) -> tuple[Tensor, Tensor]:
    r"""Take a step of SGD with momentum and weight decay in which pruned weights stay zero.

    .. math:: v \leftarrow \mu v + g + \lambda w, \qquad w \leftarrow m \, (w - \eta v)

    Parameters
    ----------
    w, velocity, gradient
        Weights :math:`w`, velocities :math:`v` and gradients :math:`g`, all of the same shape.
    mask
        Boolean mask :math:`m` of the same shape, true where a weight is kept.
    lr, momentum, weight_decay
        :math:`\eta`, :math:`\mu` and :math:`\lambda`.

    Returns
    -------
    w, velocity
        The new weights and velocities.
    """
    velocity = momentum * velocity + gradient + weight_decay * w
    return torch.where(mask, w - lr * velocity, 0.0), velocity


def scheduled_percentage(epoch: int, pruning_epochs: int, final: float = 80) -> float:
    """Return the percentage of weights to prune before an epoch.

    The percentage rises linearly to `final`, which is reached before the last pruning epoch.

    Parameters
    ----------
    epoch
        The epoch, counted from 0.
    pruning_epochs
        Number of epochs that begin with a pruning step.
    final
        The final percentage.
    """
    return final * min(1.0, (epoch + 1) / pruning_epochs)


class IterativePruning:
    """Hooks for `helpers.training.fit` that prune step by step and then hold the last masks.

    Before each epoch, masks are computed anew from the current weights and applied once. During the
    epoch that follows, pruned weights may return, so the masks need not be nested: a weight that is
    pruned before one epoch may be kept before a later one. From the last pruning step on, pruned
    weights do not return. (Hooks that hold every mask from the first step on give nested masks,
    because a zero never rises in a ranking of magnitudes.)

    As `helpers.training.fit` requires, the hooks need not remember anything across an interruption:
    after the last pruning step, pruning the same percentage again selects the same weights.

    Parameters
    ----------
    find_masks
        Function that is called as ``find_masks(weights, q)``, where `weights` is a dictionary from
        layer to weights and `q` a percentage. It returns a mask for each layer.
    pruning_epochs
        Number of epochs that begin with a pruning step.
    """

    def __init__(self, find_masks: FindMasks, pruning_epochs: int) -> None:
        self.find_masks = find_masks
        self.pruning_epochs = pruning_epochs
        self.masks: dict[str, Tensor] = {}
        self.hold = False

    def before_epoch(self, model: nn.Module, epoch: int) -> None:
        """Prune as scheduled before `epoch`, counted from 0."""
        percentage = scheduled_percentage(epoch, self.pruning_epochs)
        self.masks = self.find_masks(layer_weights(model), percentage)
        apply_masks(model, self.masks)
        self.hold = epoch >= self.pruning_epochs - 1

    def after_step(self, model: nn.Module) -> None:
        """Set pruned weights back to zero if the last pruning step is done."""
        if self.hold:
            apply_masks(model, self.masks)


# ------------------------------------------------------------------------------------------------
# Allocation


def overall_sparsity(sparsities: Mapping[str, float], sizes: Mapping[str, int]) -> float:
    """Return the pruned fraction of all weights, given the pruned fraction of each layer.

    Each layer is pruned by `helpers.reference.masks.magnitude_mask`, which rounds to whole weights.

    Parameters
    ----------
    sparsities
        Mapping from layer to pruned fraction.
    sizes
        Mapping from the same layers to numbers of weights.
    """
    pruned = sum(round(sparsities[layer] * size) for layer, size in sizes.items())
    return pruned / sum(sizes.values())
