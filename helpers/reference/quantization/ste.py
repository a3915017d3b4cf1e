"""Linear quantization of weights in training, with a straight-through estimator.

References
----------
Zhou et al., "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low Bitwidth
Gradients", arXiv:1606.06160, 2016, section 2.2: ``quantize_k``, a linear quantizer of [0, 1] with
``2^k - 1`` steps.

Bengio, Léonard and Courville, "Estimating or Propagating Gradients Through Stochastic Neurons for
Conditional Computation", arXiv:1308.3432, 2013, section 4: the straight-through estimator.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

MAX_BITS = 24  # the precision of float32; a finer grid cannot be told from the weights themselves


def quantize_linear(w: Tensor, bits: int | None) -> Tensor:
    """Put the weights on ``2^bits`` equally spaced levels from their minimum to their maximum.

    With the dynamic scaling ``alpha = max(w) - min(w)`` and ``beta = min(w)``,

    ``w_q = alpha * round((2^bits - 1) * (w - beta) / alpha) / (2^bits - 1) + beta``

    Parameters
    ----------
    w : float tensor of any shape
        The weights; left as they are.
    bits : int or None
        ``None`` is full precision: the weights come back unchanged. 0 bits hold no information:
        every weight becomes 0. Otherwise 1 to 24.

    Returns
    -------
    tensor of the shape, type and device of `w`
        Ties go to the even level (`torch.round`). Weights that are all equal come back unchanged:
        one level holds them.

    Raises
    ------
    ValueError
        If `bits` is negative or above 24.
    """
    _check(bits)
    if bits is None:
        return w
    if bits == 0 or w.numel() == 0:
        return torch.zeros_like(w)
    return _on_grid(w, w.min(), w.max(), bits)


def _check(bits: int | None) -> None:
    if bits is not None and not 0 <= bits <= MAX_BITS:
        raise ValueError(
            f"bits must be from 0 to {MAX_BITS}, or None for full precision, not {bits}."
        )


def _on_grid(w: Tensor, lowest: Tensor, highest: Tensor, bits: int) -> Tensor:
    """Round to ``2^bits`` levels from `lowest` to `highest`, which are tensors without dimensions.

    No number is read back from a GPU, which would make the program wait for it in every layer.
    """
    beta = lowest
    alpha = highest - beta
    # Weights that are all equal are at level 0, whatever they are divided by.
    divisor = alpha.masked_fill(alpha == 0, 1.0)
    steps = 2**bits - 1
    levels = torch.round(steps * (w - beta) / divisor)
    return alpha * (levels / steps) + beta


def quantize_nonzero(w: Tensor, bits: int | None) -> Tensor:
    """Quantize the non-zero weights as `quantize_linear` does, and leave the zeros zero.

    For a pruned network: the pruned weights take no part in the range and stay exactly zero, since
    a linear grid from the minimum to the maximum rarely has a level at zero. (A kept weight may
    land on a level that is zero.)

    Parameters
    ----------
    w : float tensor of any shape
        The weights; those equal to 0 count as pruned.
    bits : int or None
        As for `quantize_linear`.
    """
    _check(bits)
    if bits is None:
        return w.clone()
    if bits == 0 or w.numel() == 0:
        return torch.zeros_like(w)
    pruned = w == 0
    lowest = w.masked_fill(pruned, math.inf).min()
    highest = w.masked_fill(pruned, -math.inf).max()
    return _on_grid(w, lowest, highest, bits).masked_fill(pruned, 0.0)


class STE(torch.autograd.Function):
    """`quantize_linear` that lets gradients through: ``STE.apply(w, bits)``.

    Rounding has the derivative 0 almost everywhere, and so nothing would be learnt. The
    straight-through estimator replaces the derivative by 1: the gradient of the quantized weights
    is passed on, as it is, to the float weights that the optimiser keeps.
    """

    @staticmethod
    def forward(ctx: Any, w: Tensor, bits: int | None) -> Tensor:
        """Quantize; nothing has to be kept for `backward`."""
        return quantize_linear(w, bits)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Pass the gradient straight on to `w`; `bits` has none."""
        return gradient, None


class NonzeroSTE(STE):
    """`quantize_nonzero` with a straight-through gradient: ``NonzeroSTE.apply(w, bits)``.

    The gradient reaches the zeros as well: whoever prunes masks the weights after every step.
    """

    @staticmethod
    def forward(ctx: Any, w: Tensor, bits: int | None) -> Tensor:
        """Quantize the non-zero weights."""
        return quantize_nonzero(w, bits)


class QuantConv2d(nn.Conv2d):
    """A convolution that computes with quantized weights and learns float weights.

    Parameters
    ----------
    *args, **kwargs
        As for `torch.nn.Conv2d`. The state dictionary has the same keys too, so that a trained
        float network can be loaded.
    bits : int or None
        Bits per weight, as for `quantize_linear`. The bias stays float.
    """

    def __init__(self, *args: Any, bits: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bits = bits

    def quantized_weight(self) -> Tensor:
        """Return the weights that the convolution computes with."""
        return STE.apply(self.weight, self.bits)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`, (N, C, H, W), with the quantized weights."""
        return self._conv_forward(x, self.quantized_weight(), self.bias)


class SparseQuantConv2d(QuantConv2d):
    """A `QuantConv2d` that leaves pruned weights, those equal to 0, at zero."""

    def quantized_weight(self) -> Tensor:
        """Return the weights that the convolution computes with."""
        return NonzeroSTE.apply(self.weight, self.bits)
