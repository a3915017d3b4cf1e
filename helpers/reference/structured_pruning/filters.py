"""Pruning of whole filters and of single weights, on a schedule of epochs.

References
----------
Li, Kadav, Durdanovic, Samet, Graf, "Pruning Filters for Efficient ConvNets", ICLR 2017: prune the
filters with the smallest L1 norms.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = [
    "FINAL_PERCENTAGE",
    "Prune",
    "filter_l1_pruning",
    "filter_norms",
    "kept_weights",
    "pruned_filters",
    "pruned_weights",
    "scheduled_percentage",
    "sparse_layers",
    "unstructured_pruning",
]

FINAL_PERCENTAGE = 50
STEP = 10
"""Per cent that are pruned at a time, and the number of parts into which the epochs are divided."""

Prune = Callable[[nn.Module, float], None]
"""``prune(model, percentage)`` prunes every layer that has a mask until so much of it is pruned."""


def sparse_layers(model: nn.Module) -> dict[str, nn.Conv2d]:
    """Return the convolutions that have a mask, by name."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d) and hasattr(module, "mask")
    }


def kept_weights(layer: nn.Conv2d) -> Tensor:
    """Return the weights that a layer with a mask convolves with: zero where they are pruned."""
    return (layer.weight * layer.get_buffer("mask")).detach()


def filter_norms(w: Tensor) -> Tensor:
    """Return the L1 norm of each filter, the sum of the magnitudes of its weights.

    Parameters
    ----------
    w
        The weights of a convolution, (out_channels, in_channels, height, width).

    Returns
    -------
    Tensor
        (out_channels,).
    """
    return w.abs().sum(dim=(1, 2, 3))


@torch.no_grad()
def filter_l1_pruning(model: nn.Module, percentage: float) -> None:
    """Prune the filters with the smallest L1 norms in each layer that has a mask.

    Parameters
    ----------
    model
        A network with layers `SparseConv2d`; their masks are changed in place.
    percentage
        Per cent of all filters of a layer that are pruned afterwards, those that were pruned before
        included. Their number is rounded down. Filters that are pruned stay pruned.
    """
    for layer in sparse_layers(model).values():
        norms = filter_norms(kept_weights(layer))
        layer.get_buffer("mask")[_smallest(norms, percentage)] = 0


@torch.no_grad()
def unstructured_pruning(model: nn.Module, percentage: float) -> None:
    """Prune the weights with the smallest magnitudes in each layer that has a mask.

    Parameters
    ----------
    model
        A network with layers `SparseWeightConv2d`; their masks are changed in place.
    percentage
        As for `filter_l1_pruning`, of all weights of a layer.
    """
    for layer in sparse_layers(model).values():
        magnitudes = kept_weights(layer).abs().flatten()
        layer.get_buffer("mask").view(-1)[_smallest(magnitudes, percentage)] = 0


def _smallest(sizes: Tensor, percentage: float) -> Tensor:
    """Return the places of the smallest numbers, so many per cent of them, rounded down.

    What has been pruned before has the size zero, and so it comes first.
    """
    return torch.argsort(sizes, stable=True)[: int(percentage * len(sizes) / 100)]


def scheduled_percentage(epoch: int, epochs: int) -> int:
    """Return the percentage that is pruned in an epoch.

    It rises by 10 after every tenth of the epochs, up to 50 in the middle of the training: of 100
    epochs, 10 per cent are pruned before the epoch 10, and 50 per cent before the epoch 50.

    Parameters
    ----------
    epoch
        The epoch, counted from 0.
    epochs
        The number of all epochs.
    """
    return min(FINAL_PERCENTAGE, STEP * (10 * epoch // epochs))


def pruned_filters(model: nn.Module) -> float:
    """Return the share of filters without any weight, of all layers that have a mask."""
    kept = [kept_weights(layer).flatten(1).any(dim=1) for layer in sparse_layers(model).values()]
    return float((~torch.cat(kept)).float().mean())


def pruned_weights(model: nn.Module) -> float:
    """Return the share of weights that are zero, of all layers that have a mask."""
    weights = [kept_weights(layer).flatten() for layer in sparse_layers(model).values()]
    return float((torch.cat(weights) == 0).double().mean())
