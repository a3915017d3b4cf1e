"""Check that what a function draws at random is drawn fairly, and anew for each seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.hidden.checks import Check, holds

SEEDS = 300
"""How many draws are looked at. They are drawn with the seeds 0, 1, 2, ..."""

LIMIT = 6.0
"""How many standard deviations a fair draw may be away from its mean.

All three figures below are sums over hundreds of draws and nearly normal. Six standard deviations
are exceeded with a probability of 2e-9 by a normal number, and of less than 1e-7 by a binomial one
of this size. With some forty values, one right answer in 200,000 would be rejected.
"""


def fair_draw(
    draw: Callable[[int], Any],
    values: Sequence[float] | NDArray[np.floating],
    count: int,
    *,
    what: str,
    label: str = "drawn fairly",
    weight: float = 1.0,
) -> Check:
    """Check draws of `count` of the `values`, without replacement, for many seeds.

    Every value should be drawn about equally often, values that are neighbours should not be drawn
    together, and two draws in a row should not resemble each other.

    Parameters
    ----------
    draw
        Takes a seed, and returns the values that the student's function draws with it.
    values
        All values that may be drawn; no two are equal.
    count
        How many are drawn: more than one, and fewer than all.
    what
        What `values` are, in the plural, for the feedback, such as ``"kept weights"``.
    label
        What was checked.
    weight
        Weight of the check among all checks of its question.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    problem = ""

    def condition() -> bool:
        nonlocal problem
        drawn = np.array([_places(draw(seed), ordered, count) for seed in range(SEEDS)])
        problem = _unfair(drawn, ordered.size, count, what)
        return not problem

    form = f"It should draw {count} different {what} with each seed."
    check = holds(condition, form, label=label, weight=weight)
    return Check(label, 0.0, problem, weight) if problem else check


def _places(found: Any, ordered: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the sorted places of drawn values among all values.

    Raises
    ------
    ValueError
        If the draw does not consist of `count` different ones of the values.
    """
    numbers = np.sort(np.asarray(found, dtype=np.float64))
    if numbers.shape != (count,):
        raise ValueError("another number of values")
    places = np.clip(np.searchsorted(ordered, numbers), 0, ordered.size - 1)
    # An answer in float32 may be half a unit of its precision away.
    below = np.maximum(places - 1, 0)
    nearer = np.abs(ordered[below] - numbers) < np.abs(ordered[places] - numbers)
    places = np.where(nearer, below, places)
    allowed = np.finfo(np.float32).eps * np.abs(numbers)
    if (np.abs(ordered[places] - numbers) > allowed).any() or len(np.unique(places)) != count:
        raise ValueError("not among the values, or not different")
    return places


def _unfair(drawn: NDArray[np.intp], size: int, count: int, what: str) -> str:
    """Say what is not fair about draws, a row of places for each; empty if nothing is.

    The moments are those of a draw of `count` out of `size` without replacement: the number of
    times that a value is drawn is binomial, and both the number of groups of neighbours in a draw
    and the number of values that two draws have in common are hypergeometric.
    """
    draws, share = len(drawn), count / size
    often = np.bincount(drawn.ravel(), minlength=size)
    if (np.abs(often - draws * share) > LIMIT * math.sqrt(draws * share * (1 - share))).any():
        return (
            f"With {draws} seeds, some of the {what} are drawn much more often than others: each "
            "should have the same chance."
        )
    rest = size - count
    groups = 1 + (np.diff(drawn, axis=1) > 1).sum(axis=1)
    spread = count * (count - 1) * rest * (rest + 1) / (size**2 * (size - 1))
    if _far(groups, count * (rest + 1) / size, spread):
        return (
            f"The {what} that are drawn together depend on each other: they are neighbours too "
            "often, or never. Each should be drawn whatever the others are."
        )
    common = [len(np.intersect1d(a, b)) for a, b in zip(drawn[::2], drawn[1::2], strict=True)]
    spread = count * share * (1 - share) * rest / (size - 1)
    if _far(np.array(common), count * share, spread):
        return "Two seeds in a row give draws that resemble each other, or avoid each other."
    return ""


def _far(found: NDArray[np.integer], mean: float, variance: float) -> bool:
    """Return whether the mean of independent numbers is too far from what it should be."""
    return abs(found.mean() - mean) > LIMIT * math.sqrt(variance / len(found))
