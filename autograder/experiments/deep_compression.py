"""The experiments of `deep_compression`: shared weights, their centroids trained."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from autograder.experiments.experiment import Build, Experiment, Train
from helpers.checkpoints import pretrained_resnet20
from helpers.data import Dataset
from helpers.profile import pick
from helpers.reference import shared_network
from helpers.training import History, fit

SPARSITY = 0.5


def _pruned(dataset: Dataset) -> nn.Module:
    model = pretrained_resnet20(dataset).to(dataset.device)
    shared_network.prune(model, dataset, SPARSITY)
    return model


def _shared(bits: int) -> Build:
    def build(dataset: Dataset) -> nn.Module:
        model = _pruned(dataset)
        shared_network.share(model, bits)
        return model

    return build


def _centroids_trained(bits: int, epochs: int) -> Train:
    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model = _pruned(dataset)
        hold = shared_network.tie(model, shared_network.share(model, bits))
        history = fit(
            model,
            dataset,
            epochs=epochs,
            lr=3e-4,
            seed=seed,
            checkpoint=checkpoint,
            after_step=hold,
        )
        return model, history

    return train


def experiments() -> list[Experiment]:
    """Return the table, with the recipes of the current profile."""
    epochs = pick(quick=3, full=10)

    def tuned(name: str, bits: int) -> Experiment:
        recipe = f"pruned to 50 %, {2**bits} centroids, {epochs} epochs, cosine from 3e-4"
        # What others published is accuracy without training the centroids: no figure to compare.
        return Experiment(
            name, "deep_compression", recipe, None, _shared(bits), _centroids_trained(bits, epochs)
        )

    return [tuned("shared_3bit", 3), tuned("shared_2bit", 2)]
