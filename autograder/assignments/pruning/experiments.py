"""The experiments of `pruning`: pruned at once or step by step, and trained in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import Tensor, nn

from autograder.runs.epochs import STEPS, in_words, part
from autograder.runs.experiment import TRAINED, UNTRAINED, Accuracy, Build, Experiment, Sweep, Train
from autograder.runs.fine_tuning import LR, fine_tuned
from autograder.runs.sizes import float_sizes
from autograder.runs.starting import NARROW, WIDE, WIDE_WEIGHTS, starting_network
from helpers.data import Dataset
from helpers.profile import pick, profile
from helpers.reference import masks
from helpers.reference.pruning import magnitude
from helpers.training import History, fit

Masks = Callable[[dict[str, Tensor]], dict[str, Tensor]]


def pruned(find_masks: Masks, head_width: int = NARROW) -> Build:
    """Make a function that prunes the starting network, and does nothing else to it."""

    def build(dataset: Dataset) -> nn.Module:
        model = starting_network(dataset, head_width=head_width)
        masks.apply_masks(model, find_masks(masks.layer_weights(model)))
        return model

    return build


def by_std(s: float) -> Masks:
    """Prune each layer by `s` of its standard deviations."""
    return lambda weights: {k: magnitude.prune_by_std(w, s)[1] for k, w in weights.items()}


def by_percentage(q: float) -> Masks:
    """Prune `q` percent of each layer."""
    return lambda weights: magnitude.percentage_masks(weights, q)


def _pruned_while_tuned(
    find_masks: magnitude.FindMasks, pruning_epochs: int, settling_epochs: int
) -> Train:
    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model = starting_network(dataset)
        hooks = magnitude.IterativePruning(find_masks, pruning_epochs)
        history = fit(
            model,
            dataset,
            epochs=pruning_epochs + settling_epochs,
            lr=LR,
            seed=seed,
            checkpoint=checkpoint,
            before_epoch=hooks.before_epoch,
            after_step=hooks.after_step,
        )
        return model, history

    return train


def experiments(share: float) -> list[Experiment]:
    """Return the table, with the recipes of the current profile."""
    return [*_handed_in(share), *(_documents(share) if profile() == "full" else [])]


def _tuned(
    name: str,
    how: str,
    find_masks: Masks,
    epochs: int,
    published: dict[str, float],
    wide: bool = False,
) -> Experiment:
    start = pruned(find_masks, WIDE if wide else NARROW)
    return Experiment(
        name,
        "pruning",
        f"each layer pruned by {how}, {in_words(epochs)} with masks, cosine from {LR:g}",
        start,
        fine_tuned(start, epochs),
        published,
        float_sizes,
        weights=WIDE_WEIGHTS if wide else Experiment.weights,
        keeps_weights=not wide,
    )


def _handed_in(share: float) -> list[Experiment]:
    """Return what students train, too."""
    retraining = pick(quick=3, full=part(share, 20))
    pruning_epochs, settling = pick(quick=(3, 3), full=(part(share, 10, STEPS), part(share, 10)))
    epochs = pruning_epochs + settling

    def iterative(name: str, how: str, find: magnitude.FindMasks, **published: float) -> Experiment:
        return Experiment(
            name,
            "pruning",
            f"pruned {how} to 80 % over {in_words(pruning_epochs)}, {epochs} in all, cosine "
            f"from {LR:g}",
            pruned(lambda weights: find(weights, 80)),
            _pruned_while_tuned(find, pruning_epochs, settling),
            published,
            float_sizes,
        )

    globally = magnitude.global_percentage_masks
    one_shot = {UNTRAINED: 0.1003, TRAINED: 0.8790}
    return [
        _tuned("pruned_std", "s = 1", by_std(1.0), retraining, {}),
        _tuned("pruned_percentage", "75 %", by_percentage(75), retraining, {}),
        _tuned("one_shot", "80 %", by_percentage(80), epochs, one_shot),
        iterative("iterative", "layer by layer", magnitude.percentage_masks, trained=0.8739),
        iterative("global_iterative", "globally", globally, trained=0.8868, sparsity=0.8000007),
    ]


def _documents(share: float) -> list[Experiment]:
    """Return what the documents report of the wide network: accuracy, sparsity, accuracy."""
    epochs = part(share, 20)
    by_s = {
        0.25: (0.9134, 0.2374, 0.9172),
        0.5: (0.8735, 0.4367, 0.9175),
        1.0: (0.4453, 0.7243, 0.9091),
    }
    by_q = {25: (0.9134, 0.9183), 50: (0.8371, 0.9167), 75: (0.2538, 0.9055)}
    return [
        *(
            _tuned(
                f"wide_std_{s * 100:03.0f}",
                f"s = {s:g}",
                by_std(s),
                epochs,
                {UNTRAINED: before, "sparsity": zeros, TRAINED: after},
                wide=True,
            )
            for s, (before, zeros, after) in by_s.items()
        ),
        *(
            _tuned(
                f"wide_percentage_{q}",
                f"{q} %",
                by_percentage(q),
                epochs,
                {UNTRAINED: before, TRAINED: after},
                wide=True,
            )
            for q, (before, after) in by_q.items()
        ),
    ]


def sweeps() -> list[Sweep]:
    """Return what is measured without training."""
    published = {"40 %": 0.8874, "60 %": 0.7226, "80 %": 0.1003}

    def measured(
        find_masks: magnitude.FindMasks,
    ) -> Callable[[Dataset, Accuracy], dict[str, float]]:
        def measure(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
            found = {}
            for q in (40, 60, 80):
                model = starting_network(dataset)
                masks.apply_masks(model, find_masks(masks.layer_weights(model), q))
                found[f"{q} %"] = accuracy(model)
            return found

        return measure

    per_layer = measured(magnitude.percentage_masks)
    globally = measured(magnitude.global_percentage_masks)
    return [
        Sweep(
            "pruned_per_layer", "pruning", "each layer pruned, not retrained", per_layer, published
        ),
        Sweep("pruned_globally", "pruning", "pruned globally, not retrained", globally),
    ]
