"""A whole network with shared weights: prune, share, and train the centroids.

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
    """Prune each layer to its smallest magnitudes and measure batch norm anew, in place.

    Nothing is trained and nothing is drawn: everybody gets the same network.

    Parameters
    ----------
    model : Module
    dataset : Dataset
        Gives images (without labels) for the statistics of batch norm.
    sparsity : float
        Of each convolution and linear layer, 0 to 1.

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
    """Let the kept weights of each layer share centroids, in place.

    Parameters
    ----------
    model : Module
        A pruned network.
    bits, method, seed
        As `weight_sharing.starting_centroids` takes them.
    cluster : callable
        Called like `weight_sharing.share_weights`.

    Returns
    -------
    dict from layer to (kept, codes, centroids)
    """
    shared = {}
    for layer, weight in masks.layer_weights(model).items():
        w = weight.cpu().numpy()
        codes, centroids = cluster(w, weight_sharing.starting_centroids(w, bits, method, seed))
        shared[layer] = (w != 0, codes, centroids)
        weight.copy_(torch.from_numpy(weight_sharing.rebuild(*shared[layer])))
    return shared


def tie(model: nn.Module, shared: dict[str, SharedLayer]) -> Callable[[nn.Module], None]:
    """Let each cluster of weights move as one, along the gradient of its centroid.

    Every weight of a cluster gets the cluster's gradient; pruned weights get none. As the weights
    of a cluster begin with the same value, SGD with momentum and weight decay leaves them together,
    and zeros zero.

    Parameters
    ----------
    model : Module
        Gets a hook on the weights of each layer.
    shared : dict from layer to (kept, codes, centroids)
        As from `share`.

    Returns
    -------
    callable
        To be called with the model after each step: it takes away what rounding may have moved
        weights of a cluster apart.
    """
    # Where each cluster's weights lie in the flat layer, and beside each of them the first of its
    # cluster. Indices are found once: a boolean mask would make a GPU count in every step.
    places: dict[str, tuple[Tensor, Tensor]] = {}
    for layer, (kept, codes, centroids) in shared.items():
        weight = model.get_parameter(f"{layer}.weight")
        where = torch.from_numpy(np.flatnonzero(kept)).to(weight.device)
        numbers = torch.from_numpy(codes.astype(np.int64)).to(weight.device)
        used, first = np.unique(codes, return_index=True)
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


def _spread(where: Tensor, codes: Tensor, count: int) -> Callable[[Tensor], Tensor]:
    """Return a hook that gives each weight its centroid's gradient.

    It is `weight_sharing.centroid_gradient` with the places of the kept weights as indices.
    """

    def hook(gradient: Tensor) -> Tensor:
        flat = gradient.flatten()
        sums = torch.zeros(count, dtype=flat.dtype, device=flat.device)
        sums = sums.index_add(0, codes, flat[where])
        return torch.zeros_like(flat).index_copy(0, where, sums[codes]).view_as(gradient)

    return hook


def distinct_weights(w: Tensor) -> int:
    """Return how many different values the kept weights take, up to rounding.

    Values that differ by less than 1e-5 of the largest magnitude count as one: a GPU may leave the
    weights of a cluster that far apart.
    """
    kept = w[w != 0].detach().flatten().double().sort().values.tolist()
    within = 1e-5 * max((abs(value) for value in kept), default=0.0)
    count, start = 0, -np.inf
    for value in kept:
        if value > start + within:
            count, start = count + 1, value
    return count


def sharing_fault(model: nn.Module, bits: int, sparsity: float) -> str | None:
    """Say what keeps a network from being pruned and shared as asked.

    Parameters
    ----------
    model : Module
    bits : int
        Each layer may have up to ``2**bits`` different weights besides zero.
    sparsity : float
        The fraction of the weights of each layer that is zero, 0 to 1.

    Returns
    -------
    str or None
        None if nothing does.
    """
    for layer, w in masks.layer_weights(model).items():
        if (count := distinct_weights(w)) > 2**bits:
            return f"Layer {layer} has {count} different weights; {bits} bits allow {2**bits}."
        if (w != 0).sum() > w.numel() - int(sparsity * w.numel()):
            return f"In layer {layer} pruned weights have come back."
    return None
