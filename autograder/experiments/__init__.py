"""The experiments of the course, one table per assignment that trains."""

from autograder.experiments import deep_compression, pruning, quantization
from autograder.experiments.experiment import Experiment

__all__ = ["Experiment", "experiments"]


def experiments() -> list[Experiment]:
    """Return the tables of all assignments, with the recipes of the current profile."""
    return [
        *pruning.experiments(),
        *quantization.experiments(),
        *deep_compression.experiments(),
    ]
