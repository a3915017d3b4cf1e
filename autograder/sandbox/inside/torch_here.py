"""Let notebooks that were written for a GPU, or that change torch's defaults, answer as meant.

A grader has no GPU for student code. A notebook that asks for one, as many do in Colab, would fail
in every cell that uses a tensor; here it gets the CPU instead. Nothing of this protects the grader:
it runs on the student's side, and a student who undoes it loses only its help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

HERE = ("cpu", "meta")
"""The devices that exist on every machine."""

_UNCHANGED: tuple[Callable[..., Any], ...] = (torch.Tensor.cuda, torch.Tensor.pin_memory)
"""Methods that bring a tensor to a GPU, or prepare it for that."""


class OnTheCpu(TorchFunctionMode):
    """Within it, tensors are on the CPU, whichever GPU they are asked for on."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call `func` with the CPU in the place of a device that is not there."""
        kwargs = dict(kwargs or {})
        if func in _UNCHANGED:
            return args[0]
        if kwargs.get("device") is not None:
            kwargs["device"] = _here(kwargs["device"])
        if func is torch.Tensor.to and _begin_with_device(args[1:]):
            args = (args[0], _here(args[1]), *args[2:])
        return func(*args, **kwargs)


def stay_on_the_cpu() -> None:
    """Use the CPU for everything from now on, in this thread."""
    OnTheCpu().__enter__()
    set_default = torch.set_default_device

    def set_default_device(device: Any) -> None:
        set_default(None if device is None else _here(device))

    torch.set_default_device = set_default_device
    torch.cuda.synchronize = lambda device=None: None


def _begin_with_device(args: tuple[Any, ...]) -> bool:
    return bool(args) and isinstance(args[0], str | int | torch.device)


def _here(device: Any) -> torch.device:
    asked = torch.device(device)
    return asked if asked.type in HERE else torch.device("cpu")


@contextmanager
def usual_defaults() -> Iterator[None]:
    """Use torch's own defaults for the block: float32, the CPU, and gradients on.

    A hidden test calls functions of the student's. A cell that has switched gradients off or made
    float64 the default would otherwise change what all later functions return.
    """
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    changed = (dtype, device) != (torch.float32, torch.device("cpu"))
    try:
        if changed:
            _set_defaults(torch.float32, torch.device("cpu"))
        with torch.enable_grad():
            yield
    finally:
        if changed:
            _set_defaults(dtype, device)


def _set_defaults(dtype: torch.dtype, device: torch.device) -> None:
    torch.set_default_dtype(dtype)
    torch.set_default_device(device)
