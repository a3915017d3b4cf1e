"""A whole network with shared weights: pruning, weight sharing, and training of the centroids.

References
----------
Han, Mao and Dally, "Deep Compression", ICLR 2016 (arXiv:1510.00149), section 3.3 and figure 3.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.batch_norm import reestimate_batch_norm
from helpers.data import Dataset
from helpers.reference import masks
from helpers.reference.deep_compression import weight_sharing
from helpers.reference.deep_compression.compressed_file import SharedLayer


def prune(model: nn.Module, dataset: Dataset, sparsity: float) -> nn.Module:
    """Prune the smallest magnitudes of each layer and re-estimate batch norm, in place.

    There is no training and no random choice, so that everybody gets the same network.

    Parameters
    ----------
    model
        The network to prune.
    dataset
        Data set whose images are used (without labels) for the statistics of batch norm.
    sparsity
        Fraction of the weights to prune in each convolution and linear layer, in [0, 1].

    Returns
    -------
    Module
        The same `model`.
    """
    weights = masks.layer_weights(model)
    kept = {layer: masks.magnitude_mask(w, sparsity) for layer, w in weights.items()}
    masks.apply_masks(model, kept)
    reestimate_batch_norm(model, dataset)
    return model


def share(
    model: nn.Module,
    bits: int,
    method: str = "linear",
    seed: int = 0,
    cluster: Callable[..., Any] = weight_sharing.share_weights,
) -> dict[str, SharedLayer]:
    """Make the kept weights of each layer share centroids, in place.

    Parameters
    ----------
    model
        A pruned network.
    bits, method, seed
        As for `weight_sharing.starting_centroids`.
    cluster
        Function that is called as `weight_sharing.share_weights` is. By default, that function.

    Returns
    -------
    dict[str, SharedLayer]
        Mapping from layer to ``(kept, labels, centroids)``.
    """
    shared = {}
    for layer, weight in masks.layer_weights(model).items():
        w = weight.cpu().numpy()
        labels, centroids = cluster(w, weight_sharing.starting_centroids(w, bits, method, seed))
        shared[layer] = (w != 0, labels, centroids)
        weight.copy_(torch.from_numpy(weight_sharing.rebuild(*shared[layer])))
    return shared


def tie(model: nn.Module, shared: dict[str, SharedLayer]) -> Callable[[nn.Module], None]:
    """Make the weights of each cluster move together, along the gradient of their centroid.

    Every weight of a cluster gets the gradient of the cluster, and pruned weights get a gradient of
    zero. As the weights of a cluster start from the same value, they stay equal under SGD with
    momentum and weight decay, and pruned weights stay zero.

    Parameters
    ----------
    model
        The network. A hook is registered for the weights of each layer.
    shared
        Mapping from layer to ``(kept, labels, centroids)``, as returned by `share`.

    Returns
    -------
    Callable
        Function to be called with the model after each step. It makes the weights of a cluster
        equal again in case rounding has moved them apart.
    """
    # For each kept weight, its place in the flattened layer, and the place of the first weight of
    # its cluster. With boolean masks instead of indices, a GPU would have to count in every step.
    places: dict[str, tuple[Tensor, Tensor]] = {}
    for layer, (kept, labels, centroids) in shared.items():
        weight = model.get_parameter(f"{layer}.weight")
        where = torch.from_numpy(np.flatnonzero(kept)).to(weight.device)
        numbers = torch.from_numpy(labels.astype(np.int64)).to(weight.device)
        used, first = np.unique(labels, return_index=True)
        firsts = np.zeros(len(centroids), dtype=np.int64)
        firsts[used] = first
        places[layer] = (where, where[torch.from_numpy(firsts).to(weight.device)[numbers]])
        weight.register_hook(_spread(where, numbers, len(centroids)))

    @torch.no_grad()
    def hold(model: nn.Module) -> None:
        for layer, (where, firsts) in places.items():
            flat = model.get_parameter(f"{layer}.weight").view(-1)
            flat.index_copy_(0, where, flat[firsts])

    return hold


def _spread(where: Tensor, labels: Tensor, count: int) -> Callable[[Tensor], Tensor]:
    """Return a hook that gives each weight the gradient of its centroid.

    The hook computes `weight_sharing.centroid_gradient`, but from the indices of the kept weights.
    """

    def hook(gradient: Tensor) -> Tensor:
        flat = gradient.flatten()
        sums = torch.zeros(count, dtype=flat.dtype, device=flat.device)
        sums = sums.index_add(0, labels, flat[where])
        return torch.zeros_like(flat).index_copy(0, where, sums[labels]).view_as(gradient)

    return hook


def distinct_weights(w: Tensor) -> int:
    """Return the number of different values of the kept weights, up to rounding.

    Values that differ by at most 1e-5 of the largest magnitude count as equal, because training on
    a GPU may leave the weights of a cluster that far apart.
    """
    kept = w[w != 0].detach().flatten().double().sort().values.tolist()
    within = 1e-5 * max((abs(value) for value in kept), default=0.0)
    count, start = 0, -np.inf
    for value in kept:
        if value > start + within:
            count, start = count + 1, value
    return count


def sharing_fault(model: nn.Module, bits: int, sparsity: float) -> str | None:
    """Check that a network is pruned and shared as required.

    Parameters
    ----------
    model
        The network to check.
    bits
        Bits of a label: each layer may have up to ``2**bits`` different weights besides zero, and
        some layer must have so many that ``bits - 1`` bits would not do.
    sparsity
        Fraction of the weights of each layer that must be zero, in [0, 1].

    Returns
    -------
    str or None
        A sentence that describes the first fault; None if there is none.
    """
    most = 0
    for layer, w in masks.layer_weights(model).items():
        if (count := distinct_weights(w)) > 2**bits:
            return f"Layer {layer} has {count} different weights, but {bits} bits allow {2**bits}."
        if (w != 0).sum() > w.numel() - int(sparsity * w.numel()):
            return f"In layer {layer}, pruned weights have become non-zero again."
        most = max(most, count)
    if most <= 2 ** (bits - 1):
        return f"No layer has more than {most} different weights, as with {bits - 1} bits."
    return None
