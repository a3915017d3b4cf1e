"""Pruning masks: which weights of a network are kept.

A mask is a boolean tensor of the same shape as its weights, true where a weight is kept. The masks
of a network are a dictionary from the name of a convolution or linear layer, such as
``"stage2.1.conv1"``, to the mask of its weights.

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
    """Return the weights of the convolutions and linear layers, by the name of the layer.

    The tensors share the memory of the model and have no gradients.
    """
    return {name: model.get_parameter(f"{name}.weight").detach() for name in layer_sizes(model)}


def magnitude_mask(w: Tensor, sparsity: float) -> Tensor:
    """Return a mask that prunes the weights of smallest magnitude.

    Parameters
    ----------
    w
        The weights, of any shape.
    sparsity
        Fraction of the weights to prune, in [0, 1].

    Returns
    -------
    Tensor
        Boolean, of the same shape as `w`: false for exactly ``round(sparsity * n)`` of the ``n``
        weights. Among equal magnitudes, which a threshold could not separate, those that come first
        in memory order are pruned first.

    Raises
    ------
    ValueError
        If `sparsity` is not in [0, 1].
    """
    return global_masks({"w": w}, sparsity)["w"]


def global_masks(weights: Mapping[str, Tensor], sparsity: float) -> dict[str, Tensor]:
    """Return masks that prune the weights of smallest magnitude in the whole network.

    The weights of all layers are ranked together, so that a layer with smaller weights loses more
    of them than the others.

    Parameters
    ----------
    weights
        Mapping from layer to weights, as returned by `layer_weights`.
    sparsity
        Fraction of all weights together to prune, in [0, 1].

    Returns
    -------
    dict[str, Tensor]
        Mapping from layer to boolean mask: the parts of the mask that `magnitude_mask` would return
        for the concatenation of all weights.

    Raises
    ------
    ValueError
        If `sparsity` is not in [0, 1].
    """
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity must be a fraction from 0 to 1, not {sparsity}.")
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

    Call this function after every optimiser step. Masking the gradients alone is not enough,
    because a pruned weight would still be moved by its momentum.

    Parameters
    ----------
    model
        The network. Layers without a mask are not changed.
    masks
        Mapping from layer to boolean mask, as returned by `global_masks`.

    Raises
    ------
    ValueError
        If the model has no convolution or linear layer with the name of a mask.
    """
    weights = layer_weights(model)
    for name, mask in masks.items():
        if name not in weights:
            raise ValueError(f"The model has no convolution or linear layer {name!r} to mask.")
        # A product with the mask would keep weights that are nan, and produce -0.0.
        weights[name].masked_fill_(~mask.to(weights[name].device), 0.0)


def sparsity(weights: Mapping[str, Tensor]) -> float:
    """Return the fraction of zeros among all weights, or of false elements among all masks."""
    total = sum(w.numel() for w in weights.values())
    return sum(int((w == 0).sum()) for w in weights.values()) / total
