"""A demand on a trained network: it is not another one of the submission."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from autograder.hidden.demands import Demand
from autograder.hidden.submitted import submitted
from helpers.artifacts import ArtifactError


def differs_from(others: Sequence[str], why: str) -> Demand:
    """Demand that a network does not have the weights of another artifact of the submission.

    Parameters
    ----------
    others
        Names of the other artifacts. Those that were not submitted do not count.
    why
        What differs between the trainings, for the feedback, such as ``"schedules"``.
    """

    def demand(model: nn.Module) -> str | None:
        own = dict(model.named_parameters())
        for other in others:
            try:
                weights = submitted(other).weights
            except ArtifactError:
                continue
            if all(n in weights and torch.equal(t.cpu(), weights[n]) for n, t in own.items()):
                return (
                    f"its weights are those of `{other}` in every bit, and two trainings with "
                    f"different {why} never end with the same weights. Train it as the question "
                    "asks, and save it under its own name."
                )
        return None

    return demand
