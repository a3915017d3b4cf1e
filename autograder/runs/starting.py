"""The starting networks of the assignments, in the variants that the documents used."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from autograder.errors import UserError
from autograder.references import artifacts
from autograder.runs.epochs import Epochs
from autograder.runs.experiment import TRAINED, WIDE_WEIGHTS, Build, Experiment
from autograder.runs.sizes import float_sizes
from helpers.artifacts import ArtifactMissing, artifact_files, read_weights
from helpers.data import Dataset
from helpers.models import ConvLayer, ResNet20, resnet20
from helpers.pretrained import RECIPES, shipped_file, starting_weights
from helpers.profile import profile

ASSIGNMENT = "starting_networks"
NARROW, WIDE = 16, 32
"""Channels of the first convolution in the variants with 270,896 and with 274,144 weights."""
NAMES = {NARROW: "resnet20", WIDE: "resnet20_wide"}
"""The names of their experiments."""
FEWEST_EPOCHS = 20
"""With fewer epochs, a network for CIFAR-10 is not worth compressing, however short the time is."""


def starting_network(
    dataset: Dataset, conv: ConvLayer | Sequence[ConvLayer] = nn.Conv2d, head_width: int = NARROW
) -> ResNet20:
    """Return the starting network of the current profile.

    Parameters
    ----------
    dataset
        The data, on whose device the network will be.
    conv
        Layer class of the convolutions, or a sequence of three, one per stage, as
        `helpers.models.resnet20` takes it.
    head_width
        The variant: 16 or 32 channels of the first convolution. Students have only the narrow
        variant, which is the default.

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
    else:
        try:
            return read_weights(_wide_file(profile))
        except ArtifactMissing:
            pass
    raise UserError(
        f"The starting network {NAMES[head_width]!r} is not trained yet: run "
        f"`autograder reference run --profile {profile} --only {NAMES[head_width]}` first."
    )


def start_digest(profile: str, weights: int | None) -> str:
    """Return the SHA-256 of the starting network with this number of weights, in a profile.

    Raises
    ------
    UserError
        If the network is not trained yet.
    """
    wide = weights == WIDE_WEIGHTS
    found = hashlib.sha256()
    # The order of the weights in a file is arbitrary.
    for _, tensor in sorted(_weights(profile, WIDE if wide else NARROW).items()):
        found.update(tensor.numpy().tobytes())
    return found.hexdigest()


def _wide_file(profile: str) -> Path:
    return artifact_files(artifacts(profile, ASSIGNMENT), NAMES[WIDE])[0]


def _random(head_width: int) -> Build:
    return lambda dataset: resnet20(head_width=head_width)


def _row(name: str, head_width: int, **fields: Any) -> Experiment:
    whole = RECIPES["cifar10"]
    return Experiment(
        name=name,
        assignment=ASSIGNMENT,
        recipe="{epochs}, cosine from {lr}",
        start=_random(head_width),
        from_scratch=True,
        epochs=Epochs(full=whole["epochs"], least=FEWEST_EPOCHS),
        lr=whole["lr"],
        settings={key: whole[key] for key in whole if key not in ("epochs", "lr")},
        details=float_sizes,
        # The network of `quick` is never trained anew, because all other rows were measured with
        # the network that ships.
        only_in="full",
        draws_curve=True,
        **fields,
    )


EXPERIMENTS = (
    _row(
        NAMES[NARROW],
        NARROW,
        reported={TRAINED: 0.9151},
        keeps_weights=False,
        ships_as=shipped_file,
        remark="He et al. (CVPR 2016, table 6) report 0.9125 after 164 epochs.",
    ),
    _row(
        NAMES[WIDE],
        WIDE,
        reported={TRAINED: 0.9169},
        weights=WIDE_WEIGHTS,
        remark="The document reports 0.9101 for a second network of this kind.",
    ),
)
