"""Check that the seed of a function decides what the function draws at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.hidden.checks import Check, holds


def seeded(draw: Callable[[int], Any], *, what: str, label: str = "seeds") -> Check:
    """Check that the same seed gives the same numbers, and another seed gives others.

    Parameters
    ----------
    draw
        Takes a seed, and returns the array that the student's function draws with it.
    what
        What the function returns, for the feedback, such as ``"draw"``.
    label
        What was checked.
    """

    def condition() -> bool:
        first, again, other = (draw(seed) for seed in (3, 3, 4))
        return np.array_equal(first, again) and not np.array_equal(first, other)

    message = f"The same seed should give the same {what}, and another seed another {what}."
    return holds(condition, message, label=label)
