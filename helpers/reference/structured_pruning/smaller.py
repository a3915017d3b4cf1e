"""The network without its pruned filters, and what it costs.

References
----------
Li, Kadav, Durdanovic, Samet, Graf, "Pruning Filters for Efficient ConvNets", ICLR 2017, section 3:
with a filter, the kernels of the next layer that read its channel are removed.
"""

from collections.abc import Sequence

import torch
from torch import nn

from helpers.models import ConvNet

__all__ = ["narrow_convnet", "network_costs", "smaller_network"]

STRIDES = tuple(stride for _, stride in ConvNet.BLOCKS)
IMAGE_CHANNELS, KERNEL = 3, 3 * 3


def narrow_convnet(widths: Sequence[int], num_classes: int = 10) -> ConvNet:
    """Return a ConvNet with other numbers of filters.

    Parameters
    ----------
    widths
        The number of filters of each of its five convolutions.
    num_classes
        Number of scores per image.
    """

    class NarrowConvNet(ConvNet):
        BLOCKS = tuple(zip(widths, STRIDES, strict=True))  # type: ignore[assignment]

    return NarrowConvNet(nn.Conv2d, nn.Linear, num_classes)


@torch.no_grad()
def smaller_network(model: nn.Module) -> ConvNet:
    """Return the dense network that is left when all pruned filters are removed.

    Parameters
    ----------
    model
        A `SparseConvNet`; it is not changed.

    Returns
    -------
    ConvNet
        In evaluation mode, and on the CPU. It has the filters that are kept, their batch norm, and
        of each next layer only the weights for the channels that are kept.
    """
    state = {name: tensor.cpu() for name, tensor in model.state_dict().items()}
    indices = range(len(STRIDES))
    kept = [state[f"features.{i}.0.mask"].flatten(1).amax(dim=1).bool() for i in indices]
    small = narrow_convnet([int(k.sum()) for k in kept], len(state["classifier.bias"]))
    inputs = torch.ones(IMAGE_CHANNELS, dtype=torch.bool)
    new = {"classifier.bias": state["classifier.bias"]}
    for i, outputs in zip(indices, kept, strict=True):
        conv, norm = f"features.{i}.0", f"features.{i}.1"
        weight = state[f"{conv}.weight"] * state[f"{conv}.mask"]
        new[f"{conv}.weight"] = weight[outputs][:, inputs]
        for name in ("weight", "bias", "running_mean", "running_var"):
            new[f"{norm}.{name}"] = state[f"{norm}.{name}"][outputs]
        new[f"{norm}.num_batches_tracked"] = state[f"{norm}.num_batches_tracked"]
        inputs = outputs
    new["classifier.weight"] = state["classifier.weight"][:, inputs]
    small.load_state_dict(new)
    return small.eval()


def network_costs(widths: Sequence[int], size: int) -> tuple[int, int]:
    """Count the weights and the multiply-adds of a ConvNet.

    Parameters
    ----------
    widths
        The number of filters of each of its five convolutions.
    size
        Height and width of an image, in pixels.

    Returns
    -------
    weights
        Number of weights in the convolutions and the classifier.
    multiply_adds
        Number of products that are added up for one image: a weight of a convolution is used once
        at each position of its output, a weight of the classifier once. What the padding multiplies
        by zero counts as well.
    """
    weights = multiply_adds = 0
    channels = IMAGE_CHANNELS
    for width, stride in zip(widths, STRIDES, strict=True):
        size = -(-size // stride)
        weights += channels * width * KERNEL
        multiply_adds += channels * width * KERNEL * size**2
        channels = width
    classifier = channels * 10
    return weights + classifier, multiply_adds + classifier
