"""Known wrong solutions, one module per assignment: feedback, sample submissions and mutants."""

from autograder.misconceptions.registry import (
    Misconception,
    misconception,
    misconceptions_in,
    misconceptions_of,
)

# isort: split
# An assignment's wrong solutions are registered by importing its module.
from autograder.misconceptions import deep_compression, pruning, quantization, sparse_linear

__all__ = [
    "Misconception",
    "deep_compression",
    "misconception",
    "misconceptions_in",
    "misconceptions_of",
    "pruning",
    "quantization",
    "sparse_linear",
]
