"""Bits of each layer of a ResNet-20, and the average number of bits per weight.

Only the weights of convolutions and linear layers count. The first convolution (``stem``) and the
``classifier`` stay in float, as is usual since DoReFa-Net (Zhou et al., arXiv:1606.06160, 2016).
"""

from collections.abc import Mapping, Sequence

FLOAT_BITS = 32


def layer_bits(layer: str, stage_bits: Sequence[int]) -> int:
    """Return the bits per weight of a layer.

    Parameters
    ----------
    layer
        Name of the layer in the network, such as ``"stem"``, ``"stage2.1.conv1"`` or
        ``"classifier"``.
    stage_bits
        Bits per weight of the first, second and third stage.

    Returns
    -------
    int
        The bits of the layer's stage, or 32 for a layer outside the stages.

    Raises
    ------
    ValueError
        If `stage_bits` does not hold three numbers, or the layer is in a stage that does not exist.
    """
    if len(stage_bits) != 3:
        raise ValueError(f"stage_bits must be three numbers, one per stage, not {len(stage_bits)}.")
    bits = dict(zip(("stage1", "stage2", "stage3"), stage_bits, strict=True))
    part = layer.partition(".")[0]
    if part.startswith("stage") and part not in bits:
        raise ValueError(f"There are three stages, stage1 to stage3; {layer!r} is in none of them.")
    return bits.get(part, FLOAT_BITS)


def average_precision(sizes: Mapping[str, int], bits: Mapping[str, int]) -> float:
    """Return the average number of bits per weight of a network.

    Parameters
    ----------
    sizes
        Mapping from layer to number of weights, as returned by `helpers.models.layer_sizes`.
    bits
        Mapping from the same layers to bits per weight.

    Returns
    -------
    float
        The bits of all weights together, divided by the number of weights.

    Raises
    ------
    ValueError
        If the two mappings do not have the same layers, or there are no weights.
    """
    if sizes.keys() != bits.keys():
        odd = ", ".join(sorted(sizes.keys() ^ bits.keys()))
        raise ValueError(f"sizes and bits must have the same layers; only one of them has {odd}.")
    weights = sum(sizes.values())
    if weights == 0:
        raise ValueError("A network without weights has no average precision.")
    return sum(size * bits[layer] for layer, size in sizes.items()) / weights
