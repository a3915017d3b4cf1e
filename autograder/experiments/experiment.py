"""What an experiment is: a network that is trained, and what others published of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from helpers.data import Dataset
from helpers.training import History

Build = Callable[[Dataset], nn.Module]
Train = Callable[[Dataset, int, Path], tuple[nn.Module, History]]
"""``train(dataset, seed, checkpoint)`` returns the trained network and its history."""


@dataclass(frozen=True)
class Experiment:
    """One trained network of an assignment.

    Attributes
    ----------
    name : str
        Of the artifact; unique in the course.
    assignment : str
    recipe : str
        How it is trained, for the results page.
    published : float or None
        CIFAR-10 test accuracy that the course documents report, from 0 to 1.
    untrained : callable
        ``untrained(dataset)`` makes what could be handed in without any training: a threshold
        must keep it out.
    train : callable
    """

    name: str
    assignment: str
    recipe: str
    published: float | None
    untrained: Build
    train: Train
