"""The positions of the kept weights of a pruned layer, as runs of zeros of limited length.

A run is the number of zeros before a kept weight, when the layer is read in memory order. Runs are
numbers of `width` bits. The largest of them, ``M = 2^width - 1``, is a padding: it stands for ``M``
zeros that are not yet followed by a kept weight. Hence ``g`` zeros before a kept weight are written
as ``g // M`` paddings and the run ``g % M``. Zeros after the last kept weight are not written.

References
----------
Han, Mao and Dally, "Deep Compression", ICLR 2016 (arXiv:1510.00149), section 2 and figure 2:
differences of positions are stored in few bits, and where a difference is too large, a zero is
stored as if it were a weight. Here, such a padding needs no entry among the weights.
"""

import math

import numpy as np
from numpy.typing import NDArray

MAX_WIDTH = 8  # a run is one byte


def run_lengths(kept: NDArray[np.bool_], width: int) -> NDArray[np.uint8]:
    """Write the positions of kept weights as runs of zeros.

    Parameters
    ----------
    kept
        True where weights are kept, in an array of any shape that is read in memory order (C
        order).
    width
        Bits of a run, 1 to 8.

    Returns
    -------
    ndarray
        The runs: a number below ``M = 2^width - 1`` for each kept weight, and the paddings.

    Raises
    ------
    ValueError
        If `width` is not an integer from 1 to 8.
    """
    most = _padding(width)
    positions = np.flatnonzero(kept)
    zeros = np.diff(positions, prepend=-1) - 1
    paddings = zeros // most
    runs = np.full(int(paddings.sum()) + zeros.size, most, dtype=np.uint8)
    runs[np.cumsum(paddings + 1) - 1] = zeros % most
    return runs


def kept_from_runs(
    runs: NDArray[np.uint8], width: int, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Read the positions of kept weights from runs of zeros, inverting `run_lengths`.

    Parameters
    ----------
    runs
        The runs, including paddings.
    width
        Bits of a run, 1 to 8.
    shape
        Shape of the layer.

    Returns
    -------
    ndarray
        True where weights are kept, in the given shape.

    Raises
    ------
    ValueError
        If `width` is not an integer from 1 to 8, a run has more than `width` bits, or the runs lead
        beyond the end of the layer.
    """
    most = _padding(width)
    lengths = np.asarray(runs, dtype=np.int64)
    if lengths.size and (lengths.min() < 0 or lengths.max() > most):
        raise ValueError(f"A run of {width} bits is a number from 0 to {most}.")
    is_weight = lengths < most
    positions = (np.cumsum(lengths + is_weight) - 1)[is_weight]
    kept = np.zeros(math.prod(shape), dtype=bool)
    if positions.size and positions[-1] >= kept.size:
        raise ValueError("The runs lead beyond the end of the layer.")
    kept[positions] = True
    return kept.reshape(shape)


def compression_ratio(size: int, kept: int, runs: int, bits: int, width: int) -> float:
    """Return how many times smaller a layer is with shared weights than as float32.

    This is equation 1 of Han et al. (2016), but it also counts the index: the ``32 * size`` bits of
    the layer become ``bits`` for each kept weight, ``width`` for each run, and ``32 * 2^bits`` for
    the codebook.

    Parameters
    ----------
    size
        Number of weights of the layer, including pruned weights.
    kept
        Number of kept weights.
    runs
        Number of runs, including paddings.
    bits, width
        Bits of a label, and of a run.

    Returns
    -------
    float
        The ratio, which is below 1 if the layer is smaller than its own codebook.
    """
    return 32 * size / (bits * kept + width * runs + 32 * 2**bits)


def _padding(width: int) -> int:
    """Return the largest run of `width` bits."""
    if width not in range(1, MAX_WIDTH + 1):
        raise ValueError(f"width must be a whole number from 1 to {MAX_WIDTH}, not {width!r}.")
    return 2**width - 1
