"""Convolutions with masks, and the ConvNet that is made of them.

A mask is a buffer: it is saved with the network and is not trained. Its elements are 1 where
something is kept and 0 where it is pruned. It is multiplied with the weights in every forward pass,
so neither momentum nor weight decay can bring back what is pruned.

References
----------
Li, Kadav, Durdanovic, Samet, Graf, "Pruning Filters for Efficient ConvNets", ICLR 2017.
"""

from typing import Any

import torch
from torch import Tensor, nn

from helpers.models import ConvLayer, ConvNet, LinearLayer

__all__ = [
    "SparseBlock",
    "SparseConv2d",
    "SparseConvNet",
    "SparseWeightConv2d",
    "sparse_conv_block",
]


class SparseConv2d(nn.Conv2d):
    """A convolution of which whole filters can be pruned.

    Its arguments are those of ``nn.Conv2d``.

    Attributes
    ----------
    mask
        Float tensor (out_channels, 1, 1, 1): 0 for each filter that is pruned, 1 for the others.
    """

    mask: Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve with the filters that are kept; the channels of the others are zero.

        The bias of a filter belongs to it and is pruned with it.
        """
        bias = None if self.bias is None else self.bias * self.mask.flatten()
        return self._conv_forward(x, self.weight * self.mask, bias)


class SparseWeightConv2d(nn.Conv2d):
    """A convolution of which single weights can be pruned.

    Its arguments are those of ``nn.Conv2d``.

    Attributes
    ----------
    mask
        Float tensor of the shape of the weight: 0 for each weight that is pruned, 1 for the others.
    """

    mask: Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones_like(self.weight))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve with the weights that are kept."""
        return self._conv_forward(x, self.weight * self.mask, self.bias)


class SparseBlock(nn.Sequential):
    """Convolution, batch norm and ReLU; the channel of a filter without any weight is zero.

    Batch norm would otherwise turn the zeros of a pruned filter into the constant
    ``beta - gamma * mean / sqrt(variance + eps)``, where mean and variance are the running ones.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, H / stride, W / stride)."""
        mask: Tensor = self[0].get_buffer("mask")
        kept = mask.flatten(1).amax(dim=1)  # (out,)
        return super().forward(x) * kept.view(-1, 1, 1)


def sparse_conv_block(
    in_channels: int, out_channels: int, stride: int, conv: ConvLayer = SparseConv2d
) -> SparseBlock:
    """Return a block of a 3x3 convolution, batch norm and ReLU.

    Parameters
    ----------
    in_channels, out_channels, stride
        As for ``nn.Conv2d``. The padding is 1, and there is no bias.
    conv
        The class of the convolution, which has a `mask`.
    """
    return SparseBlock(
        conv(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


class SparseConvNet(ConvNet):
    """The ConvNet, with convolutions that can be pruned.

    Before anything is pruned, it computes exactly what ``helpers.models.convnet()`` computes: all
    its masks are 1. It draws the same random weights too, and its parameters have the same names.

    Parameters
    ----------
    conv
        The class of the convolutions, `SparseConv2d` or `SparseWeightConv2d`.
    linear, num_classes
        As for `helpers.models.convnet`.
    """

    def __init__(
        self,
        conv: ConvLayer = SparseConv2d,
        linear: LinearLayer = nn.Linear,
        num_classes: int = 10,
    ) -> None:
        super().__init__(conv, linear, num_classes)
        blocks = [block for block in self.features if isinstance(block, nn.Sequential)]
        self.features = nn.Sequential(*(SparseBlock(*block) for block in blocks))
