"""Known wrong solutions, one module per assignment: feedback, sample submissions and mutants."""

from autograder.misconceptions.registry import (
    Misconception,
    misconception,
    misconceptions_in,
    misconceptions_of,
)

# isort: split
# An assignment's wrong solutions are registered by importing its module.
from autograder.misconceptions import quantization

__all__ = [
    "Misconception",
    "misconception",
    "misconceptions_in",
    "misconceptions_of",
    "quantization",
]
