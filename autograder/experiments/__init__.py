"""The experiments of the course, one table per assignment.

An assignment joins by a module with `experiments(share)`, `sweeps()`, or both.
"""

from autograder.experiments import deep_compression, pruning, quantization, sparse_linear, starting
from autograder.experiments.experiment import TRAINED, UNTRAINED, Experiment, Sweep

__all__ = ["TRAINED", "UNTRAINED", "Experiment", "Sweep", "experiments", "sweeps"]


def experiments(share: float = 1.0) -> list[Experiment]:
    """Return the trained networks of the course, with the recipes of the current profile.

    Parameters
    ----------
    share : float
        Of the epochs of `full` that are trained, over 0 and up to 1. The recipes of `quick` stay
        as they are.
    """
    return [
        *starting.experiments(share),
        *pruning.experiments(share),
        *quantization.experiments(share),
        *deep_compression.experiments(share),
    ]


def sweeps() -> list[Sweep]:
    """Return the figures of the course that need no training."""
    return [
        *sparse_linear.sweeps(),
        *pruning.sweeps(),
        *quantization.sweeps(),
        *deep_compression.sweeps(),
    ]
