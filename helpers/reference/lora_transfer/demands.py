"""What a transferred network must be besides accurate: frozen where it should be, and trained.

Each demand takes a loaded network, and returns None or what is wrong, in words for the student.
"""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import nn

from helpers.transfer import head_name

TOLERANCE = 5e-3
"""Largest difference of frozen numbers, relative to their norm.

Batch norm measures its statistics anew on the student's machine, which may round to ten bits.
"""


def unchanged(start: nn.Module) -> Callable[[nn.Module], str | None]:
    """Demand that what is frozen in `start` has the values that it has there.

    The classifier is left out, because its frozen weights were drawn at random.
    """

    def demand(model: nn.Module) -> str | None:
        trained = {name for name, p in start.named_parameters() if p.requires_grad}
        # A batch norm is frozen if its scale is.
        moving = {name.removesuffix("weight") for name in trained}
        found = model.state_dict()
        for name, expected in start.state_dict().items():
            owner = name.rpartition(".")[0] + "."
            if name in trained or owner in moving or name.startswith(f"{head_name()}."):
                continue
            now, before = found[name].cpu().double(), expected.cpu().double()
            counts_batches = name.endswith("num_batches_tracked")
            if (now - before).norm() <= (0 if counts_batches else TOLERANCE) * before.norm():
                continue
            if counts_batches or ".running_" in name:
                return (
                    f"the statistics in {owner[:-1]} are not those of a network that starts as "
                    "`new_network()` and keeps them frozen. Either the network started with other "
                    "statistics, or the module was in training mode, so that it was not frozen."
                )
            return f"{name} should be frozen, but it is not what it was before the training."
        return None

    return demand


def update_trained(model: nn.Module) -> str | None:
    """Demand that the low-rank updates are not zero."""
    for name, factor in model.named_parameters():
        if name.endswith(".B") and not torch.count_nonzero(factor):
            return f"{name} is still zero, so the low-rank update was not trained."
    return None


def update_used(
    measure: Callable[[nn.Module], float], noise: float
) -> Callable[[nn.Module], str | None]:
    """Demand that the low-rank updates are not zero, and that the network is worse without them.

    A classifier that was trained in full, with an update of tiny numbers beside it, is as accurate
    without the update. In `quick`, the network with a low-rank update of its classifier loses nine
    percentage points without it, and the one with updates in its convolutions seventy.

    Parameters
    ----------
    measure
        Returns the accuracy of a network.
    noise
        How far apart two measurements of the same accuracy may be.
    """

    def demand(model: nn.Module) -> str | None:
        if problem := update_trained(model):
            return problem
        without = deepcopy(model)
        for name, factor in without.named_parameters():
            if name.endswith(".B"):
                nn.init.zeros_(factor)
        if measure(without) < measure(model) - noise:
            return None
        return (
            "without its low-rank update it is as accurate as with it, so that what it has learned "
            "is not in the update."
        )

    return demand
