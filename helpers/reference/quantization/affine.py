"""Affine quantization of an array: ``w ≈ codes * scale + minimum``.

References
----------
Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018, section 2.1. Their ``r = S (q - Z)`` is the same affine map, but here the
offset is the real number ``minimum = -S Z``, so that the smallest weight is a level.

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
    """Round the weights to ``2^bits`` equally spaced levels from their minimum to their maximum.

    Parameters
    ----------
    w
        The weights, in an array of any shape.
    bits
        Bits per code, 1 to 8.

    Returns
    -------
    codes
        Numbers of the nearest levels, 0 to ``2^bits - 1``, in the shape of `w`. A weight exactly
        half-way between two levels gets the even number (as with `numpy.round`, `torch.round` and
        Python's `round`).
    scale
        The step between two levels, ``(max - min) / (2^bits - 1)``. If all weights are equal, it is
        0 and all codes are 0, because one level is enough.
    minimum
        The smallest weight, which is level 0.

    Raises
    ------
    ValueError
        If there are no weights, a weight is not finite, or `bits` is not an integer from 1 to 8.

    Notes
    -----
    The arithmetic is in double precision, because the range of float32 weights can exceed the
    largest float32 number, and a step can be smaller than the smallest. The codes of float32
    weights are exact unless a weight lies within 1e-13 steps of a tie.
    """
    position, scale, minimum = _positions(w, bits)
    return np.asarray(np.round(position), dtype=np.uint8), scale, minimum


def dequantize(codes: NDArray[np.uint8], scale: float, minimum: float) -> NDArray[np.float32]:
    """Convert codes back to float32 weights, ``codes * scale + minimum``.

    After `quantize`, every weight is within ``scale / 2`` of its original value, up to the rounding
    of the result to float32.
    """
    weights = np.asarray(codes).astype(np.float64) * scale + minimum
    return np.asarray(weights, dtype=np.float32)


def memory_ratio(w: NDArray[np.floating]) -> float:
    """Return how many times smaller 8-bit codes are than float32 weights, including overhead.

    As float32, ``n`` weights take ``4n`` bytes. Their codes take ``n`` bytes, and the scale and the
    minimum 4 bytes each, so that the ratio is ``4n / (n + 8)``. It is always below 4, and below 1
    for fewer than three weights.
    """
    codes, _, _ = quantize(w, bits=8)
    return codes.size * FLOAT_BYTES / (codes.nbytes + 2 * FLOAT_BYTES)


def quantize_parameters(parameters: Mapping[str, Tensor], bits: int) -> dict[str, Tensor]:
    """Quantize and dequantize every parameter of a model, each with its own scale and minimum.

    Parameters
    ----------
    parameters
        Parameters by name, for example ``dict(model.named_parameters())``. They are not changed.
    bits
        Bits per code, 1 to 8.

    Returns
    -------
    dict[str, Tensor]
        Float32 tensors of the same shapes and on the same devices as the parameters, without
        gradients.
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
    """Quantize as `quantize` does, but round up or down at random, without a bias.

    A weight that lies a fraction ``f`` of a step above a level is rounded up with probability ``f``
    and down with probability ``1 - f`` (Gupta et al. 2015), so that the expected code is the exact
    position of the weight. A weight on a level stays there.

    Parameters
    ----------
    w, bits
        As for `quantize`.
    seed
        Seed of the random numbers. The same seed gives the same codes.

    Returns
    -------
    codes, scale, minimum
        As returned by `quantize`, except that a weight may move by up to one whole ``scale``.
    """
    position, scale, minimum = _positions(w, bits)
    below = np.floor(position)
    up = np.random.default_rng(seed).random(position.shape) < position - below
    return np.asarray(below + up, dtype=np.uint8), scale, minimum


def stochastic_parameters(
    parameters: Mapping[str, Tensor], bits: int, repeat: int
) -> dict[str, Tensor]:
    """Quantize every parameter of a model by stochastic rounding, and dequantize it.

    Each parameter has random numbers of its own in each repeat, and the same repeat gives the same
    result.

    Parameters
    ----------
    parameters, bits
        As for `quantize_parameters`.
    repeat
        Number of the repeat, not negative.

    Returns
    -------
    dict[str, Tensor]
        As returned by `quantize_parameters`, except that a weight may move by up to a whole step.
    """
    quantized = {}
    for index, (name, parameter) in enumerate(parameters.items()):
        seed = repeat * len(parameters) + index  # another one for each parameter and repeat
        array = parameter.detach().cpu().numpy()
        weights = dequantize(*quantize_stochastic(array, bits, seed))
        quantized[name] = torch.from_numpy(weights).to(parameter.device)
    return quantized


def _positions(w: NDArray[np.floating], bits: int) -> tuple[NDArray[np.float64], float, float]:
    """Return the distances of the weights from the minimum in steps, the step and the minimum."""
    top = 2 ** _checked_bits(bits) - 1
    weights = np.asarray(w, dtype=np.float64)
    if weights.size == 0:
        raise ValueError("There are no weights to quantize: the array is empty.")
    if not np.isfinite(weights).all():
        raise ValueError("Only finite weights can be quantized: the array holds inf or nan.")
    minimum = float(weights.min())
    scale = (float(weights.max()) - minimum) / top
    if scale == 0:
        return np.zeros_like(weights), 0.0, minimum
    # Rounding in the division can put the largest weight slightly above the last level, from where
    # stochastic rounding would sometimes go up to a code that does not exist.
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
