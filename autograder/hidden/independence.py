"""Check that random decisions are independent of each other, in one draw and between draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement

import numpy as np

from autograder.hidden.checks import Check, holds

FALSE_ALARM = 1e-6
"""The probability with which independent decisions are called dependent."""


def largest_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest correlation between two draws, one of which may be shifted.

    Parameters
    ----------
    first, second
        (N,): numbers in the order in which they were drawn, such as 0 and 1. If both are the same
        array, it is compared with itself at all shifts but 0.

    Returns
    -------
    float
        The magnitude of the largest of the N correlation coefficients; 1 if a draw is constant.
    """
    n = len(first)
    spectra = []
    for draw in (first, second):
        centred = np.asarray(draw, dtype=np.float64) - np.mean(draw)
        spread = math.sqrt(float(centred @ centred))
        if spread == 0:
            return 1.0
        spectra.append(np.fft.rfft(centred / spread))
    # The correlations at all circular shifts at once, by the convolution theorem.
    found = np.abs(np.fft.irfft(spectra[0] * spectra[1].conj(), n))
    return float(found[1:].max() if first is second else found.max())


def correlation_bound(n: int, draws: int) -> float:
    """Return what no correlation of independent draws exceeds but with `FALSE_ALARM`.

    A correlation of n independent pairs is close to a normal number with the standard deviation
    1/sqrt(n), which is further than t standard deviations from 0 with a probability of at most
    2 exp(-t^2 / 2). The bound leaves `FALSE_ALARM` to all correlations together.

    Parameters
    ----------
    n
        How many numbers a draw has.
    draws
        How many draws are compared, each with itself and with the others at n shifts.
    """
    correlations = n * draws * (draws + 1) / 2
    return math.sqrt(2 * math.log(2 * correlations / FALSE_ALARM) / n)


def independent(
    draw: Callable[[], Sequence[np.ndarray]],
    message: str,
    *,
    label: str = "independence",
    weight: float = 1.0,
) -> Check:
    """Check that random numbers are independent of each other.

    A number that serves a whole row or filter, a regular pattern instead of chance, and draws that
    are the same but for a shift all give a correlation near 1 at some shift.

    Parameters
    ----------
    draw
        Returns the draws, arrays of equal length: what the student's code decided at random for
        many equal values, once for each seed. Their shape does not matter.
    message
        The feedback if they are not independent.
    label
        What was checked.
    weight
        Weight of the check among all checks of its question.
    """

    def condition() -> bool:
        draws = [np.ravel(numbers) for numbers in draw()]
        bound = correlation_bound(len(draws[0]), len(draws))
        return all(
            largest_correlation(first, second) <= bound
            for first, second in combinations_with_replacement(draws, 2)
        )

    return holds(condition, message, label=label, weight=weight)
