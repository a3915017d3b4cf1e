"""Pruning by magnitude: thresholds, a summary, masked training, schedules, allocations.

The names are those of the notebook. A weight is kept if its magnitude lies above a threshold; one
exactly on it is pruned, so that a zero is never kept. Masks of exact size, which need no threshold,
are in `helpers.reference.masks`.

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
"""``find_masks(weights, q)`` masks q percent of the weights, however it chooses them."""

KINDS = {2: "linear", 4: "convolution"}
"""What a layer is, by the dimensions of its weight."""

# ------------------------------------------------------------------------------------------------
# One layer


def prune_by_std(w: Tensor, s: float) -> tuple[Tensor, Tensor]:
    """Prune the weights of at most `s` standard deviations.

    Parameters
    ----------
    w : float tensor of any shape
        The weights of one layer.
    s : float
        Factor of the standard deviation of `w` (around its mean, divided by n).

    Returns
    -------
    pruned : tensor like `w`
        With zeros in the place of the pruned weights.
    mask : bool tensor of the shape of `w`
        True where ``|w| > s * std(w)``.
    """
    mask = w.abs() > s * w.std(correction=0)
    return torch.where(mask, w, 0.0), mask


def prune_by_percentage(w: Tensor, q: float) -> tuple[Tensor, Tensor]:
    """Prune the weights up to the `q`-th percentile of the magnitudes.

    Parameters
    ----------
    w : float tensor of any shape
        The weights of one layer.
    q : float
        Percentile, 0 to 100, interpolated linearly as by ``numpy.percentile``.

    Returns
    -------
    pruned : tensor like `w`
        With zeros in the place of the pruned weights.
    mask : bool tensor of the shape of `w`
        True where ``|w|`` lies above the percentile. Without equal magnitudes that prunes
        ``floor((n - 1) * q / 100) + 1`` of the n weights.
    """
    mask = w.abs() > _percentile(w.abs(), q)
    return torch.where(mask, w, 0.0), mask


def _percentile(magnitudes: Tensor, q: float) -> float:
    """Return what ``numpy.percentile`` gives, by its own arithmetic: a tie has to stay a tie."""
    return float(np.percentile(magnitudes.detach().cpu().numpy().ravel(), q))


# ------------------------------------------------------------------------------------------------
# A network


def layer_summary(parameters: Weights) -> list[dict[str, Any]]:
    """Summarise the sparsity of a network, layer by layer.

    Parameters
    ----------
    parameters : mapping from name to tensor
        All parameters of a network, as ``dict(model.named_parameters())``.

    Returns
    -------
    list of dict
        A row for each convolution and linear layer, in the order given, and a last one for all of
        them together, with the keys ``"layer"``, ``"type"`` (``"convolution"``, ``"linear"``, and
        ``""`` for the total), ``"weights"``, ``"nonzero"`` and ``"sparsity"`` (0 to 1). Biases and
        batch norm have less than two dimensions and do not count.
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
    weights : mapping from layer to tensor
    s : float
        Factor of the standard deviation.

    Returns
    -------
    dict from layer to bool tensor
    """
    return {layer: prune_by_std(w, s)[1] for layer, w in weights.items()}


def percentage_masks(weights: Weights, q: float) -> dict[str, Tensor]:
    """Mask each layer by the `q`-th percentile of its own magnitudes.

    Parameters
    ----------
    weights : mapping from layer to tensor
    q : float
        Percentile, 0 to 100.

    Returns
    -------
    dict from layer to bool tensor
    """
    return {layer: prune_by_percentage(w, q)[1] for layer, w in weights.items()}


def global_percentage_masks(weights: Weights, q: float) -> dict[str, Tensor]:
    """Mask all layers by one threshold: the `q`-th percentile of all magnitudes together.

    Parameters
    ----------
    weights : mapping from layer to tensor
    q : float
        Percentile, 0 to 100, interpolated linearly.

    Returns
    -------
    dict from layer to bool tensor
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
    w, velocity, gradient : float tensors of one shape
    mask : bool tensor of that shape
        True where a weight is kept.
    lr, momentum, weight_decay : float
        :math:`\eta`, :math:`\mu` and :math:`\lambda`.

    Returns
    -------
    w, velocity : the new tensors
    """
    velocity = momentum * velocity + gradient + weight_decay * w
    return torch.where(mask, w - lr * velocity, 0.0), velocity


def scheduled_percentage(epoch: int, pruning_epochs: int, final: float = 80) -> float:
    """Return how many per cent are to be pruned before an epoch.

    It rises linearly to `final`, which is reached before the last of the pruning epochs.

    Parameters
    ----------
    epoch : int
        Counted from 0.
    pruning_epochs : int
        Number of epochs that begin with a pruning step.
    final : float
        The last percentage.

    Returns
    -------
    float
    """
    return final * min(1.0, (epoch + 1) / pruning_epochs)


class IterativePruning:
    """Hooks of `helpers.training.fit` that prune more and more, and hold the last masks.

    Before each epoch, masks are found anew from the weights as they are, and applied once; in the
    epoch that follows pruned weights may return. From the last pruning step on they may not.

    As in `helpers.training.fit`'s contract, nothing has to be kept over an interruption: after the
    last step, the same percentage of the current weights is the same weights.

    Parameters
    ----------
    find_masks : callable
        ``find_masks(weights, q)`` returns a mask for each layer; `weights` is a dict from layer to
        tensor, q a percentage.
    pruning_epochs : int
        Number of epochs that begin with a pruning step.
    """

    def __init__(self, find_masks: FindMasks, pruning_epochs: int) -> None:
        self.find_masks = find_masks
        self.pruning_epochs = pruning_epochs
        self.masks: dict[str, Tensor] = {}
        self.hold = False

    def before_epoch(self, model: nn.Module, epoch: int) -> None:
        """Prune what is due before `epoch`, counted from 0."""
        percentage = scheduled_percentage(epoch, self.pruning_epochs)
        self.masks = self.find_masks(layer_weights(model), percentage)
        apply_masks(model, self.masks)
        self.hold = epoch >= self.pruning_epochs - 1

    def after_step(self, model: nn.Module) -> None:
        """Set pruned weights back to zero, if the last pruning step is over."""
        if self.hold:
            apply_masks(model, self.masks)


# ------------------------------------------------------------------------------------------------
# Allocation


def overall_sparsity(sparsities: Mapping[str, float], sizes: Mapping[str, int]) -> float:
    """Return the fraction pruned of all weights, from the fraction pruned of each layer.

    Each layer is pruned by `helpers.reference.masks.magnitude_mask`, which rounds to whole weights.

    Parameters
    ----------
    sparsities : mapping from layer to fraction
    sizes : mapping from the same layers to numbers of weights

    Returns
    -------
    float
    """
    pruned = sum(round(sparsities[layer] * size) for layer, size in sizes.items())
    return pruned / sum(sizes.values())
