"""Train the networks of experiments, for the current profile and a share of the epochs."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from autograder.runs.epochs import Length, in_words
from autograder.runs.experiment import Experiment, Sweep
from helpers.batch_norm import reestimate_batch_norm
from helpers.data import Dataset
from helpers.models import layer_sizes
from helpers.profile import profile
from helpers.training import History, fit, seed_everything

BATCH_SIZE = 128
"""Examples per step: that of `helpers.training.fit`."""


def length(experiment: Experiment, share: float) -> Length:
    """Return the length of an experiment's training in the current profile.

    Parameters
    ----------
    experiment
        The experiment.
    share
        The share of the epochs of `full` that is to be trained, above 0 and at most 1.
    """
    return experiment.epochs.length(profile(), share)


def trained_share(experiment: Experiment, share: float) -> float:
    """Return the share of its epochs that an experiment really trains when `share` is asked for.

    The two differ because a recipe may have a smallest number of epochs, and because the number of
    epochs is rounded.
    """
    return length(experiment, share).total / length(experiment, 1.0).total


def recipe(row: Experiment | Sweep, share: float) -> str:
    """Return the recipe of a row in words, for the results page and the manifests."""
    if isinstance(row, Sweep):
        return row.recipe
    epochs = length(row, share)
    return row.recipe.format(
        epochs=in_words(epochs.total),
        pruning=in_words(epochs.pruning),
        total=epochs.total,
        lr=f"{row.lr:g}",
    )


def train(
    experiment: Experiment,
    dataset: Dataset,
    seed: int,
    checkpoint: Path | None,
    share: float,
    *,
    frozen: bool = False,
) -> tuple[nn.Module, History]:
    """Train the network of an experiment.

    Parameters
    ----------
    experiment
        The experiment.
    dataset
        The data to train and to measure on.
    seed
        Seed of random starting weights and of `helpers.training.fit`.
    checkpoint
        File of the checkpoint, from which an interrupted training continues. None: there is no
        checkpoint.
    share
        The share of the epochs of `full` that is trained.
    frozen
        Whether the weights of the convolutions and linear layers keep their values, so that only
        batch norm and biases learn. A quantizer that passes no gradient gives such a network.

    Returns
    -------
    model
        The trained network.
    history
        The history of its training.
    """
    seed_everything(seed)
    model = experiment.start(dataset)
    epochs = length(experiment, share)
    hooks = experiment.hooks(model, epochs)
    if frozen:
        for layer in layer_sizes(model):
            model.get_parameter(f"{layer}.weight").requires_grad_(False)
    settings = dict(experiment.settings)
    if experiment.schedule is not None:
        steps = len(dataset.train) // BATCH_SIZE
        settings["schedule"] = experiment.schedule(epochs.total * steps)
    history = fit(
        model,
        dataset,
        epochs=epochs.total,
        lr=experiment.lr,
        seed=seed,
        checkpoint=checkpoint,
        before_epoch=hooks.before_epoch,
        after_step=hooks.after_step,
        **settings,
    )
    if experiment.finish is not None:
        experiment.finish(model)
    return model, history


def untrained(experiment: Experiment, dataset: Dataset) -> nn.Module:
    """Return the network that could be handed in without training; it must not reach the bar."""
    seed_everything(0)
    return (experiment.untrained or experiment.start)(dataset)


def recalibrated(experiment: Experiment, dataset: Dataset) -> nn.Module:
    """Return the untrained network after its batch norm has measured its statistics anew."""
    model = untrained(experiment, dataset)
    reestimate_batch_norm(model, dataset)
    return model
