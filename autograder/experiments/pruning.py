"""The experiments of `pruning`: pruned at once or step by step, and trained in between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from autograder.experiments.experiment import Build, Experiment, Train
from helpers.checkpoints import pretrained_resnet20
from helpers.data import Dataset
from helpers.models import resnet20
from helpers.profile import pick, profile
from helpers.reference import masks, pruning
from helpers.training import History, fit

Masks = Callable[[dict[str, Tensor]], dict[str, Tensor]]


def _starting_network(dataset: Dataset) -> nn.Module:
    model = resnet20()
    model.load_state_dict(pretrained_resnet20(dataset).state_dict())
    return model


def _pruned(find_masks: Masks) -> Build:
    def build(dataset: Dataset) -> nn.Module:
        model = _starting_network(dataset)
        masks.apply_masks(model, find_masks(masks.layer_weights(model)))
        return model

    return build


def _by_std(s: float) -> Build:
    return _pruned(lambda weights: {k: pruning.prune_by_std(w, s)[1] for k, w in weights.items()})


def _by_percentage(q: float) -> Build:
    return _pruned(lambda weights: pruning.percentage_masks(weights, q))


def _fine_tuned(untrained: Build, epochs: int) -> Train:
    """Fine-tune; what is zero at the start stays zero."""

    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model = untrained(dataset)
        kept = {layer: w != 0 for layer, w in masks.layer_weights(model).items()}
        history = fit(
            model,
            dataset,
            epochs=epochs,
            lr=0.01,
            seed=seed,
            checkpoint=checkpoint,
            after_step=partial(masks.apply_masks, masks=kept),
        )
        return model, history

    return train


def _pruned_while_tuned(
    find_masks: pruning.FindMasks, pruning_epochs: int, settling_epochs: int
) -> Train:
    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model = _starting_network(dataset)
        hooks = pruning.IterativePruning(find_masks, pruning_epochs)
        history = fit(
            model,
            dataset,
            epochs=pruning_epochs + settling_epochs,
            lr=0.01,
            seed=seed,
            checkpoint=checkpoint,
            before_epoch=hooks.before_epoch,
            after_step=hooks.after_step,
        )
        return model, history

    return train


def experiments() -> list[Experiment]:
    """Return the table, with the recipes of the current profile.

    The published rows of smaller sparsities join in `full` alone: on the digits they would show
    little, and cost the time of another run each. What was published without retraining is each
    experiment's `untrained`.
    """
    retraining = pick(quick=3, full=20)
    pruning_epochs, settling = pick(quick=(3, 3), full=(10, 10))
    epochs = pruning_epochs + settling

    def tuned(name: str, how: str, start: Build, epochs: int, published: float) -> Experiment:
        recipe = f"{how}, then {epochs} epochs with masks, cosine from 0.01"
        train = _fine_tuned(start, epochs)
        return Experiment(name, "pruning", recipe, published, start, train)

    def by_std(name: str, s: float, published: float) -> Experiment:
        how = f"each layer pruned by its standard deviation, s = {s:g}"
        return tuned(name, how, _by_std(s), retraining, published)

    def by_percentage(name: str, q: float, published: float) -> Experiment:
        how = f"{q:g} % of each layer pruned"
        return tuned(name, how, _by_percentage(q), retraining, published)

    def iterative(name: str, how: str, masks_of: pruning.FindMasks, published: float) -> Experiment:
        recipe = (
            f"pruned {how} to 80 % over {pruning_epochs} epochs, {settling} more, cosine from 0.01"
        )
        start = _pruned(lambda weights: masks_of(weights, 80))
        train = _pruned_while_tuned(masks_of, pruning_epochs, settling)
        return Experiment(name, "pruning", recipe, published, start, train)

    table = [
        by_std("pruned_std", 1.0, 0.9091),
        by_percentage("pruned_percentage", 75, 0.9055),
        tuned("one_shot", "80 % of each layer pruned", _by_percentage(80), epochs, 0.8790),
        iterative("iterative", "layer by layer", pruning.percentage_masks, 0.8739),
        iterative("global_iterative", "globally", pruning.global_percentage_masks, 0.8868),
    ]
    if profile() == "full":
        table += [
            by_std("pruned_std_025", 0.25, 0.9172),
            by_std("pruned_std_050", 0.5, 0.9175),
            by_percentage("pruned_percentage_25", 25, 0.9183),
            by_percentage("pruned_percentage_50", 50, 0.9167),
        ]
    return table
