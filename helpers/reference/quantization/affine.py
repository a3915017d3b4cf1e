"""Affine quantization of an array: ``w ≈ codes * scale + minimum``.

References
----------
Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018, section 2.1. Their ``r = S (q - Z)`` is the same line through the levels;
here the offset is the real number ``minimum = -S Z``, so that the smallest weight is a level.

Gupta et al., "Deep Learning with Limited Numerical Precision", ICML 2015, section 3.1
(stochastic rounding).
"""

import operator
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FLOAT_BYTES = np.dtype(np.float32).itemsize
MAX_BITS = 8  # a code is one byte


def quantize(w: NDArray[np.floating], bits: int = 8) -> tuple[NDArray[np.uint8], float, float]:
    """Put the weights on ``2^bits`` equally spaced levels from their minimum to their maximum.

    Parameters
    ----------
    w : float array of any shape
        The weights.
    bits : int
        Bits per code, 1 to 8.

    Returns
    -------
    codes : uint8 array of the shape of ``w``
        The number of the nearest level, 0 to ``2^bits - 1``. A weight exactly half-way between two
        levels goes to the even one (as `numpy.round`, `torch.round` and Python's `round` do).
    scale : float
        The step between two levels, ``(max - min) / (2^bits - 1)``. It is 0 if all weights are
        equal: one level is enough then, and all codes are 0.
    minimum : float
        The smallest weight, which is level 0.

    Raises
    ------
    ValueError
        If there is no weight, a weight is not finite, or `bits` is not in 1 to 8.

    Notes
    -----
    The arithmetic is in double precision: the range of float32 weights can be wider than the
    largest float32, and a step can be narrower than the smallest. The codes of float32 weights are
    the exact ones unless a weight lies within 1e-13 steps of a tie.
    """
    position, scale, minimum = _positions(w, bits)
    return np.asarray(np.round(position), dtype=np.uint8), scale, minimum


def dequantize(codes: NDArray[np.uint8], scale: float, minimum: float) -> NDArray[np.float32]:
    """Turn codes back into weights, ``codes * scale + minimum``, as float32.

    After `quantize`, no weight is further than ``scale / 2`` from where it was, up to the rounding
    of the result to float32.
    """
    weights = np.asarray(codes).astype(np.float64) * scale + minimum
    return np.asarray(weights, dtype=np.float32)


def memory_ratio(w: NDArray[np.floating]) -> float:
    """Return how many times smaller the 8-bit codes are than float32 weights, overhead included.

    ``n`` weights take ``4n`` bytes as float32; their codes take ``n`` bytes, and the scale and the
    minimum are two float32 numbers more: ``4n / (n + 8)``. Always below 4, and below 1 for fewer
    than three weights.
    """
    codes, _, _ = quantize(w, bits=8)
    return codes.size * FLOAT_BYTES / (codes.nbytes + 2 * FLOAT_BYTES)


def quantize_parameters(parameters: Mapping[str, Tensor], bits: int) -> dict[str, Tensor]:
    """Quantize and dequantize every parameter of a model, each with its own scale and minimum.

    Parameters
    ----------
    parameters : mapping from name to tensor
        For example ``dict(model.named_parameters())``. Nothing in it is changed.
    bits : int
        Bits per code, 1 to 8.

    Returns
    -------
    dict from name to float32 tensor
        On the devices and in the shapes of the parameters, without gradients.
    """
    quantized = {}
    for name, parameter in parameters.items():
        codes, scale, minimum = quantize(parameter.detach().cpu().numpy(), bits)
        weights = dequantize(codes, scale, minimum)
        quantized[name] = torch.from_numpy(weights).to(parameter.device)
    return quantized


def quantize_stochastic(
    w: NDArray[np.floating], bits: int, seed: int
) -> tuple[NDArray[np.uint8], float, float]:
    """Quantize like `quantize`, but round up or down at random, so that no weight moves on average.

    A weight that lies a fraction ``f`` of a step above a level goes up with probability ``f`` and
    down with probability ``1 - f`` (Gupta et al. 2015): the expected code is the weight's exact
    position. A weight on a level stays there.

    Parameters
    ----------
    w, bits
        As for `quantize`.
    seed : int
        Seed of the random numbers; the same seed gives the same codes.

    Returns
    -------
    codes, scale, minimum
        As from `quantize`; a weight is now up to one whole ``scale`` from where it was.
    """
    position, scale, minimum = _positions(w, bits)
    below = np.floor(position)
    up = np.random.default_rng(seed).random(position.shape) < position - below
    return np.asarray(below + up, dtype=np.uint8), scale, minimum


def _positions(w: NDArray[np.floating], bits: int) -> tuple[NDArray[np.float64], float, float]:
    """Return each weight's distance from the minimum in steps, the step, and the minimum."""
    top = 2 ** _checked_bits(bits) - 1
    weights = np.asarray(w, dtype=np.float64)
    if weights.size == 0:
        raise ValueError("There is no weight to quantize: the array is empty.")
    if not np.isfinite(weights).all():
        raise ValueError("Only finite weights can be quantized: the array holds inf or nan.")
    minimum = float(weights.min())
    scale = (float(weights.max()) - minimum) / top
    if scale == 0:
        return np.zeros_like(weights), 0.0, minimum
    # Rounding in the division can put the largest weight a hair above the last level, where
    # stochastic rounding would go up once in a while, to a code that does not exist.
    return np.minimum((weights - minimum) / scale, top), scale, minimum


def _checked_bits(bits: int) -> int:
    try:
        number = operator.index(bits)
    except TypeError:
        number = 0
    if not 1 <= number <= MAX_BITS:
        raise ValueError(
            f"bits must be a whole number from 1 to {MAX_BITS}, not {bits!r}: a code is one byte."
        )
    return number
