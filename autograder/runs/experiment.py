"""The rows of the course's table: networks that are trained, and figures that need no training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from torch import nn

from autograder.runs.epochs import Epochs, Phases
from autograder.runs.hooks import MakeHooks, no_hooks
from helpers.data import Dataset

Build = Callable[[Dataset], nn.Module]
"""``build(dataset)`` makes a network; what is drawn at random is seeded before."""

Accuracy = Callable[[nn.Module], float]
"""Measures a network on the test images, and remembers it for the hidden tests."""

Profile = Literal["quick", "full"]

UNTRAINED, TRAINED = "untrained", "trained"
NARROW_WEIGHTS, WIDE_WEIGHTS = 270_896, 274_144
"""Weights in convolutions and classifier, which tell the variants of ResNet-20 apart."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One network that is trained, as data: `autograder.runs.training` does the training.

    Attributes
    ----------
    name : str
        The name of the artifact; unique in the course.
    assignment : str
    recipe : str
        How the network is trained, for the results page. ``{epochs}`` and ``{pruning}`` stand for
        all epochs and for those of step-by-step pruning, in words; ``{total}`` stands for the
        number of all epochs, and ``{lr}`` for the learning rate.
    start : callable
        ``start(dataset)`` makes the network that is trained.
    untrained : callable, optional
        ``untrained(dataset)`` makes what could be handed in without any training, where that is
        not the network at the start: a threshold must keep it out.
    epochs : Epochs or Phases
    lr : float
        The first learning rate; the default is that of fine-tuning.
    settings : mapping
        Further arguments of `helpers.training.fit`.
    hooks : callable
        ``hooks(model, length)`` prepares the network and returns what is done to it while it is
        trained.
    finish : callable, optional
        ``finish(model)`` changes the network after its training.
    reported : mapping
        Figures that students of earlier courses reported for CIFAR-10: test accuracies from 0 to
        1, ``untrained`` and ``trained``, and any of the `details`.
    details : callable, optional
        ``details(model)`` returns further figures of the trained network, such as its sparsity.
    weights : int
        Weights in convolutions and classifier, which tell the variants of ResNet-20 apart.
    only_in : {"quick", "full"}, optional
        The profile that the row exists in. None: both.
    keeps_weights : bool
        Whether the first seed's weights stand with the references: those of networks that students
        train too, for the samples, and of those that others start from.
    ships_as : Path, optional
        Where students find the first seed's network.
    draws_curve : bool
        Whether the first seed's learning curve is drawn on the results page.
    remark : str
        Why a figure differs from the reported one, for the results page.
    """

    name: str
    assignment: str
    recipe: str
    start: Build
    untrained: Build | None = None
    epochs: Epochs | Phases
    lr: float = 0.01
    settings: Mapping[str, Any] = field(default_factory=dict)
    hooks: MakeHooks = no_hooks
    finish: Callable[[nn.Module], None] | None = None
    reported: Mapping[str, float] = field(default_factory=dict)
    details: Callable[[nn.Module], dict[str, float]] | None = None
    weights: int = NARROW_WEIGHTS
    only_in: Profile | None = None
    keeps_weights: bool = True
    ships_as: Path | None = None
    draws_curve: bool = False
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
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
    reported : mapping
        What students of earlier courses reported, by the same labels.
    weights : int or None
        As for `Experiment`; None where there is no network.
    only_in : {"quick", "full"}, optional
        As for `Experiment`.
    remark : str
        As for `Experiment`.
    """

    name: str
    assignment: str
    recipe: str
    measure: Callable[[Dataset, Accuracy], dict[str, float]]
    reported: Mapping[str, float] = field(default_factory=dict)
    weights: int | None = NARROW_WEIGHTS
    only_in: Profile | None = None
    remark: str = ""
