"""How far two right answers may be apart, and inputs on which they are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from autograder.hidden.compare import largest

Values = TypeVar("Values", np.ndarray, torch.Tensor)

TIE_MARGIN = 0.01
"""In steps. Far above any float32 rounding of a position (255 * 1e-7), far below a step."""


def away_from_ties(w: Values, bits: int) -> Values:
    """Move the values that a rounding error could tip to another level.

    Half-way between two levels of the linear quantizer, a right answer depends on the order of the
    operations and on their precision. Such values are set to the minimum; range and levels stay.

    Parameters
    ----------
    w : floating-point array or tensor
        Of any shape, not empty.
    bits : int
        The quantizer has ``2**bits - 1`` steps from the minimum to the maximum.

    Returns
    -------
    array or tensor
        A copy of the same shape and type, with no value within `TIE_MARGIN` steps of a tie.
    """
    values = w.clone() if isinstance(w, torch.Tensor) else w.copy()
    minimum = float(w.min())
    step = (float(w.max()) - minimum) / (2**bits - 1)
    if step == 0:
        return values
    position = (values - minimum) / step
    values[abs(position % 1 - 0.5) < TIE_MARGIN] = minimum
    return values


def roundings(count: int) -> Callable[..., float]:
    """Return how far float32 roundings may move a result, for ``same(within=...)``.

    Parameters
    ----------
    count : int
        How many times the precision of float32 (2^-23) is allowed, as part of the largest number.
        One rounding of a number of that size costs half of that.

    Returns
    -------
    callable
        Takes the arguments of a case and returns the difference allowed. The largest number is
        that of the first argument: an array, a tensor, or a dict or list of these.
    """
    return lambda first, *others: count * float(np.finfo(np.float32).eps) * largest(first)


def accuracy_noise(images: int) -> float:
    """Return how far two right measurements of one network's accuracy may be apart.

    Another machine adds up in another order, and a GPU may multiply in TF32 (10 bits): scores move,
    and images on the edge between two classes change sides. On the 359 digits, double precision
    moved the accuracy of none of seven quantized networks, and TF32 that of one by two images. We
    allow three images, and one in a thousand more for large test sets.

    Parameters
    ----------
    images : int
        Number of test images.

    Returns
    -------
    float
        As a difference of accuracies from 0 to 1.
    """
    # The half image keeps a difference of exactly so many images on the right side of `<=`.
    return (3.5 + images / 1000) / images
