"""Linear quantization of weights during training, with a straight-through estimator.

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

MAX_BITS = 24  # the precision of float32: a finer grid would not change the weights


def quantize_linear(w: Tensor, bits: int | None) -> Tensor:
    """Round the weights to ``2^bits`` equally spaced levels from their minimum to their maximum.

    With the dynamic scaling ``alpha = max(w) - min(w)`` and ``beta = min(w)``,

    ``w_q = alpha * round((2^bits - 1) * (w - beta) / alpha) / (2^bits - 1) + beta``

    Parameters
    ----------
    w
        The weights, of any shape. They are not changed.
    bits
        Bits per weight, 0 to 24. With 0 bits, which hold no information, every weight becomes 0.
        None means full precision: the weights are returned unchanged.

    Returns
    -------
    Tensor
        The rounded weights, of the same shape, type and device as `w`. Ties are rounded to the even
        level (`torch.round`). Weights that are all equal are returned unchanged, because one level
        is enough for them.

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

    No number is read back from a GPU, because the program would then wait for it in every layer.
    """
    beta = lowest
    alpha = highest - beta
    # If all weights are equal, they are at level 0, whatever the divisor is.
    divisor = alpha.masked_fill(alpha == 0, 1.0)
    steps = 2**bits - 1
    levels = torch.round(steps * (w - beta) / divisor)
    return alpha * (levels / steps) + beta


def quantize_nonzero(w: Tensor, bits: int | None) -> Tensor:
    """Quantize the non-zero weights as `quantize_linear` does, and keep zeros at zero.

    This is for pruned networks. The pruned weights do not count for the range of the levels and
    stay exactly zero; a linear grid from the minimum to the maximum rarely has a level at zero. (A
    kept weight may be rounded to a level that is zero.)

    Parameters
    ----------
    w
        The weights, of any shape. Weights equal to 0 count as pruned.
    bits
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
    """`quantize_linear` with a straight-through gradient, used as ``STE.apply(w, bits)``.

    The derivative of rounding is 0 almost everywhere, so that nothing would be learnt. The
    straight-through estimator replaces this derivative by 1: the gradient with respect to the
    quantized weights is passed on unchanged to the float weights that the optimiser updates.
    """

    @staticmethod
    def forward(ctx: Any, w: Tensor, bits: int | None) -> Tensor:
        """Quantize the weights; `backward` needs no saved values."""
        return quantize_linear(w, bits)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Pass the gradient on to `w` unchanged; `bits` has no gradient."""
        return gradient, None


class NonzeroSTE(STE):
    """`quantize_nonzero` with a straight-through gradient, used as ``NonzeroSTE.apply(w, bits)``.

    The gradient reaches the zeros as well, so the pruned weights must be masked after every step.
    """

    @staticmethod
    def forward(ctx: Any, w: Tensor, bits: int | None) -> Tensor:
        """Quantize the non-zero weights."""
        return quantize_nonzero(w, bits)


class QuantConv2d(nn.Conv2d):
    """A convolution that computes with quantized weights but trains float weights.

    Parameters
    ----------
    *args, **kwargs
        As for `torch.nn.Conv2d`. The state dictionary also has the same keys, so that a trained
        float network can be loaded.
    bits
        Bits per weight, as for `quantize_linear`. By default, full precision. The bias stays float.
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
    """A `QuantConv2d` that keeps pruned weights, which are those equal to 0, at zero."""

    def quantized_weight(self) -> Tensor:
        """Return the weights that the convolution computes with."""
        return NonzeroSTE.apply(self.weight, self.bits)
