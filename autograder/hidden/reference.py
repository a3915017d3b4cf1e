"""Expected values: the starting network, the grader's own measurements, and bars."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from torch import Tensor, nn

from autograder import references
from autograder.hidden.remembered import remembered
from autograder.hidden.student import StudentError
from autograder.hidden.submitted import submitted
from autograder.hidden.tolerance import accuracy_noise
from helpers import data, models, training
from helpers.artifacts import ArtifactError, ArtifactMissing, artifact_files, read_weights
from helpers.measurements import recall
from helpers.pretrained import starting_weights
from helpers.profile import profile
from helpers.reference import masks
from helpers.training_loss import training_loss

T = TypeVar("T")


def starting_state() -> dict[str, Tensor]:
    """Return the weights that the assignment starts from.

    They ship with `helpers`. If a profile has none yet, the weights of the submission's own
    starting network are returned, because all other values of the submission depend on it.

    Raises
    ------
    StudentError
        If the submission has to contain the starting network, but does not.
    """
    shipped = starting_weights(profile())
    if shipped is not None:
        return shipped
    try:
        return submitted("resnet20").weights
    except ArtifactError as error:
        raise StudentError(str(error)) from error


def starting_model(conv: Any = nn.Conv2d) -> nn.Module:
    """Return a ResNet-20 with the starting weights.

    Parameters
    ----------
    conv
        Layer class of the three stages, or a sequence of three, one per stage, as
        `helpers.models.resnet20` takes it. By default ``nn.Conv2d``.

    Returns
    -------
    nn.Module
        The network, in evaluation mode.
    """
    model = models.resnet20(conv=conv)
    model.load_state_dict(starting_state())
    return model.eval()


def pruned_model(find_masks: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> nn.Module:
    """Return a ResNet-20 with the starting weights, some of which are set to zero.

    Parameters
    ----------
    find_masks
        Takes a dict of the weights of the convolutions and linear layers, by the names of the
        layers, and returns a dict of the masks of the layers to prune.

    Returns
    -------
    nn.Module
        The network, in evaluation mode.
    """
    model = starting_model()
    masks.apply_masks(model, find_masks(masks.layer_weights(model)))
    return model


def weights(network: str, layer: str, *, sparsity: float = 0.0) -> Tensor:
    """Return the weight of one layer of a starting network.

    Parameters
    ----------
    network
        Name of the starting network: ``"resnet20"``.
    layer
        Name of the layer, such as ``"stage2.1.conv1"``.
    sparsity
        The share of the weights that is set to zero, those of smallest magnitude first. By
        default 0.
    """
    if network != "resnet20":
        raise KeyError(f"there is no starting network {network!r}")
    w = starting_state()[f"{layer}.weight"].clone()
    return w.masked_fill(~masks.magnitude_mask(w, sparsity), 0) if sparsity else w


def dataset(artifact: str | None = None) -> data.Dataset:
    """Return the data that artifacts are measured on.

    Parameters
    ----------
    artifact
        Name of an artifact, for the data of its reference run. By default the standard data of
        the profile.
    """
    run = references.runs(profile()).get(artifact, {}) if artifact else {}
    return _dataset(run["run_on"]["data"] if run else data.STANDARD[profile()])


@cache
def _dataset(name: str) -> data.Dataset:
    return data.load(name)


def accuracy(model: nn.Module, on: data.Dataset | None = None) -> float:
    """Return the test accuracy of `model`, from 0 to 1.

    What a reference run has already measured is not measured again.

    Parameters
    ----------
    model
        The network to measure.
    on
        The data. By default those of the profile.
    """
    images = dataset() if on is None else on
    known = recall(references.measurements(profile()), model, images)
    return training.evaluate(model, images) if known is None else known


def loss(model: nn.Module, on: data.Dataset) -> float:
    """Return the loss of `model` on training images of a dataset, in nats.

    What a reference run has already measured is not measured again.

    Parameters
    ----------
    model, on
        As for `helpers.training_loss.training_loss`.
    """
    known = recall(references.measurements(profile()), model, on, "train", "loss")
    return training_loss(model, on) if known is None else known


def noise() -> float:
    """Return how far apart two right measurements of an accuracy on `dataset` may be.

    See `autograder.hidden.tolerance.accuracy_noise`.
    """
    return accuracy_noise(len(dataset().test))


def measured(name: str, measure: Callable[[], T]) -> T:
    """Measure something that is the same for every submission, and remember it.

    Parameters
    ----------
    name
        Name of what is measured, unique in the course, such as ``"quantization/sweep"``.
    measure
        Does the measurement. It is called at most once per profile if the starting weights ship
        with `helpers` (see `autograder.hidden.remembered`), and otherwise each time.

    Returns
    -------
    object
        What `measure` returned.
    """
    if starting_weights(profile()) is None:
        return measure()
    return remembered(f"{profile()}/{name}", measure)


def trained_weights(assignment: str, name: str) -> dict[str, Tensor]:
    """Return the weights that the reference run of an artifact has kept in this profile.

    Parameters
    ----------
    assignment
        The assignment that the artifact belongs to.
    name
        Name of the artifact.

    Raises
    ------
    autograder.references.NoReferenceRun
        If there are none. The student is not to blame, so the submission gets no grade.
    """
    weights, _ = artifact_files(references.artifacts(profile(), assignment), name)
    try:
        return read_weights(weights)
    except ArtifactMissing as error:
        raise references.no_run(profile(), name) from error


def loss_limit(name: str) -> float | None:
    """Return the loss on training images that artifact `name` must stay below in this profile.

    See `autograder.references.loss_limit_of` for the rule. None: there is no such limit.
    """
    found = references.runs(profile())
    return references.loss_limit_of(found[name], found.values()) if name in found else None


def bar(name: str) -> float:
    """Return the bar of an artifact: the accuracy that it must reach in this profile.

    See `autograder.references.bar_of` for the rule.

    Raises
    ------
    autograder.references.NoReferenceRun
        If no reference run has trained a network of that name with two seeds or more.
    """
    return references.bar(profile(), name)


def bar_or(name: str, otherwise: Callable[[], float], why: str) -> tuple[float, str]:
    """Return the bar of an artifact, or what takes its place if no reference run gives one.

    Parameters
    ----------
    name
        Name of the artifact.
    otherwise
        Measures the accuracy that takes its place, from 0 to 1.
    why
        A sentence for students that says what `otherwise` measures.

    Returns
    -------
    least
        The bar, or what takes its place.
    why
        An empty text for a bar, and otherwise the sentence.
    """
    try:
        return bar(name), ""
    except references.NoReferenceRun:
        return measured(f"{name}/bar", otherwise), why
