"""The depthwise separable convolution, computed without grouped convolutions.

References
----------
Sifre and Mallat, "Rigid-Motion Scattering for Texture Classification", arXiv:1403.1687, 2014.

Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
arXiv:1704.04861, 2017, section 3.1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.reference.depthwise_conv.library import LibrarySeparableConvolution

__all__ = ["DepthwiseSeparableConvolution", "dense_kernel", "depthwise_conv2d", "dw_conv_block"]


def depthwise_conv2d(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """Convolve every channel with a kernel of its own.

    ``y[b, c, u, v] = sum_ij weight[c, 0, i, j] * padded[b, c, stride*u + i, stride*v + j]``

    Like every convolution layer, it does not flip the kernel. The sum runs over the few positions
    in the kernel; for each of them, the weight of a channel multiplies all pixels that it meets.

    Parameters
    ----------
    x
        Images of shape (B, C, H, W).
    weight
        Kernels of shape (C, 1, k, k).
    stride
        Distance in pixels between neighbouring positions of the kernel.
    padding
        Number of zeros that are added on each of the four sides.

    Returns
    -------
    Tensor
        Of shape (B, C, H', W') with ``H' = (H + 2*padding - k) // stride + 1``, and `W'` likewise.
    """
    k = weight.shape[-1]
    padded = F.pad(x, (padding, padding, padding, padding))
    height = (padded.shape[2] - k) // stride + 1
    width = (padded.shape[3] - k) // stride + 1
    y = x.new_zeros(x.shape[0], x.shape[1], height, width)
    for i in range(k):
        for j in range(k):
            rows = slice(i, i + stride * (height - 1) + 1, stride)
            columns = slice(j, j + stride * (width - 1) + 1, stride)
            y = y + weight[:, 0, i, j].view(-1, 1, 1) * padded[:, :, rows, columns]
    return y


class DepthwiseSeparableConvolution(LibrarySeparableConvolution):
    """A depthwise separable convolution: each channel by itself, then a mixture of the channels.

    Its parameters have the names and shapes of `LibrarySeparableConvolution`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` of shape (images, in_channels, height, width)."""
        y = depthwise_conv2d(x, self.depthwise, self.stride, self.padding)
        y = torch.einsum("nc,bchw->bnhw", self.pointwise[:, :, 0, 0], y)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1)


def dense_kernel(depthwise: Tensor, pointwise: Tensor) -> Tensor:
    """Return the kernel of the ordinary convolution that does the same.

    ``dense[n, c, i, j] = pointwise[n, c, 0, 0] * depthwise[c, 0, i, j]``

    Parameters
    ----------
    depthwise
        Kernels of shape (C, 1, k, k).
    pointwise
        Weights of shape (N, C, 1, 1).

    Returns
    -------
    Tensor
        Of shape (N, C, k, k).
    """
    return pointwise * depthwise.squeeze(1)


def dw_conv_block(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """Return a depthwise separable 3x3 convolution, batch norm and ReLU, in this order.

    The convolution has a padding of 1 and no bias, since batch norm would subtract it again.
    """
    convolution = DepthwiseSeparableConvolution(in_channels, out_channels, 3, stride, 1, False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU())
