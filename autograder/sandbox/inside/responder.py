"""Answer the requests of hidden tests from the student's namespace.

The same class answers in the sandbox (through a socket) and in the same process (plain nbgrader,
JupyterLab), so that a hidden test sees the same data in both cases.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Iterator
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
)
from typing import Any

from .wire import WireError, decode, encode


@contextmanager
def silenced() -> Iterator[None]:
    """Discard what is printed inside the block, including warnings.

    nbgrader gives no points to a test that prints anything on standard error, but a warning from a
    student's function does not make its answer wrong.
    """
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def _usual_defaults() -> AbstractContextManager[None]:
    if "torch" not in sys.modules:  # loading it takes a second
        return nullcontext()
    from .torch_here import usual_defaults

    return usual_defaults()


class Responder:
    """Looks names up in a namespace, calls what they name, and returns plain data.

    Parameters
    ----------
    namespace
        The namespace in which student code ran. Results that are not plain data stay here, and the
        other side gets only a number for each of them (a handle).
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.kept: list[Any] = []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a request: ``get``, ``set`` or ``call`` something, or compute its ``gradient``."""
        try:
            with silenced(), _usual_defaults():
                return self._reply(request)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # SystemExit too: a student's `exit()` is an answer, not the end of grading.
            return {
                "error": {
                    "type": type(error).__name__,
                    "text": str(error)[:2000],
                    "raised_in": _raised_in(error)[:200],
                }
            }

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out a request; return the reply in the form in which it is sent."""
        target = self._resolve(request["target"])
        args = [decode(a, self._resolve) for a in request.get("args", [])]
        kwargs = {k: decode(v, self._resolve) for k, v in request.get("kwargs", {}).items()}
        match request["op"]:
            case "get":
                result = target
            case "call":
                result = target(*args, **kwargs)
            case "set":
                setattr(target, request["name"], *args)
                result = None
            case "gradient":
                result = gradient(target, args, decode(request["upstream"]))
            case op:
                raise ValueError(f"unknown request {op!r}")
        reply = {"value": encode(result, self._keep)}
        if request["op"] == "call":
            sent = request.get("args", [])
            if changed := [n for n, argument in enumerate(args) if _other(argument, sent[n])]:
                reply["changed"] = changed
        return reply

    def _resolve(self, reference: dict[str, Any]) -> Any:
        path = list(reference["path"])
        if reference["handle"] is not None:
            found = self.kept[reference["handle"]]
        else:
            name = path.pop(0)
            if name not in self.namespace:
                raise NameError(f"there is no `{name}` in the notebook")
            found = self.namespace[name]
        for attribute in path:
            found = getattr(found, attribute)
        return found

    def _keep(self, value: Any) -> dict[str, Any]:
        self.kept.append(value)
        return {"$": "handle", "id": len(self.kept) - 1, "type": type(value).__name__[:100]}


def _other(argument: Any, sent: Any) -> bool:
    """Whether an argument is no longer what was sent. Objects of the notebook may change."""
    try:
        decode(sent)
        return encode(argument) != sent
    except WireError:
        return False


def _raised_in(error: BaseException) -> str:
    """Return the name of the function that raised an error, such as ``Block.forward``."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return "" if place is None else place.tb_frame.f_code.co_qualname


def gradient(function: Any, args: list[Any], upstream: Any) -> Any:
    """Backpropagate `upstream` through ``function(*args)`` to the first argument.

    Parameters
    ----------
    function
        Takes a tensor as its first argument and returns a tensor.
    args
        The arguments. The first one is a floating-point tensor; it is not changed.
    upstream
        Gradient of a loss with respect to the output: a tensor of the output's shape.

    Returns
    -------
    Tensor or None
        Gradient of the loss with respect to the first argument; None if none reaches it.
    """
    first = copy.copy(args[0]).detach().clone().requires_grad_()
    output = function(first, *args[1:])
    output.backward(upstream)
    return first.grad
