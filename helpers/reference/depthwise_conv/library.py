"""The depthwise separable convolution as a library computes it, with grouped convolutions.

References
----------
Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
arXiv:1704.04861, 2017, section 3.1.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["LibrarySeparableConvolution"]


class LibrarySeparableConvolution(nn.Module):
    """A depthwise separable convolution, made of the convolutions of PyTorch.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, bias
        As for ``nn.Conv2d``, with whole numbers for the kernel, the stride and the padding. The
        stride and the padding belong to the depthwise step, the bias to the pointwise step.

    Attributes
    ----------
    depthwise
        One kernel for each input channel, of shape (in_channels, 1, kernel_size, kernel_size).
    pointwise
        The weights that mix the channels, of shape (out_channels, in_channels, 1, 1).
    bias
        One number for each output channel, or None.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.padding = padding
        self.depthwise = nn.Parameter(torch.empty(in_channels, 1, kernel_size, kernel_size))
        self.pointwise = nn.Parameter(torch.empty(out_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        # N(0, 2 / fan_out), as in the other networks of the course (He et al., 2015).
        nn.init.normal_(self.depthwise, 0.0, math.sqrt(2.0) / kernel_size)
        nn.init.normal_(self.pointwise, 0.0, math.sqrt(2.0 / out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` of shape (images, in_channels, height, width)."""
        channels = self.depthwise.shape[0]
        y = F.conv2d(
            x, self.depthwise, stride=self.stride, padding=self.padding, groups=channels
        )  # (images, in_channels, height', width')
        return F.conv2d(y, self.pointwise, self.bias)  # (images, out_channels, height', width')

    def extra_repr(self) -> str:  # noqa: D102
        (channels, _, size, _), out = self.depthwise.shape, self.pointwise.shape[0]
        return (
            f"{channels}, {out}, kernel_size={size}, stride={self.stride}, "
            f"padding={self.padding}, bias={self.bias is not None}"
        )
