"""Check that numbers are drawn independently from a normal distribution, as initial weights are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.hidden.checks import OTHER_FORM, Check
from autograder.hidden.student import StudentError, value

SIGMAS = 8.0
"""How many standard errors a measured number may be off.

An error of eight happens by chance once in 10^15 draws if the measured number is normal itself, as
a mean is. The kurtosis of 5,000 numbers is skewed, and was off by less than six in 10^5 draws.
"""

LEAST = 5000
"""How many numbers are needed, so that the limits are tight enough for what is wrong to show.

With 5,000 numbers, the variance may be off by 16 %, and the kurtosis by 0.55: that of a uniform
distribution is off by 1.2.
"""


def normal(
    draw: Callable[[], Any], variance: float, *, label: str = "distribution", weight: float = 1.0
) -> Check:
    """Check numbers that the student's code draws: mean, variance, shape and independence.

    Parameters
    ----------
    draw
        Draws an array of at least `LEAST` numbers, which differ from call to call. It may ask the
        student's code.
    variance
        The variance asked for; the mean is 0.
    label
        What is drawn.
    weight
        Weight of the check among all checks of its question.
    """
    try:
        first, again = (np.asarray(value(draw()), dtype=np.float64) for _ in range(2))
        problem = next(_problems(first, variance), None)
    except StudentError as error:
        return Check(label, 0.0, str(error), weight)
    except OTHER_FORM:
        return Check(label, 0.0, "The answer has the wrong form.", weight)
    if problem is None and np.array_equal(first, again):
        problem = "Two draws give the same numbers. Draw them anew, and set no seed."
    return Check(label, 0.0, problem, weight) if problem else Check(label, 1.0, "", weight)


def _problems(numbers: np.ndarray, variance: float) -> Iterator[str]:
    count = numbers.size
    if count < LEAST or not np.isfinite(numbers).all():
        yield f"There should be {LEAST} finite numbers or more."
        return
    z = numbers / math.sqrt(variance)
    # The standard errors of moments of a normal distribution: Kendall and Stuart, "The Advanced
    # Theory of Statistics", volume 1, chapter 10.
    mean, found = z.mean(), z.var()
    if abs(mean) > SIGMAS / math.sqrt(count):
        yield f"Their mean should be 0; it is {mean * math.sqrt(variance):.3g}."
    if abs(found - 1) > SIGMAS * math.sqrt(2 / count):
        yield f"Their variance should be {variance:.3g}; it is {found * variance:.3g}."
    kurtosis = ((z - mean) ** 4).mean() / max(found, 1e-300) ** 2
    if abs(kurtosis - 3) > SIGMAS * math.sqrt(24 / count):
        yield "They do not have a normal distribution."
    if not all(_independent(np.moveaxis(z, axis, 0)) for axis in range(z.ndim)):
        yield "They depend on each other. Draw every number by itself."


def _independent(z: np.ndarray) -> bool:
    """Whether the slices along the first axis are as uncorrelated as independent ones.

    With n numbers in each of two independent slices, n times the squared cosine of their angle has
    the mean 1 and a variance below 2, and the cosines of different pairs are uncorrelated. The sum
    over all pairs is therefore nearly a chi-square variable, which leaves these bounds with the
    probability exp(-t) at most (Laurent and Massart, "Adaptive Estimation of a Quadratic Functional
    by Model Selection", Annals of Statistics 28, 2000, lemma 1).
    """
    slices = z.reshape(len(z), -1)
    if slices.shape[1] < 64:  # a cosine of so few numbers is far from normal
        return True
    slices = slices / np.linalg.norm(slices, axis=1, keepdims=True)
    pairs = np.triu_indices(len(slices), 1)
    found, expected = slices.shape[1] * np.square(slices @ slices.T)[pairs].sum(), len(pairs[0])
    t = 40.0  # once in 10^17 draws; copies of numbers need hundreds
    spread = 2 * math.sqrt(expected * t)
    return bool(expected - spread <= found <= expected + spread + 2 * t)
