"""The experiments of `pruning`: networks pruned at once, or step by step while they are trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from autograder.runs.epochs import Epochs, Length, Phases
from autograder.runs.experiment import (
    TRAINED,
    UNTRAINED,
    WIDE_WEIGHTS,
    Accuracy,
    Build,
    Experiment,
    Sweep,
)
from autograder.runs.hooks import Hooks, MakeHooks, keep_zeros
from autograder.runs.sizes import float_sizes
from autograder.runs.starting import NARROW, WIDE, starting_network
from helpers.batch_norm import reestimate_batch_norm
from helpers.data import Dataset
from helpers.reference import masks
from helpers.reference.pruning import magnitude

Masks = Callable[[dict[str, Tensor]], dict[str, Tensor]]

SPARSITY = 80  # per cent, at which the three methods are compared
RETRAINING = Epochs(quick=2, full=20)
STEP_BY_STEP = Phases(pruning=Epochs(quick=3, full=10), settling=Epochs(quick=3, full=10))

# ------------------------------------------------------------------------------------------------
# The networks at the start, and what is done to them


def _pruned(find_masks: Masks, head_width: int = NARROW) -> Build:
    """Return a function that prunes the starting network and does nothing else to it."""

    def build(dataset: Dataset) -> nn.Module:
        model = starting_network(dataset, head_width=head_width)
        masks.apply_masks(model, find_masks(masks.layer_weights(model)))
        return model

    return build


def _by_std(s: float) -> Masks:
    """Prune each layer with a threshold of `s` standard deviations of its weights."""
    return lambda weights: {k: magnitude.prune_by_std(w, s)[1] for k, w in weights.items()}


def _by_percentage(q: float) -> Masks:
    """Prune `q` per cent of each layer."""
    return lambda weights: magnitude.percentage_masks(weights, q)


def _globally(q: float) -> Masks:
    """Prune `q` per cent of all weights by one ranking."""
    return lambda weights: magnitude.global_percentage_masks(weights, q)


def _prune_more(find_masks: magnitude.FindMasks) -> MakeHooks:
    """Prune more weights before each of the pruning epochs; then hold the masks."""

    def hooks(model: nn.Module, length: Length) -> Hooks:
        pruning = magnitude.IterativePruning(find_masks, length.pruning)
        return Hooks(before_epoch=pruning.before_epoch, after_step=pruning.after_step)

    return hooks


# ------------------------------------------------------------------------------------------------
# The table


def _retrained(
    name: str, how: str, find_masks: Masks, head_width: int = NARROW, **fields: Any
) -> Experiment:
    """Return the row of a network that is pruned at once and then trained with masks."""
    return Experiment(
        name=name,
        assignment="pruning",
        recipe=f"each layer pruned by {how}, {{epochs}} with masks, cosine from {{lr}}",
        start=_pruned(find_masks, head_width),
        hooks=keep_zeros,
        details=float_sizes,
        **fields,
    )


def _iterative(name: str, how: str, find_masks: magnitude.FindMasks, **fields: Any) -> Experiment:
    """Return the row of a network that is pruned step by step while it is trained."""
    return Experiment(
        name=name,
        assignment="pruning",
        recipe=f"pruned {how} to {SPARSITY} % over {{pruning}}, {{total}} in all, "
        "cosine from {lr}",
        start=starting_network,
        untrained=_pruned(lambda weights: find_masks(weights, SPARSITY)),
        epochs=STEP_BY_STEP,
        hooks=_prune_more(find_masks),
        details=float_sizes,
        **fields,
    )


HANDED_IN = (
    _retrained("pruned_std", "s = 1", _by_std(1.0), epochs=RETRAINING),
    _retrained("pruned_percentage", "75 %", _by_percentage(75), epochs=RETRAINING),
    _retrained(
        "one_shot",
        f"{SPARSITY} %",
        _by_percentage(SPARSITY),
        # As many as step-by-step pruning, with which it is compared.
        epochs=STEP_BY_STEP,
        reported={UNTRAINED: 0.1003, TRAINED: 0.8790},
        draws_curve=True,
    ),
    _iterative(
        "iterative",
        "layer by layer",
        magnitude.percentage_masks,
        reported={TRAINED: 0.8739},
    ),
    _iterative(
        "global_iterative",
        "globally",
        magnitude.global_percentage_masks,
        reported={TRAINED: 0.8868, "sparsity": 0.8000007},
        draws_curve=True,
    ),
)
"""The networks that students train and that are graded."""

UNGRADED: dict[str, Any] = {"epochs": RETRAINING, "only_in": "quick", "has_controls": False}
MILDER = (
    *(
        _retrained(f"std_{s * 100:03.0f}", f"s = {s:g}", _by_std(s), **UNGRADED)
        for s in (0.25, 0.5)
    ),
    *(_retrained(f"percentage_{q}", f"{q} %", _by_percentage(q), **UNGRADED) for q in (25, 50)),
    Experiment(
        name="not_pruned",
        assignment="pruning",
        recipe="nothing pruned, {epochs}, cosine from {lr}",
        start=starting_network,
        details=float_sizes,
        **UNGRADED,
    ),
)
"""The networks that students train for comparison, and that nobody grades.

In `full`, the networks `WIDE_NETWORKS` take their place.
"""

WIDE_ONLY: dict[str, Any] = {
    "head_width": WIDE,
    "epochs": Epochs(full=20),
    "weights": WIDE_WEIGHTS,
    "only_in": "full",
    "keeps_weights": False,
}
REPORTED_BY_STD = {
    0.25: {UNTRAINED: 0.9134, "sparsity": 0.2374, TRAINED: 0.9172},
    0.5: {UNTRAINED: 0.8735, "sparsity": 0.4367, TRAINED: 0.9175},
    1.0: {UNTRAINED: 0.4453, "sparsity": 0.7243, TRAINED: 0.9091},
}
REPORTED_BY_PERCENTAGE = {
    25: {UNTRAINED: 0.9134, TRAINED: 0.9183},
    50: {UNTRAINED: 0.8371, TRAINED: 0.9167},
    75: {UNTRAINED: 0.2538, TRAINED: 0.9055},
}

WIDE_NETWORKS = (
    *(
        _retrained(
            f"wide_std_{s * 100:03.0f}",
            f"s = {s:g}",
            _by_std(s),
            reported=reported,
            **WIDE_ONLY,
        )
        for s, reported in REPORTED_BY_STD.items()
    ),
    *(
        _retrained(
            f"wide_percentage_{q}",
            f"{q} %",
            _by_percentage(q),
            reported=reported,
            **WIDE_ONLY,
        )
        for q, reported in REPORTED_BY_PERCENTAGE.items()
    ),
)
"""The networks for which figures of the wide variant were reported."""

EXPERIMENTS = (*HANDED_IN, *MILDER, *WIDE_NETWORKS)

# ------------------------------------------------------------------------------------------------
# What is measured without training


def _pruned_by_40_60_80(
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


def _measured_anew(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
    """Prune in every way of the notebook, and measure with new statistics of batch norm."""
    found_by: dict[str, Masks] = {"nothing pruned": lambda weights: {}}
    found_by |= {f"s = {s:g}": _by_std(s) for s in (0.25, 0.5, 1.0)}
    found_by |= {f"{q} %": _by_percentage(q) for q in (25, 40, 50, 60, 75, 80)}
    found_by |= {f"{q} % globally": _globally(q) for q in (40, 50, 60, 80)}
    found = {}
    for label, find_masks in found_by.items():
        model = _pruned(find_masks)(dataset)
        reestimate_batch_norm(model, dataset)
        found[label] = accuracy(model)
    return found


SWEEPS = (
    Sweep(
        name="pruned_measured_anew",
        assignment="pruning",
        recipe="each layer pruned, not retrained, batch norm measured anew",
        measure=_measured_anew,
    ),
    Sweep(
        name="pruned_per_layer",
        assignment="pruning",
        recipe="each layer pruned, not retrained",
        measure=_pruned_by_40_60_80(magnitude.percentage_masks),
        reported={"40 %": 0.8874, "60 %": 0.7226, "80 %": 0.1003},
    ),
    Sweep(
        name="pruned_globally",
        assignment="pruning",
        recipe="pruned globally, not retrained",
        measure=_pruned_by_40_60_80(magnitude.global_percentage_masks),
    ),
)
