"""Verify trainings by measuring the submitted weights, whatever the submission says about them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence

from torch import nn

from autograder.hidden import reference
from autograder.hidden.checks import Check
from autograder.hidden.submitted import submitted
from helpers.artifacts import ArtifactError


def trained(
    name: str,
    build: Callable[[], nn.Module],
    *,
    at_least: float | None = None,
    why: str = "",
    also: Sequence[Callable[[nn.Module], str | None]] = (),
    label: str | None = None,
    weight: float = 1.0,
) -> Check:
    """Load a trained artifact of the submission into the grader's own network, and measure it.

    Parameters
    ----------
    name
        Name of the artifact.
    build
        Makes the network for these weights, with the layers of the reference.
    at_least
        The test accuracy from 0 to 1 that gives full credit. By default the bar of the artifact
        (`reference.bar`).
    why
        A sentence that says where `at_least` comes from, for the feedback.
    also
        Further demands on the loaded network: each returns None, or what is wrong.
    label
        What was checked. By default the name of the artifact.
    weight
        Weight of the check among all checks of its question.

    Returns
    -------
    Check
        Its credit is 0 or 1: a network below the bar was not trained as asked.
    """
    label = label or f"artifact `{name}`"
    model = build()
    try:
        artifact = submitted(name)
        artifact.load_into(model)
    except ArtifactError as error:
        return Check(label, 0.0, str(error), weight)
    # The name stands for the network that `build` makes, and the digest for its weights: a
    # submission that is graded again, or handed in twice, is not measured again.
    content = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        content.update(key.encode() + tensor.numpy().tobytes())
    measurement = f"{name}/{content.hexdigest()}"
    dataset = reference.dataset(name)
    accuracy = reference.measured(measurement, lambda: reference.accuracy(model.eval(), dataset))
    claimed = artifact.history.test_accuracy[-1] if artifact.history.test_accuracy else math.nan
    # These weights give what the last epoch measured, except for images between two classes, where
    # the rounding of another machine decides. We allow five standard errors of that accuracy: far
    # more than rounding can change, and far less than any claim that would be worth making up.
    images = dataset.test.targets.numel()
    allowed = 5 * math.sqrt(max(accuracy * (1 - accuracy), 1 / images) / images)
    if not claimed <= accuracy + allowed:
        text = (
            f"its history ends with an accuracy of {claimed:.4f}, but the saved weights give "
            f"{accuracy:.4f}: the weights and the history are not from the same training."
        )
        return Check(label, 0.0, text, weight)
    least = reference.bar(name) if at_least is None else at_least
    if accuracy < least:
        text = f"the saved weights give an accuracy of {accuracy:.4f}, but {least:.4f} is needed."
        text = f"{text} {why}".rstrip()
        return Check(label, 0.0, text, weight)
    limit = reference.loss_limit(name)
    if limit is not None:
        loss = reference.measured(f"{measurement}/loss", lambda: reference.loss(model, dataset))
        if not loss < limit:
            text = (
                f"its loss on the training images is {loss:.4f}. After the training that was asked "
                f"for it is below {limit:.4f}; a network like this one has the right accuracy, but "
                "its weights have hardly been trained."
            )
            return Check(label, 0.0, text, weight)
    for demand in also:
        if problem := demand(model):
            return Check(label, 0.0, problem, weight)
    return Check(label, 1.0, "", weight)
