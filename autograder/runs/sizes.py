"""The size of a compressed network's weights, counted as in the documents."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from helpers.reference import masks

FLOAT_BITS = 32


def sizes(model: nn.Module, bits: Mapping[str, float]) -> dict[str, float]:
    """Return the sparsity of a network and its size ratio.

    Parameters
    ----------
    model
        The network.
    bits
        The bits for each weight that is not zero, by the name of its layer.

    Returns
    -------
    dict
        ``sparsity`` is the share of zeros among all weights. ``size ratio`` is the number of bits
        of the weights that are not zero, divided by 32 bits for every weight. The positions of the
        weights and the tables of codes do not count; the documents leave them out as well.
    """
    weights = masks.layer_weights(model)
    total = sum(w.numel() for w in weights.values())
    coded = sum(int((w != 0).sum()) * bits[layer] for layer, w in weights.items())
    return {"sparsity": masks.sparsity(weights), "size ratio": coded / (FLOAT_BITS * total)}


def float_sizes(model: nn.Module) -> dict[str, float]:
    """Return the sizes of a network in float32, pruned or not."""
    return sizes(model, dict.fromkeys(masks.layer_weights(model), FLOAT_BITS))
