"""Do what an experiment says: profiles and shares of epochs are known here, not in the table."""

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


def length(experiment: Experiment, share: float) -> Length:
    """Return how long an experiment trains in the current profile.

    Parameters
    ----------
    experiment : Experiment
    share : float
        Of the epochs of `full` that are to be trained, over 0 and up to 1.
    """
    return experiment.epochs.length(profile(), share)


def trained_share(experiment: Experiment, share: float) -> float:
    """Return the share of its epochs that an experiment trains when it is asked for `share`.

    The two differ where a recipe has a fewest number of epochs, and by the rounding to whole ones.
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
    experiment : Experiment
    dataset : Dataset
    seed : int
        Of random starting weights, and of `helpers.training.fit`.
    checkpoint : Path or None
        File for the state of the training, which goes on from there. None saves nothing.
    share : float
        Of the epochs of `full` that are trained.
    frozen
        Whether the weights of the convolutions and linear layers keep their values, so that only
        batch norm and biases learn. A quantizer that passes no gradient gives such a network.

    Returns
    -------
    model : Module
    history : History
    """
    seed_everything(seed)
    model = experiment.start(dataset)
    epochs = length(experiment, share)
    hooks = experiment.hooks(model, epochs)
    if frozen:
        for layer in layer_sizes(model):
            model.get_parameter(f"{layer}.weight").requires_grad_(False)
    history = fit(
        model,
        dataset,
        epochs=epochs.total,
        lr=experiment.lr,
        seed=seed,
        checkpoint=checkpoint,
        before_epoch=hooks.before_epoch,
        after_step=hooks.after_step,
        **experiment.settings,
    )
    if experiment.finish is not None:
        experiment.finish(model)
    return model, history


def untrained(experiment: Experiment, dataset: Dataset) -> nn.Module:
    """Return what could be handed in without any training: a threshold must keep it out."""
    seed_everything(0)
    return (experiment.untrained or experiment.start)(dataset)


def recalibrated(experiment: Experiment, dataset: Dataset) -> nn.Module:
    """Return the untrained network after its batch norm has measured its statistics anew."""
    model = untrained(experiment, dataset)
    reestimate_batch_norm(model, dataset)
    return model
