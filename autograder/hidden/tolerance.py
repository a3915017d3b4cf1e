"""How far apart two right answers may be, and inputs for which they agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from autograder.hidden.compare import largest

Values = TypeVar("Values", np.ndarray, torch.Tensor)

TIE_MARGIN = 0.01
"""Margin in steps: far more than float32 rounding of a position (255 * 1e-7), far less than a step.
"""


def away_from_ties(w: Values, bits: int) -> Values:
    """Replace the values that a rounding error could move to another level.

    Halfway between two levels of the linear quantizer, a right answer depends on the order of the
    operations and on their precision. Such values are set to the minimum, so that the range and the
    levels do not change.

    Parameters
    ----------
    w
        Floating-point values, in an array or tensor of any shape that is not empty.
    bits
        Number of bits: the quantizer has ``2**bits - 1`` steps from the minimum to the maximum.

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
    """Return how much rounding in float32 may change a result, for ``same(within=...)``.

    Parameters
    ----------
    count
        The allowed difference, relative to the largest number, in units of the precision of
        float32 (2^-23). A single rounding of a number of that size changes it by at most half a
        unit.

    Returns
    -------
    callable
        Takes the arguments of a case and returns the allowed difference. The largest number is the
        one in the first argument: an array, a tensor, or a dict or list of these.
    """
    return lambda first, *others: count * float(np.finfo(np.float32).eps) * largest(first)


def accuracy_noise(images: int) -> float:
    """Return how far apart two right measurements of a network's accuracy may be.

    Another machine adds numbers in another order, and a GPU may multiply in TF32 (10 bits): the
    scores change slightly, and an image between two classes may get the other class. On the 2,000
    test images of the digits, double precision changed the accuracy of none of ten quantized or
    pruned networks, and TF32 that of two networks, by two images each. We allow three images, and
    one more per thousand for large test sets.

    Parameters
    ----------
    images
        Number of test images.

    Returns
    -------
    float
        The allowed difference between two accuracies from 0 to 1.
    """
    # The half image makes `<=` true for a difference of exactly that many images.
    return (3.5 + images / 1000) / images
