"""Smooth a noisy curve."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["moving_average"]


def moving_average(
    values: Sequence[float] | NDArray[np.floating], window: int
) -> NDArray[np.float64]:
    """Average each value with those before it.

    Parameters
    ----------
    values
        The values, in the order of time.
    window
        Number of values to average, at least 1. At the beginning, where fewer have been seen, the
        average is over those.

    Returns
    -------
    ndarray
        The averages, as many as there are values. No average knows a later value.
    """
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, dtype=np.float64))])
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
