"""The ConvNet that three assignments train from scratch: its data, its start and its recipe."""

from __future__ import annotations

from typing import Any

from torch import nn

from autograder.runs.epochs import Epochs
from autograder.runs.experiment import Build
from helpers.data import Dataset
from helpers.models import ConvLayer, convnet

DATA = {"quick": "dark_digits", "full": "cifar10"}
WEIGHTS = 140_384
"""Number of weights in its convolutions and its classifier."""

EPOCHS = Epochs(quick=20, full=100)
FEW_EPOCHS = Epochs(quick=5, full=5, least=5)
RATE = 0.1
"""The learning rate at the start."""

FROM_SCRATCH: dict[str, Any] = {
    "from_scratch": True,
    "data": DATA,
    "weights": WEIGHTS,
    "lr": RATE,
    # With weights that were never trained, there is nothing that could be measured anew or frozen.
    "has_controls": False,
}
"""What the experiments with this network have in common, as fields of `Experiment`."""


def random_convnet(conv: ConvLayer = nn.Conv2d) -> Build:
    """Return a function that makes the network with random weights.

    Parameters
    ----------
    conv
        Layer class of the convolutions, as `helpers.models.convnet` takes it.
    """

    def build(dataset: Dataset) -> nn.Module:
        return convnet(conv=conv).to(dataset.device)

    return build
