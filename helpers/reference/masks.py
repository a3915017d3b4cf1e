"""Pruning masks: which weights of a network are kept.

A mask is a boolean tensor of the shape of its weights, true where a weight is kept. Masks of a
network are a dictionary from the name of a convolution or linear layer (``"stage2.1.conv1"``) to
the mask of its weights.

References
----------
Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NIPS 2015:
prune the weights of smallest magnitude, then train the rest.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from helpers.models import layer_sizes


def layer_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the weights of the convolutions and linear layers by the name of the layer.

    The tensors share the model's memory and carry no gradients.
    """
    return {name: model.get_parameter(f"{name}.weight").detach() for name in layer_sizes(model)}


def magnitude_mask(w: Tensor, sparsity: float) -> Tensor:
    """Mask the weights of smallest magnitude.

    Parameters
    ----------
    w : tensor of any shape
        The weights.
    sparsity : float
        The fraction to prune, 0 to 1.

    Returns
    -------
    bool tensor of the shape of `w`
        False for exactly ``round(sparsity * n)`` of the ``n`` weights. Among equal magnitudes the
        first in memory order goes first: a threshold could not split them.

    Raises
    ------
    ValueError
        If `sparsity` is not in [0, 1].
    """
    return global_masks({"w": w}, sparsity)["w"]


def global_masks(weights: Mapping[str, Tensor], sparsity: float) -> dict[str, Tensor]:
    """Mask the weights of smallest magnitude in the whole network.

    One ranking over all layers: a layer of small weights loses more of them than the others.

    Parameters
    ----------
    weights : mapping from layer to tensor
        As from `layer_weights`.
    sparsity : float
        The fraction of all weights together to prune, 0 to 1.

    Returns
    -------
    dict from layer to bool tensor
        As `magnitude_mask` would mask the concatenation of all weights.
    """
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity is a fraction from 0 to 1, not {sparsity}.")
    magnitudes = torch.cat([w.detach().abs().flatten() for w in weights.values()])
    order = torch.argsort(magnitudes, stable=True)
    kept = torch.ones_like(magnitudes, dtype=torch.bool)
    kept[order[: round(sparsity * len(magnitudes))]] = False
    parts = kept.split([w.numel() for w in weights.values()])
    return {
        name: part.view(w.shape) for (name, w), part in zip(weights.items(), parts, strict=True)
    }


@torch.no_grad()
def apply_masks(model: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Set the pruned weights of a model to zero, in place.

    Call it after every optimiser step. Masking the gradients alone is not enough: the momentum of
    a pruned weight goes on moving it.

    Parameters
    ----------
    model : Module
        The network; layers without a mask are left alone.
    masks : mapping from layer to bool tensor
        As from `global_masks`.

    Raises
    ------
    ValueError
        If the model has no convolution or linear layer of that name.
    """
    weights = layer_weights(model)
    for name, mask in masks.items():
        if name not in weights:
            raise ValueError(f"The model has no convolution or linear layer {name!r} to mask.")
        # Not a product with the mask: that would keep a weight that is nan, and make -0.0.
        weights[name].masked_fill_(~mask.to(weights[name].device), 0.0)


def sparsity(weights: Mapping[str, Tensor]) -> float:
    """Return the fraction of zeros among all weights (or of false among all masks)."""
    total = sum(w.numel() for w in weights.values())
    return sum(int((w == 0).sum()) for w in weights.values()) / total
