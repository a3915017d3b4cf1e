"""Count the matrix products of a running model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Product", "count_products"]

PLACES = {
    "query": "query, key, value",
    "key": "query, key, value",
    "value": "query, key, value",
    "up": "feed-forward",
    "down": "feed-forward",
}
"""What a linear layer of this name is used for."""


@dataclass(frozen=True)
class Product:
    """One or several matrix products of the same size, computed together.

    Attributes
    ----------
    place
        Where in the model they are.
    count
        How many there are.
    size
        (m, k, n) for the product of an (m, k) and a (k, n) matrix.
    """

    place: str
    count: int
    size: tuple[int, int, int]

    @property
    def multiplications(self) -> int:
        """Multiplications of numbers in one of the products."""
        m, k, n = self.size
        return m * k * n


class _Listener(TorchDispatchMode):
    """Notes the matrix products that PyTorch carries out."""

    def __init__(self) -> None:
        super().__init__()
        self.module = ""
        self.found: list[Product] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if name in ("mm", "bmm", "addmm"):
            a, b = args[-2:]
            count = a.shape[0] if name == "bmm" else 1
            size = (a.shape[-2], a.shape[-1], b.shape[-1])
            self.found.append(Product(self._place(name, size), count, size))
        return func(*args, **(kwargs or {}))

    def _place(self, name: str, size: tuple[int, int, int]) -> str:
        if name == "bmm":
            # Of the two products of each head, the one with the queries and keys comes first.
            heads = [p for p in self.found if p.place in ("scores", "weighted values")]
            return "weighted values" if len(heads) % 2 else "scores"
        *above, last = self.module.split(".")
        if last == "output":
            return "output projection" if above else "next token"
        return PLACES.get(last, self.module)


def count_products(model: nn.Module, tokens: Tensor) -> list[Product]:
    """Let a model predict, and list the matrix products that PyTorch carries out.

    The linear layers of the model should have the names that the notebook gives them.

    Parameters
    ----------
    model
        A language model. It is evaluated in evaluation mode, and is then in the mode it was in.
    tokens
        (1, T): a single text.

    Returns
    -------
    list of Product
        In the order in which they are carried out.
    """
    listener = _Listener()
    was_training = model.training
    hooks = [
        module.register_forward_pre_hook(_enter(listener, name))
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    ]
    model.eval()
    try:
        with torch.no_grad(), listener:
            model(tokens)
    finally:
        for hook in hooks:
            hook.remove()
        model.train(was_training)
    return listener.found


def _enter(listener: _Listener, name: str) -> Any:
    def enter(module: nn.Module, inputs: Any) -> None:
        listener.module = name

    return enter
