"""The rows of the course's table: networks that are trained, and figures that need no training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from helpers.data import Dataset
from helpers.training import History

Build = Callable[[Dataset], nn.Module]
Train = Callable[[Dataset, int, Path], tuple[nn.Module, History]]
"""``train(dataset, seed, checkpoint)`` returns the trained network and its history."""

Accuracy = Callable[[nn.Module], float]
"""Measures a network on the test images, and remembers it for the hidden tests."""

UNTRAINED, TRAINED = "untrained", "trained"


@dataclass(frozen=True)
class Experiment:
    """One network that is trained.

    Attributes
    ----------
    name : str
        Of the artifact; unique in the course.
    assignment : str
    recipe : str
        How it is trained, for the results page.
    untrained : callable
        ``untrained(dataset)`` makes what could be handed in without any training: a threshold
        must keep it out.
    train : callable
    published : mapping
        What the course documents report for CIFAR-10: test accuracies from 0 to 1, ``untrained``
        and ``trained``, and any of the `details`.
    details : callable, optional
        ``details(model)`` returns further figures of the trained network, such as its sparsity.
    weights : int
        Weights in convolutions and classifier, which tells the variants of ResNet-20 apart.
    keeps_weights : bool
        Whether the first seed's weights stand with the references: those of networks that students
        train too, for the samples, and of those that others start from.
    ships_as : Path, optional
        Where students find the first seed's network.
    share : float, optional
        Of the whole recipe's epochs, where it is not the share that the table was asked for.
    remark : str
        Why a figure differs from the published one, for the results page.
    """

    name: str
    assignment: str
    recipe: str
    untrained: Build
    train: Train
    published: Mapping[str, float] = field(default_factory=dict)
    details: Callable[[nn.Module], dict[str, float]] | None = None
    weights: int = 270_896
    keeps_weights: bool = True
    ships_as: Path | None = None
    share: float | None = None
    remark: str = ""


@dataclass(frozen=True)
class Sweep:
    """Figures that no network is trained for.

    Attributes
    ----------
    name : str
        Unique in the course.
    assignment : str
    recipe : str
        What is measured, for the results page.
    measure : callable
        ``measure(dataset, accuracy)`` returns the figures by their labels, such as ``"4 bits"``.
    published : mapping
        What the course documents report, by the same labels.
    weights : int or None
        As for `Experiment`; None where there is no network.
    remark : str
        As for `Experiment`.
    """

    name: str
    assignment: str
    recipe: str
    measure: Callable[[Dataset, Accuracy], dict[str, float]]
    published: Mapping[str, float] = field(default_factory=dict)
    weights: int | None = 270_896
    remark: str = ""
