"""Freeze a part of a network, and count what is left to train.

The names are those of the notebook.
"""

from collections.abc import Collection
from typing import Any

from torch import nn

BYTES = 4
"""Bytes of a float32."""


def freeze(module: nn.Module) -> None:
    """Freeze a module: neither its parameters nor its batch norm statistics change in training.

    ``requires_grad=False`` stops the parameters. The running statistics of batch norm are no
    parameters: they move with every batch that passes in training mode. Hence the module returns to
    evaluation mode whenever it is called, whoever has put it into training mode.

    Parameters
    ----------
    module
        The module, which is changed in place.
    """
    module.requires_grad_(False)
    module.register_forward_pre_hook(_evaluate)


def _evaluate(module: nn.Module, inputs: Any) -> None:
    """Put a module into evaluation mode; a hook that returns None leaves the input as it is."""
    module.eval()


def freeze_all_but(model: nn.Module, trained: Collection[str]) -> None:
    """Freeze the direct children of a network, except for those that are to be trained.

    Parameters
    ----------
    model
        The network, which is changed in place.
    trained
        Names of the children that stay as they are, such as ``("stage3", "classifier")``.
    """
    for name, child in model.named_children():
        if name not in trained:
            freeze(child)


def training_cost(model: nn.Module) -> dict[str, int]:
    """Count what is trained, and what SGD with momentum keeps for it.

    Parameters
    ----------
    model
        The network.

    Returns
    -------
    dict
        ``"trained parameters"``, and ``"optimizer bytes"``: a float32 for each of them.
    """
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {"trained parameters": count, "optimizer bytes": BYTES * count}
