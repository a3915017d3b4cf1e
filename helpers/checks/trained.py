"""The check of a trained network: how far its accuracy is from the one that the course asks for."""

import math
from copy import deepcopy
from typing import Any

from torch import nn

from helpers.artifacts import ArtifactError, artifact_folder, load_artifact
from helpers.bars import bar
from helpers.checks.answers import expect, kind
from helpers.checks.result import Claims, Wrong, public_check
from helpers.dataset import Dataset
from helpers.measurements import measure, measure_loss
from helpers.profile import profile


@public_check("trained network")
def trained(name: str, model: Any, dataset: Dataset) -> Claims:
    """Measure a saved artifact, and compare it with the bar of the course.

    The grader measures in the same way, but in a network of its own.

    Parameters
    ----------
    name
        Name of the artifact, as it was given to `helpers.artifacts.train_or_load`.
    model
        A network with the layers of the artifact, such as the trained one. It is not changed.
    dataset
        The data set of the profile.
    """
    yield f"`{name}` is saved in {artifact_folder()} and fits the network"
    expect(
        isinstance(model, nn.Module),
        f"The second argument should be the trained network; yours is {kind(model)}.",
    )
    saved = deepcopy(model)
    try:
        load_artifact(artifact_folder(), name).load_into(saved)
    except ArtifactError as error:
        raise Wrong(str(error)) from error

    least = bar(profile(), name)
    accuracy = measure(saved, dataset)
    if least is None:
        yield (
            f"classifies {accuracy:.4f} of the test {dataset.unit} right; the course has no bar "
            f"for it"
        )
        return
    images = dataset.test.targets.numel()
    needed = math.ceil(least.accuracy * images - 1e-9)
    found = round(accuracy * images)
    yield (
        f"reaches the accuracy that the course asks for, {least.accuracy:.4f}: the saved network "
        f"has {accuracy:.4f}"
    )
    if found < needed:
        raise Wrong(
            f"{found:,} of the {images:,} test {dataset.unit} are classified correctly, and "
            f"{needed:,} are needed: {needed - found:,} more. Have you trained for as many epochs "
            f"as the text says, with its learning rate? To train again, delete "
            f"`{name}.safetensors` from `{artifact_folder()}` and run the cell again."
        )
    if least.loss is not None:
        loss = measure_loss(saved, dataset)
        yield (
            f"has a loss below {least.loss:.4f} on training images, so that its weights have been "
            f"trained: the saved network has {loss:.4f}"
        )
        if not loss < least.loss:
            raise Wrong(
                "The accuracy is high enough, but a network whose weights were not trained may "
                "have it as well, if its batch norm was adapted. Do the weights of the "
                "convolutions change in your training? Have you trained for as many epochs as "
                "the text says?"
            )
