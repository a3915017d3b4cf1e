"""Training verified: the submitted weights are measured here; nothing said of them is believed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence

from torch import nn

from autograder.hidden import reference
from autograder.hidden.checks import Check
from autograder.hidden.submitted import submitted
from autograder.training_loss import training_loss
from helpers.artifacts import ArtifactError


def trained(
    name: str,
    build: Callable[[], nn.Module],
    *,
    at_least: float,
    also: Sequence[Callable[[nn.Module], str | None]] = (),
    label: str | None = None,
    weight: float = 1.0,
) -> Check:
    """Reload a trained artifact of the submission into our own network and measure it.

    Parameters
    ----------
    name : str
        Name of the artifact.
    build : callable
        Makes the network that the weights belong in, with the reference's layers.
    at_least : float
        Test accuracy that gives the full credit, from 0 to 1 (`reference.threshold`).
    also : sequence of callable
        Further demands on the loaded network: each returns None, or what is wrong.
    label : str, optional
        By default the name of the artifact.
    weight : float, default=1
        Part in the question's points.

    Returns
    -------
    Check
        All or nothing: a network that misses the threshold was not trained as asked.
    """
    label = label or f"artifact `{name}`"
    model = build()
    try:
        artifact = submitted(name)
        artifact.load_into(model)
    except ArtifactError as error:
        return Check(label, 0.0, str(error), weight)
    # The name stands for the network that `build` makes, the digest for its weights: the same
    # submission graded again, or handed in twice, is not measured again.
    content = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        content.update(key.encode() + tensor.numpy().tobytes())
    measurement = f"{name}/{content.hexdigest()}"
    accuracy = reference.measured(measurement, lambda: reference.accuracy(model.eval()))
    claimed = artifact.history.test_accuracy[-1] if artifact.history.test_accuracy else math.nan
    # What the last epoch measured is what these weights give, up to images on the edge between two
    # classes, where another machine's rounding decides: we allow five standard errors of that
    # accuracy, far above any rounding and far below any claim worth making up.
    images = len(reference.dataset().test.labels)
    allowed = 5 * math.sqrt(max(accuracy * (1 - accuracy), 1 / images) / images)
    if not claimed <= accuracy + allowed:
        text = (
            f"its history ends at an accuracy of {claimed:.4f}, but the saved weights give "
            f"{accuracy:.4f}: weights and history are not from the same training."
        )
        return Check(label, 0.0, text, weight)
    if accuracy < at_least:
        text = f"the saved weights give an accuracy of {accuracy:.4f}; {at_least:.4f} is asked for."
        return Check(label, 0.0, text, weight)
    limit = reference.loss_limit(name)
    if limit is not None:
        loss = reference.measured(
            f"{measurement}/loss", lambda: training_loss(model, reference.dataset())
        )
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
