"""The experiments of `lora_transfer`: a pretrained network, and how much of it is trained."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn

from autograder.runs.epochs import Epochs
from autograder.runs.experiment import Build, Experiment
from helpers.data import Dataset
from helpers.models import resnet20
from helpers.reference.lora_transfer import networks
from helpers.transfer import head_name

DATA = {"quick": "dark_digits", "full": "cifar10"}
EPOCHS = Epochs(quick=4, full=20)
RATE = 0.02

START: dict[str, Any] = {
    "assignment": "lora_transfer",
    # The classifier is drawn at random, and the other weights are not those that other assignments
    # start from: in `quick` the network of `full`, and in `full` one that was trained on ImageNet.
    "from_scratch": True,
    "has_controls": False,
    "data": DATA,
    "epochs": EPOCHS,
    "lr": RATE,
    "remark": "`quick`: a ResNet-20 for CIFAR-10. `full`: a ResNet-18 for ImageNet with "
    "11,172,032 weights.",
}


def _row(name: str, how: str, start: Build, **fields: Any) -> Experiment:
    return Experiment(
        name=name, recipe=f"{how}, {{epochs}}, cosine from {{lr}}", start=start, **START | fields
    )


HANDED_IN = (
    _row("pt_net", "pretrained, all trained", networks.new_network, draws_curve=True),
    _row(
        "net_freeze",
        "pretrained, all but the last stage and the classifier frozen",
        networks.frozen_network,
        draws_curve=True,
    ),
    _row(
        "net_freeze_lora",
        f"the same with a LoRA classifier of rank {networks.RANK}",
        networks.lora_head_network,
        draws_curve=True,
    ),
    _row(
        "lora_convs",
        f"pretrained and frozen, LoRA of rank {networks.RANK} in the stages, new classifier",
        networks.lora_convs_network,
        draws_curve=True,
    ),
)
"""The networks that students train and that are graded."""


def _statistics_move(dataset: Dataset) -> nn.Module:
    """Freeze the parameters and nothing else, with the statistics of the old images at first."""
    model = networks.new_network(dataset, measured_anew=False)
    for name, child in model.named_children():
        if name not in networks.trained_parts():
            child.requires_grad_(False)
    return model


def _frozen_head(dataset: Dataset) -> nn.Module:
    model = networks.frozen_network(dataset)
    model.get_submodule(head_name()).requires_grad_(False)
    return model


def _random(dataset: Dataset) -> nn.Module:
    return resnet20().to(dataset.device)


UNGRADED: dict[str, Any] = {"only_in": "quick", "is_steady": False}
HEAD_RANKS = (1, 9)
CONV_RANKS = (1, 16)

COMPARED = (
    _row("not_pretrained", "random weights, all trained", _random, **UNGRADED),
    _row(
        "old_statistics",
        "as net_freeze, with the batch norm statistics of the pretrained network",
        partial(networks.frozen_network, measured_anew=False),
        **UNGRADED,
    ),
    _row(
        "moving_statistics",
        "the same, with batch norm statistics that move",
        _statistics_move,
        **UNGRADED,
    ),
    _row(
        "head_frozen",
        "as net_freeze, with the random classifier frozen too",
        _frozen_head,
        **UNGRADED,
    ),
    *(
        _row(
            f"head_rank_{r}",
            f"as net_freeze_lora, with rank {r}",
            partial(networks.lora_head_network, r=r, alpha=2.0 * r),
            **UNGRADED,
        )
        for r in HEAD_RANKS
    ),
    *(
        _row(
            f"convs_rank_{r}",
            f"as lora_convs, with rank {r}",
            partial(networks.lora_convs_network, r=r, alpha=2.0 * r),
            **UNGRADED,
        )
        for r in CONV_RANKS
    ),
)
"""The networks that students train for comparison, and that nobody grades."""

EXPERIMENTS = (*HANDED_IN, *COMPARED)
