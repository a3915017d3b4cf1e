"""The check of a function that draws at random: its seed decides what it draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.hidden.checks import Check, holds


def seeded(draw: Callable[[int], Any], *, what: str, label: str = "seeds") -> Check:
    """Check that the same seed gives the same numbers, and another seed others.

    Parameters
    ----------
    draw : callable
        Asks the student's function for an array, given a seed.
    what : str
        What it gives, for the feedback: ``"draw"``.
    label : str, default="seeds"
        What was checked.

    Returns
    -------
    Check
    """

    def condition() -> bool:
        first, again, other = (draw(seed) for seed in (3, 3, 4))
        return np.array_equal(first, again) and not np.array_equal(first, other)

    return holds(condition, f"One seed gives one {what}, another seed another.", label=label)
