"""What the trusted side does with bytes from a sandbox, as functions of those bytes.

Each function raises `Broken`, or any other exception, if the bytes have got it to do what none may:
crash, take too much memory, or run something. Time is limited by whoever calls them.
"""

from __future__ import annotations

import base64
import itertools
import json
import socket
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autograder.grading.execution import MAX_CELL_OUTPUT, OUTPUT_COST, shown_outputs
from autograder.hidden.student import StudentError, Submission, asking, student, value
from autograder.sandbox.inside import wire
from autograder.sandbox.limits import Limits
from autograder.sandbox.session import KernelEnded, Session

MIB = 2**20
ALLOWED_BYTES = 32 * MIB
"""Memory that an input of some hundred bytes may take, with all that is made of it."""

FORBIDDEN = ("exec", "compile", "import", "open", "os.", "subprocess.", "socket.connect", "ctypes.")
"""The beginnings of Python's audit events that no data may cause."""


# nbformat reads its schema when the first output is made.
shown_outputs([{"output_type": "stream"}], MIB)


class Broken(AssertionError):
    """The trusted side did something that no data may make it do."""


_watched: threading.Thread | None = None


def _audit(event: str, arguments: Any) -> None:
    if threading.current_thread() is _watched and event.startswith(FORBIDDEN):
        raise Broken(f"the data caused {event}")


sys.addaudithook(_audit)


@contextmanager
def as_data_only(*, measured: bool = True) -> Iterator[None]:
    """Let a block run that may neither execute anything nor take much memory."""
    global _watched
    if measured:
        tracemalloc.start()
    _watched = threading.current_thread()
    try:
        yield
    finally:
        _watched = None
        if measured:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            if peak > ALLOWED_BYTES:
                raise Broken(f"{peak / MIB:.0f} MB of memory")


def reader(data: bytes) -> Callable[[int], bytes]:
    """Return a function that reads from `data` as `Session` reads from a socket."""
    place = 0

    def read(count: int) -> bytes:
        nonlocal place
        if place + count > len(data):
            raise EOFError
        place += count
        return data[place - count : place]

    return read


def frames(data: bytes) -> None:
    """Receive one frame after another, and take each as an answer and as the outputs of a cell."""
    with as_data_only():
        read = reader(data)
        while True:
            try:
                message = wire.receive(read)
            except (EOFError, wire.WireError):
                return
            taken(message)


def payload(data: bytes) -> None:
    """Take the bytes as the content of a frame, so that no length has to be guessed."""
    frames(len(data).to_bytes(4, "big") + data)


def taken(message: Any) -> None:
    """Use a message as everything for which the trusted side uses messages."""
    with suppress(wire.WireError):
        plain(wire.decode(message))
    reply = message if isinstance(message, dict) else {"value": message}
    with asking(Submission(lambda _: reply, Path())):
        for ask in (lambda: student.f(1), lambda: value(student.x)):
            try:
                ask()
            except StudentError as error:
                str(error).encode()
    outputs = reply.get("outputs")
    shown = shown_outputs(outputs if isinstance(outputs, list) else [message], MAX_CELL_OUTPUT)
    json.dumps(shown, ensure_ascii=False).encode()
    if len(shown) > MAX_CELL_OUTPUT // OUTPUT_COST + 1:
        raise Broken("too many outputs")


def plain(found: Any) -> None:
    """Make sure that a decoded value is plain data of exactly the types that `wire` promises."""
    left = [found]
    while left:
        item = left.pop()
        kind = type(item)
        if kind in (list, tuple):
            left += item
        elif kind is dict:
            left += [*item.keys(), *item.values()]
        elif kind is np.ndarray:
            if item.dtype.name not in wire.ARRAY_TYPES:
                raise Broken(f"an array of {item.dtype}")
        elif kind is torch.Tensor:
            item.sum()
        elif kind not in (type(None), bool, int, float, str):
            raise Broken(f"a {kind.__name__}")


TAGS = ("float", "tuple", "dict", "array", "tensor", "handle", "student", "pickle")
WORDS = (
    *("$", "v", "id", "dtype", "shape", "value", "error", "type", "text", "raised_in", "outputs"),
    *("output_type", "stream", "error", "display_data", "execute_result", "name", "data"),
    *("ename", "evalue", "traceback", "text/plain", "text/html", "image/png", "path", "handle"),
    *("float32", "float16", "bool", "uint64", "object", "inf", "nan", "AAAAAA==", "NameError"),
)


def message(data: bytes) -> None:
    """Let the bytes decide how a message is built, so that every input is one."""
    payload(json.dumps(Builder(data).value()).encode())


class Builder:
    """Builds a message; the same bytes always build the same one."""

    def __init__(self, data: bytes) -> None:
        self._left = iter(data)

    def value(self) -> Any:
        """Build a number, a string, a list or a dict. When the bytes end, nothing is left but 0."""
        kind, size = self._byte(), self._byte() % 6
        match kind % 10:
            case 0:
                return kind
            case 1:
                return (None, True, False, -1, 1e999, float("nan"), 10**30, 0.5)[kind // 10 % 8]
            case 2:
                return int.from_bytes(self._bytes(8), "big", signed=True)
            case 3 | 4:
                return WORDS[self._byte() % len(WORDS)]
            case 5:
                return "".join(chr(256 * self._byte() + self._byte()) for _ in range(size))
            case 6:
                return [self.value() for _ in range(size)]
            case 7:
                return {WORDS[self._byte() % len(WORDS)]: self.value() for _ in range(size)}
            case 8:
                return {"$": TAGS[self._byte() % len(TAGS)], "v": self.value(), "id": self._byte()}
        shape = [self._byte() % 4 for _ in range(size)]
        content = self._bytes(self._byte())
        kinds = sorted(wire.ARRAY_TYPES)
        return {
            "$": "tensor" if kind < 99 else "array",
            "dtype": kinds[self._byte() % len(kinds)],
            "shape": shape,
            "v": base64.b64encode(content).decode(),
        }

    def _byte(self) -> int:
        return next(self._left, 0)

    def _bytes(self, count: int) -> bytes:
        return bytes(itertools.islice(self._left, count))


class _Ended:
    """Stands for the process of a kernel that has hung up."""

    pid = 2**22 + 1  # larger than any process id
    stderr = None

    def wait(self, timeout: float) -> int:
        return 0

    def kill(self) -> None:
        pass


class _Watcher:
    """Stands for the watcher of a kernel that keeps to its limits."""

    reason: str | None = None

    def begin_turn(self) -> None:
        pass

    end_turn = check = begin_turn


def session(data: bytes) -> None:
    """Send the bytes to a session that asks again and again, and hang up."""
    ours, theirs = socket.socketpair()
    asked = Session.__new__(Session)
    asked.limits = Limits(output_bytes=MIB)
    asked._connection, asked._received, asked._errors = ours, 0, bytearray()
    asked._process, asked._watcher = _Ended(), _Watcher()  # type: ignore[assignment]
    asked._group = None
    asked._kill = lambda: None  # type: ignore[method-assign]  # it reads /proc
    with ours, theirs:
        theirs.setblocking(False)
        try:
            theirs.send(data)
        except BlockingIOError:
            return
        theirs.shutdown(socket.SHUT_WR)
        with as_data_only(measured=False):
            try:
                while True:
                    if not isinstance(asked.ask({"op": "get"}), dict):
                        raise Broken("a reply that is no dict")
            except KernelEnded as ended:
                str(ended).encode()


TARGETS = {"message": message, "payload": payload, "frames": frames, "session": session}
