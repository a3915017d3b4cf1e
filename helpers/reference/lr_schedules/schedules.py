"""Schedules of the learning rate, as functions from the step to the factor of the rate.

A factor depends on the step alone. A training that was interrupted therefore continues with the
right learning rate, which a scheduler that multiplies the previous rate can only do if its own
state was saved. Steps are counted from 0 over all epochs.

References
----------
Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", arXiv:1706.02677, 2017:
gradual warm-up.
Loshchilov, Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017: cosine
annealing.
Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017: the range test.
Smith, Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates",
arXiv:1708.07120, 2018: one cycle.
"""

import math
from collections.abc import Iterable

__all__ = ["cosine", "exponential", "multistep", "one_cycle", "warm_up"]


def warm_up(step: int, length: int) -> float:
    """Raise the factor by equal amounts to 1.

    Parameters
    ----------
    step
        The step, counted from 0.
    length
        Number of steps until the factor is 1, at least 1.

    Returns
    -------
    float
        ``(step + 1) / length`` before step `length`, and then 1. The first factor is above 0, so
        that the first step is not lost.
    """
    return min(1.0, (step + 1) / length)


def multistep(step: int, milestones: Iterable[int], gamma: float = 0.1) -> float:
    """Multiply the factor by `gamma` at each milestone.

    Parameters
    ----------
    step
        The step, counted from 0.
    milestones
        Steps, in any order. The step at a milestone is the first one with the lower rate.
    gamma
        What the factor is multiplied by.

    Returns
    -------
    float
        ``gamma ** k``, where k is the number of milestones that are at most `step`.
    """
    return gamma ** sum(step >= milestone for milestone in milestones)


def cosine(step: int, total: int) -> float:
    """Lower the factor from 1 to 0 along half a period of the cosine.

    Parameters
    ----------
    step
        The step, counted from 0.
    total
        Number of steps after which the factor is 0, at least 1.

    Returns
    -------
    float
        ``(1 + cos(pi * step / total)) / 2``, and 0 after `total` steps.
    """
    return (1 + math.cos(math.pi * min(step / total, 1.0))) / 2


def one_cycle(
    step: int, total: int, rising: float = 0.3, first: float = 1 / 25, last: float = 1 / 250_000
) -> float:
    """Raise the factor to 1 and lower it to nearly 0, each along half a period of the cosine.

    These are the factors of PyTorch's ``OneCycleLR`` with its default settings, whose momentum is
    left as it is.

    Parameters
    ----------
    step
        The step, counted from 0 to ``total - 1``.
    total
        Number of steps.
    rising
        Share of the steps in which the factor rises; ``rising * total`` must be above 1.
    first, last
        Factors of the first and of the last step.

    Returns
    -------
    float
        `first` at step 0, 1 at step ``rising * total - 1``, and `last` at step ``total - 1``.
    """
    top = rising * total - 1
    if step <= top:
        return _between(first, 1.0, step / top)
    return _between(1.0, last, (step - top) / (total - 1 - top))


def _between(start: float, end: float, done: float) -> float:
    """Go from `start` to `end` along half a period of the cosine; `done` is the share done."""
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


def exponential(step: int, total: int, lowest: float, highest: float) -> float:
    """Go from `lowest` to `highest`, multiplying by the same number in every step.

    Parameters
    ----------
    step
        The step, counted from 0 to ``total - 1``.
    total
        Number of steps, at least 2.
    lowest, highest
        Values at the first and at the last step, above 0.

    Returns
    -------
    float
        ``lowest * (highest / lowest) ** (step / (total - 1))``.
    """
    return lowest * (highest / lowest) ** (step / (total - 1))
