"""The experiments of `structured_pruning`: a ConvNet that is pruned while it is trained."""

from __future__ import annotations

from typing import Any

from torch import nn

from autograder.runs.convnet import DATA, EPOCHS, FEW_EPOCHS, FROM_SCRATCH, WEIGHTS, random_convnet
from autograder.runs.epochs import Length
from autograder.runs.experiment import Accuracy, Build, Experiment, Sweep
from autograder.runs.hooks import Hooks, MakeHooks
from helpers.batch_norm import reestimate_batch_norm
from helpers.data import Dataset
from helpers.models import ConvLayer
from helpers.reference.baseline.network import trained_convnet
from helpers.reference.structured_pruning import filters
from helpers.reference.structured_pruning.layers import (
    SparseConv2d,
    SparseConvNet,
    SparseWeightConv2d,
)

PERCENTAGES = (10, 20, 30, 40, 50)

WAYS: dict[str, tuple[ConvLayer, filters.Prune]] = {
    "filters": (SparseConv2d, filters.filter_l1_pruning),
    "weights": (SparseWeightConv2d, filters.unstructured_pruning),
}
"""What is pruned: the layer with a mask for it, and the function that prunes."""

# ------------------------------------------------------------------------------------------------
# The networks at the start, and what is done to them


def _random(conv: ConvLayer, prune: filters.Prune, percentage: float) -> Build:
    """Return a function that makes a network with random weights, of which a part is pruned."""

    def build(dataset: Dataset) -> nn.Module:
        model = SparseConvNet(conv)
        prune(model, percentage)
        return model.to(dataset.device)

    return build


def _prune_more(prune: filters.Prune) -> MakeHooks:
    """Prune before each epoch what the schedule asks for; the masks are kept in the model."""

    def hooks(model: nn.Module, length: Length) -> Hooks:
        def before_epoch(model: nn.Module, epoch: int) -> None:
            prune(model, filters.scheduled_percentage(epoch, length.total))

        return Hooks(before_epoch=before_epoch)

    return hooks


def _details(model: nn.Module) -> dict[str, float]:
    return {
        "filters pruned": filters.pruned_filters(model),
        "weights pruned": filters.pruned_weights(model),
    }


# ------------------------------------------------------------------------------------------------
# The table


def _pruned(name: str, what: str, **fields: Any) -> Experiment:
    """Return the row of a network that is pruned while it is trained."""
    conv, prune = WAYS[what]
    return Experiment(
        name=name,
        assignment="structured_pruning",
        recipe=f"10 % more of the {what} pruned after each tenth of the epochs, 50 % in the end, "
        "{epochs}, MultiStep from {lr}",
        start=_random(conv, prune, 0),
        untrained=_random(conv, prune, filters.FINAL_PERCENTAGE),
        epochs=EPOCHS,
        settings={"schedule": "multistep"},
        hooks=_prune_more(prune),
        details=_details,
        draws_curve=True,
        **FROM_SCRATCH,
        **fields,
    )


def _few_epochs(name: str, what: str, start: Build, **fields: Any) -> Experiment:
    """Return the row of a network that is trained for a few epochs and not pruned."""
    return Experiment(
        name=name,
        assignment="structured_pruning",
        recipe=f"{what}, {{epochs}}, constant rate {{lr}}",
        start=start,
        epochs=FEW_EPOCHS,
        settings={"schedule": "constant"},
        # A few epochs at a high rate vary more than the long trainings that end with a low one.
        is_steady=False,
        **FROM_SCRATCH,
        **fields,
    )


EXPERIMENTS = (
    _few_epochs("sparse_convnet", "nothing pruned", _random(*WAYS["filters"], 0), details=_details),
    # Students train it for comparison, and nobody grades it.
    _few_epochs("dense_convnet", "without masks", random_convnet(), only_in="quick"),
    _pruned("structured", "filters"),
    _pruned("unstructured", "weights"),
)

# ------------------------------------------------------------------------------------------------
# What is measured without training


def _pruned_at_once(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
    """Prune the trained baseline, and measure it as it is and with batch norm measured anew."""
    baseline, _ = trained_convnet(dataset)
    found = {"nothing pruned": accuracy(baseline)}
    for what, (conv, prune) in WAYS.items():
        for percentage in PERCENTAGES:
            model = SparseConvNet(conv).to(dataset.device)
            model.load_state_dict(baseline.state_dict(), strict=False)
            prune(model, percentage)
            found[f"{percentage} % of the {what}"] = accuracy(model)
            reestimate_batch_norm(model, dataset)
            found[f"{percentage} % of the {what}, batch norm measured anew"] = accuracy(model)
    return found


SWEEPS = (
    Sweep(
        name="convnet_pruned_at_once",
        assignment="structured_pruning",
        recipe="the trained ConvNet pruned at once, nothing trained",
        measure=_pruned_at_once,
        data=DATA,
        weights=WEIGHTS,
        from_scratch=True,
    ),
)
