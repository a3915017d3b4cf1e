r"""Layers with a low-rank update (LoRA): linear and convolutional.

A layer with weight :math:`W_0` computes with

.. math:: W = W_0 + \frac{\alpha}{r} B A ,

where only :math:`A` (r, in) and :math:`B` (out, r) are trained. :math:`B` is zero at the start, so
the layer first computes what it did before.

References
----------
Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen, "LoRA: Low-Rank Adaptation of Large Language
Models", ICLR 2022 (arXiv:2106.09685, 2021), section 4.1.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _LoRA(nn.Module):
    """What both layers have in common: two factors, a scale, and merging."""

    base: nn.Linear | nn.Conv2d

    def __init__(self, base: nn.Linear | nn.Conv2d, r: int, alpha: float) -> None:
        super().__init__()
        self.base = base
        self.base.requires_grad_(False)
        out, *rest = base.weight.shape
        self.scale = alpha / r
        self.merged = False
        self.A = nn.Parameter(base.weight.new_empty(r, *rest))
        self.B = nn.Parameter(base.weight.new_zeros(out, r))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))  # as the layers of PyTorch begin

    def update(self) -> Tensor:
        """Return the update of the weight, in its shape."""
        product = self.B @ self.A.flatten(1)
        return self.scale * product.view_as(self.base.weight)


class LoRALinear(_LoRA):
    """A linear layer with a low-rank update.

    Parameters
    ----------
    base
        The linear layer. Its weight and bias are frozen, and kept as ``base``.
    r
        Rank of the update.
    alpha
        The update is multiplied by ``alpha / r``.
    """

    def __init__(self, base: nn.Linear, r: int, alpha: float) -> None:
        super().__init__(base, r, alpha)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        # x: (..., in)
        out: Tensor = self.base(x)  # (..., out)
        if self.merged:
            return out
        return out + self.scale * (x @ self.A.T) @ self.B.T


class LoRAConv2d(_LoRA):
    """A convolution with a low-rank update of its weight.

    The weight (out, in, k, k) is read as a matrix with a row for each output channel. ``A`` has the
    shape (r, in, k, k), and ``B`` (out, r). The layer adds the update to the weight and convolves
    once, because on images this costs much less than a second convolution.

    Parameters
    ----------
    base
        The convolution, with one group and padding by zeros. Its weight and bias are frozen.
    r, alpha
        As for `LoRALinear`.
    """

    base: nn.Conv2d

    def __init__(self, base: nn.Conv2d, r: int, alpha: float) -> None:
        super().__init__(base, r, alpha)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        # x: (N, in, H, W)
        base = self.base
        weight = base.weight if self.merged else base.weight + self.update()
        return F.conv2d(x, weight, base.bias, base.stride, base.padding, base.dilation)


def add_to_convolutions(module: nn.Module, r: int, alpha: float) -> None:
    """Replace every convolution inside a module by a `LoRAConv2d` around it, in place."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d):
            setattr(module, name, LoRAConv2d(child, r, alpha))
        else:
            add_to_convolutions(child, r, alpha)


# ------------------------------------------------------------------------------------------------
# Merge


def merge(layer: LoRALinear | LoRAConv2d) -> None:
    """Add the update to the weight, after which the layer costs no more than its base.

    Raises
    ------
    RuntimeError
        If the update is merged already.
    """
    if layer.merged:
        raise RuntimeError("the update is merged already")
    with torch.no_grad():
        layer.base.weight += layer.update()
    layer.merged = True


def unmerge(layer: LoRALinear | LoRAConv2d) -> None:
    """Take the update out of the weight again.

    Raises
    ------
    RuntimeError
        If the update is not merged.
    """
    if not layer.merged:
        raise RuntimeError("the update is not merged")
    with torch.no_grad():
        layer.base.weight -= layer.update()
    layer.merged = False


# ------------------------------------------------------------------------------------------------
# Count


def useful_rank(out: int, into: int) -> int:
    """Return the largest rank with which fewer parameters are trained than the weight has.

    The factors have ``r (out + into)`` parameters, the weight ``out * into``.
    """
    return (out * into - 1) // (out + into)
