"""The experiment of `depthwise_conv`: the ConvNet with depthwise separable convolutions."""

from __future__ import annotations

from torch import nn

from autograder.runs.convnet import EPOCHS, FROM_SCRATCH, random_convnet
from autograder.runs.experiment import Experiment
from helpers.reference.depthwise_conv.library import LibrarySeparableConvolution

WEIGHTS = 18_491
"""Number of weights in its convolutions and its classifier."""


def _weights(model: nn.Module) -> dict[str, float]:
    """Count the weights of the network; batch norm and biases do not count."""
    return {"weights": float(sum(p.numel() for p in model.parameters() if p.dim() > 1))}


EXPERIMENTS = (
    Experiment(
        name="depthwise_convnet",
        assignment="depthwise_conv",
        recipe="ConvNet with depthwise separable convolutions, {epochs} from random weights, "
        "multistep from {lr}, in float32",
        start=random_convnet(LibrarySeparableConvolution),
        epochs=EPOCHS,
        # On the processor of the reference runs of `quick`, a training in bfloat16 takes more than
        # twice as long.
        settings={"schedule": "multistep", "precision": "float32"},
        details=_weights,
        draws_curve=True,
        **(FROM_SCRATCH | {"weights": WEIGHTS}),
    ),
)
