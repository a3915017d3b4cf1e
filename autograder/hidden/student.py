"""`student`: gives a hidden test access by name to what the student's notebook defines.

The same handles work within one process (JupyterLab, `nbgrader validate`, the `nbgrader autograde`
of an unchanged nbgrader) and into the sandbox. Only the channel differs, and only plain data passes
through it.
"""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.sandbox.inside.responder import Responder
from autograder.sandbox.inside.responder import gradient as local_gradient
from autograder.sandbox.inside.wire import WireError, decode, encode

_ERRORS = {name for name, kind in vars(builtins).items() if isinstance(kind, type)} | {
    "AxisError",
    "LinAlgError",
    "OutOfMemoryError",
    "UFuncTypeError",
}
"""The names of errors that the feedback may repeat: those of Python, and some of its libraries."""

_UNDEFINED = re.compile(r"name '(\w+)' is not defined.*")
"""Python's own message for a name that does not exist."""


class StudentError(Exception):
    """The student's code could not answer; the message is for the student.

    Attributes
    ----------
    text
        The text of the student's own error, if there was one, for a hidden test to look at. It is
        not for the feedback: student code can write into it what it was asked.
    """

    text: str = ""


class Stopped(StudentError):
    """The student's code stopped with an error of its own on the arguments of this call."""


@dataclass(frozen=True)
class Submission:
    """A running submission.

    Attributes
    ----------
    ask
        Sends a request to the `autograder.sandbox.inside.responder.Responder` of the notebook and
        returns its reply.
    files
        The folder in which the grader keeps the submitted files.
    seed
        What the random inputs of the hidden tests depend on; see `autograder.hidden.fresh`.
    """

    ask: Callable[[dict[str, Any]], dict[str, Any]]
    files: Path
    seed: bytes = b""


_current: ContextVar[Submission] = ContextVar("submission")
_changed: ContextVar[list[str] | None] = ContextVar("changed arguments", default=None)


@contextmanager
def asking(submission: Submission) -> Iterator[None]:
    """Let `student` stand for `submission` within the block."""
    token = _current.set(submission)
    try:
        yield
    finally:
        _current.reset(token)


def current_submission() -> Submission:
    """Return the submission that `student` stands for, by default the running notebook."""
    try:
        return _current.get()
    except LookupError:
        shell = sys.modules["__main__"]
        responder = _in_process.setdefault(id(shell.__dict__), Responder(shell.__dict__))
        return Submission(responder.answer, Path.cwd())


@contextmanager
def noting_changes() -> Iterator[list[str]]:
    """Note which arguments the student's functions change within the block.

    Yields
    ------
    list of str
        The arguments in words, such as ``"its first argument"``, as the calls come.
    """
    changed: list[str] = []
    token = _changed.set(changed)
    try:
        yield changed
    finally:
        _changed.reset(token)


_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def _note(positions: Any) -> None:
    """Note the arguments that a reply calls changed; it is not trusted to have any form."""
    noted = _changed.get()
    if noted is None or not isinstance(positions, list):
        return
    for position in positions[: len(_ORDINALS)]:
        if type(position) is int and 0 <= position < len(_ORDINALS):
            noted.append(f"its {_ORDINALS[position]} argument")


# One responder per namespace, so that handles stay valid between the requests of a test.
_in_process: dict[int, Responder] = {}


class Handle:
    """A handle to something in the student's notebook.

    It stands for a name, an attribute, or a result that is not plain data. Nothing is looked up
    until the handle is called or its `value` is requested.
    """

    def __init__(self, handle: int | None, path: tuple[str, ...]) -> None:
        self._handle = handle
        self._path = path

    def __getattr__(self, name: str) -> Handle:
        # Python's own protocols (copying, pickling, numpy's look for a shape) get no remote answer.
        if name.startswith("_"):
            raise AttributeError(name)
        return Handle(self._handle, (*self._path, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it with plain data or other handles; return plain data or a handle.

        Raises
        ------
        StudentError
            If the student's code raises an exception or returns something that cannot be sent.
        """
        sent = [_send(a) for a in args]
        return self._ask(op="call", args=sent, kwargs={k: _send(v) for k, v in kwargs.items()})

    def __repr__(self) -> str:
        return ".".join(self._path) or "an object of the student's"

    @property
    def _called(self) -> str:
        """What the feedback calls it."""
        return f"`{self!r}`" if self._path else "the object that your code made"

    def _ask(self, **request: Any) -> Any:
        reply = current_submission().ask({"target": self._reference(), **request})
        if "error" in reply:
            raise self._explained(reply["error"])
        # Not for a method or a function of a library, such as `load_state_dict`.
        if len(self._path) == (1 if self._handle is None else 0):
            _note(reply.get("changed"))
        try:
            return decode(reply.get("value"), _handle)
        except WireError as error:
            raise StudentError(
                f"{self._called} returned something that is not plain data: {error}."
            ) from error

    def _reference(self) -> dict[str, Any]:
        return {"$": "student", "handle": self._handle, "path": list(self._path)}

    def _explained(self, error: Any) -> StudentError:
        """Say why there is no answer."""
        if not isinstance(error, dict):
            return StudentError(f"{self._called} gave an answer that no function gives.")
        kind, text = str(error.get("type"))[:100], str(error.get("text"))[:500]
        raised_in = str(error.get("raised_in", ""))[:200]
        if kind == "NotImplementedError":
            # A function may be right, and call another one that is not there yet.
            names = raised_in.split(".")
            if not raised_in or names[0] in self._path[:1] or names[-1] in self._path[-1:]:
                return StudentError(f"{self._called} is not written yet.")
            return StudentError(f"{self._called} uses `{raised_in}`, which is not written yet.")
        if kind == "NameError" and (missing := _UNDEFINED.fullmatch(text)):
            return StudentError(
                f"{self._called} uses `{missing[1]}`, and there is no `{missing[1]}`: its cell is "
                "missing, or stopped with an error."
            )
        if kind == "NameError" and text.startswith("there is no `"):
            return StudentError(
                f"There is no `{self._path[0]}`: its cell is missing, or stopped with an error."
            )
        if kind == "KernelEnded":
            return StudentError(f"{self._called} gave no answer: {text}.")
        known = kind if kind in _ERRORS else "an error of its own"
        stopped = Stopped(f"{self._called} stopped with {known}.")
        stopped.text = text
        return stopped


def _send(value: Any) -> Any:
    return encode(value, lambda item: item._reference())


def _handle(message: dict[str, Any]) -> Handle:
    number = message.get("id")
    if message.get("$") != "handle" or type(number) is not int:
        raise WireError("malformed data")
    return Handle(number, ())


class Student:
    """Access to the student's names: ``student.quantize`` is a handle to ``quantize``."""

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("__"):
            raise AttributeError(name)
        return Handle(None, (name,))


student = Student()


def value(handle: Any) -> Any:
    """Return the plain value behind a handle, and anything else unchanged.

    Raises
    ------
    StudentError
        If the name does not exist, or its value is not plain data.
    """
    if not isinstance(handle, Handle):
        return handle
    found = handle._ask(op="get")
    if isinstance(found, Handle):
        raise StudentError(f"{handle._called} is not a number, list, dict, array or tensor.")
    return found


def entry(handle: Handle, key: Any) -> Any:
    """Return the entry of a student's dict under `key`.

    Parameters
    ----------
    handle
        The dict, such as ``student.l1_figures``.
    key
        The key of the entry.

    Returns
    -------
    object
        Plain data or a handle; None if there is no such dict or no such key.
    """
    try:
        found = value(handle)
    except StudentError:
        return None
    return found.get(key) if isinstance(found, dict) else None


def set_attribute(owner: Any, name: str, value: Any) -> None:
    """Set an attribute of an object of the student's, or of the grader's.

    Raises
    ------
    StudentError
        If the object of the student's does not let itself be changed.
    """
    if isinstance(owner, Handle):
        owner._ask(op="set", name=name, args=[_send(value)])
    else:
        setattr(owner, name, value)


def gradient(function: Any, *args: Any, upstream: Any) -> Any:
    """Backpropagate `upstream` through ``function(*args)`` to the first argument.

    Parameters
    ----------
    function
        The student's function, or the grader's.
    *args
        Its arguments, of which the first is a floating-point tensor.
    upstream
        Tensor with the gradient with respect to the output.

    Returns
    -------
    Tensor or None
        Gradient with respect to the first argument; None if no gradient reaches it.
    """
    if not isinstance(function, Handle):
        return local_gradient(function, list(args), upstream)
    sent = [_send(a) for a in args]
    return function._ask(op="gradient", args=sent, upstream=_send(upstream))
