"""The networks that the assignments start from, in the variants that the documents used."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from torch import Tensor, nn

from autograder.errors import UserError
from autograder.references import artifacts
from autograder.runs.epochs import part
from autograder.runs.experiment import TRAINED, Build, Experiment, Train
from autograder.runs.sizes import float_sizes
from helpers.artifacts import ArtifactMissing, artifact_files, read_weights
from helpers.checkpoints import RECIPES, shipped_file, starting_weights
from helpers.data import Dataset
from helpers.models import ConvLayer, ResNet20, resnet20
from helpers.profile import profile
from helpers.training import History, fit, seed_everything

ASSIGNMENT = "starting_networks"
NARROW, WIDE = 16, 32
"""Channels of the first convolution: 270,896 weights in all, and 274,144."""
WIDE_WEIGHTS = 274_144
FEWEST_EPOCHS = 20
"""After fewer, a network on CIFAR-10 is not worth compressing, however little time there is."""


def starting_network(
    dataset: Dataset, conv: ConvLayer | Sequence[ConvLayer] = nn.Conv2d, head_width: int = NARROW
) -> ResNet20:
    """Return a network that is trained on `dataset`, with other layers if asked for.

    Parameters
    ----------
    dataset : Dataset
    conv : layer class, or three of them
        As `helpers.models.resnet20` takes them.
    head_width : {16, 32}
        The variant. Students have the narrow one only.

    Raises
    ------
    UserError
        If there is no such network yet; the message says how to train it.
    """
    model = resnet20(conv=conv, head_width=head_width)
    model.load_state_dict(_weights(profile(), head_width))
    return model.to(dataset.device).eval()


@cache
def _weights(profile: str, head_width: int) -> dict[str, Tensor]:
    if head_width == NARROW:
        found = starting_weights(profile)
        if found is not None:
            return found
        name = "resnet20"
    else:
        name = "resnet20_wide"
        try:
            return read_weights(_wide_file(profile))
        except ArtifactMissing:
            pass
    raise UserError(
        f"The starting network {name!r} is not trained yet: run "
        f"`autograder reference run --profile {profile} --only {name}` first."
    )


def start_digest(profile: str, weights: int | None) -> str:
    """Return the SHA-256 of the network of so many weights that the rows of a profile start from.

    Raises
    ------
    UserError
        If it is not trained yet.
    """
    wide = weights == WIDE_WEIGHTS
    found = hashlib.sha256()
    # A file of weights is read in any order.
    for _, tensor in sorted(_weights(profile, WIDE if wide else NARROW).items()):
        found.update(tensor.numpy().tobytes())
    return found.hexdigest()


def _wide_file(profile: str) -> Path:
    return artifact_files(artifacts(profile, ASSIGNMENT), "resnet20_wide")[0]


def _untrained(head_width: int) -> Build:
    def build(dataset: Dataset) -> nn.Module:
        seed_everything(0)
        return resnet20(head_width=head_width)

    return build


def _trained(head_width: int, epochs: int) -> Train:
    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        seed_everything(seed)
        model = resnet20(head_width=head_width)
        recipe = RECIPES[dataset.name] | {"epochs": epochs}
        return model, fit(model, dataset, seed=seed, checkpoint=checkpoint, **recipe)

    return train


def experiments(share: float) -> list[Experiment]:
    """Return the table: `full` only, since the network of `quick` is never trained anew.

    Everything else of `quick` was measured on the network that ships.
    """
    if profile() != "full":
        return []
    whole = RECIPES["cifar10"]["epochs"]
    epochs = max(FEWEST_EPOCHS, part(share, whole))
    recipe = f"{epochs} epochs, cosine from {RECIPES['cifar10']['lr']:g}"
    return [
        Experiment(
            "resnet20",
            ASSIGNMENT,
            recipe,
            _untrained(NARROW),
            _trained(NARROW, epochs),
            {TRAINED: 0.9151},
            float_sizes,
            keeps_weights=False,
            ships_as=shipped_file("full"),
            share=epochs / whole,
            remark="He et al. (CVPR 2016, table 6) report 0.9125 after 164 epochs.",
        ),
        Experiment(
            "resnet20_wide",
            ASSIGNMENT,
            recipe,
            _untrained(WIDE),
            _trained(WIDE, epochs),
            {TRAINED: 0.9169},
            float_sizes,
            weights=WIDE_WEIGHTS,
            share=epochs / whole,
            remark="The document reports 0.9101 for a second network of this kind.",
        ),
    ]
