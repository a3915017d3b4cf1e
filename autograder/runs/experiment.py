"""The rows of the course's table: networks that are trained, and figures that need no training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from torch import nn

from autograder.runs.epochs import Epochs, Phases
from autograder.runs.hooks import MakeHooks, no_hooks
from helpers.data import STANDARD, Dataset
from helpers.schedules import Factor

Build = Callable[[Dataset], nn.Module]
"""``build(dataset)`` makes a network; the caller seeds everything that is drawn at random."""

Accuracy = Callable[[nn.Module], float]
"""Measures a network on the test images, and records the accuracy for the hidden tests."""

Profile = Literal["quick", "full"]

UNTRAINED, TRAINED = "untrained", "trained"
NARROW_WEIGHTS, WIDE_WEIGHTS = 270_896, 274_144
"""Number of weights in the convolutions and the classifier of the two variants of ResNet-20."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The description of a network that is trained; `autograder.runs.training` trains it.

    Attributes
    ----------
    name
        Name of the artifact, unique in the course.
    assignment
        Name of the assignment that it belongs to.
    recipe
        How the network is trained, for the results page. ``{epochs}`` and ``{pruning}`` stand for
        all epochs and for the epochs of step-by-step pruning, in words; ``{total}`` stands for the
        number of all epochs, and ``{lr}`` for the learning rate.
    start
        ``start(dataset)`` makes the network that is trained.
    from_scratch
        Whether `start` draws the weights at random. By default it takes them from the starting
        network.
    untrained
        ``untrained(dataset)`` makes the network that could be handed in without any training; it
        must not reach the bar. By default, this is the network that `start` makes.
    epochs
        The epochs of the training in each profile.
    lr
        Learning rate at the start. By default that of fine-tuning.
    settings
        Further arguments of `helpers.training.fit`.
    schedule
        ``schedule(total)`` returns the function of the step that `fit` takes as its schedule, for
        a training of `total` steps. By default, `settings` name the schedule.
    hooks
        ``hooks(model, length)`` prepares the network and returns what is done to it while it is
        trained.
    finish
        ``finish(model)`` changes the network after its training.
    reported
        Figures that students of earlier courses reported for CIFAR-10: the test accuracies
        ``untrained`` and ``trained``, from 0 to 1, and any of the `details`.
    details
        ``details(model)`` returns further figures of the trained network, such as its sparsity.
    weights
        Number of weights in the convolutions, linear layers and embeddings, which tells the
        networks apart; or this number in each profile.
    data
        The name of the data set in each profile.
    only_in
        The only profile of this row. By default, the row belongs to both.
    keeps_weights
        Whether the weights of the first seed are kept with the references. They are needed for
        networks that students train too, because the samples submit them, and for networks that
        others start from.
    ships_as
        ``ships_as(profile)`` is the file in which students find the network of the first seed. By
        default, they do not get it.
    ships_history
        Whether students also get the history of this network, in a file beside it.
    is_steady
        Whether the spread over its seeds says something about other experiments, and theirs about
        it, so that they count for each other's bars. It does not where the training is meant to
        fail, or ends after a few epochs at a high rate.
    has_controls
        Whether the network is compared with controls, in which its weights are not trained.
    draws_curve
        Whether the learning curve of the first seed is drawn on the results page.
    remark
        A note for the results page, such as why a figure differs from the reported one.
    """

    name: str
    assignment: str
    recipe: str
    start: Build
    from_scratch: bool = False
    untrained: Build | None = None
    epochs: Epochs | Phases
    lr: float = 0.01
    settings: Mapping[str, Any] = field(default_factory=dict)
    schedule: Callable[[int], Factor] | None = None
    hooks: MakeHooks = no_hooks
    finish: Callable[[nn.Module], None] | None = None
    reported: Mapping[str, float] = field(default_factory=dict)
    details: Callable[[nn.Module], dict[str, float]] | None = None
    weights: int | Mapping[str, int] = NARROW_WEIGHTS
    data: Mapping[str, str] = field(default_factory=lambda: STANDARD)
    only_in: Profile | None = None
    keeps_weights: bool = True
    ships_as: Callable[[str], Path] | None = None
    ships_history: bool = False
    is_steady: bool = True
    has_controls: bool = True
    draws_curve: bool = False
    remark: str = ""


def weights_in(row: Experiment | Sweep, profile: str) -> int | None:
    """Return the number of weights of a row's network in a profile; None if there is no network."""
    return row.weights if isinstance(row.weights, int | None) else row.weights[profile]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The description of figures that are measured without training.

    Attributes
    ----------
    name
        Name of the sweep, unique in the course.
    assignment
        Name of the assignment that it belongs to.
    recipe
        What is measured, for the results page.
    measure
        ``measure(dataset, accuracy)`` returns the figures by their labels, such as ``"4 bits"``.
    reported
        Figures that students of earlier courses reported, by the same labels.
    weights
        As for `Experiment`; None if there is no network.
    data
        As for `Experiment`.
    from_scratch
        Whether no weights of the starting network are used. It is ignored if there is no network.
    only_in
        As for `Experiment`.
    remark
        As for `Experiment`.
    """

    name: str
    assignment: str
    recipe: str
    measure: Callable[[Dataset, Accuracy], dict[str, float]]
    reported: Mapping[str, float] = field(default_factory=dict)
    weights: int | None = NARROW_WEIGHTS
    data: Mapping[str, str] = field(default_factory=lambda: STANDARD)
    from_scratch: bool = False
    only_in: Profile | None = None
    remark: str = ""
