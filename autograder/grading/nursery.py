"""A process that has imported the grader, from which workers are forked.

Importing what grading needs takes several seconds of processor time. So it is done once in the life
of the process that grades, and not in every worker of every run. The nursery does nothing else: it
is single-threaded and opens no file, so that a worker forked from it is as good as a new process.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing.connection import Connection, wait
from typing import NoReturn

from autograder.errors import UserError
from autograder.sandbox.forker import reseed

IMPORTED = ("autograder.grading.grade", "autograder.grading.job")
"""The modules that a nursery imports."""
START = (
    "import sys; sys.path[:] = sys.argv[3:]; from autograder.grading.nursery import serve; "
    "serve(int(sys.argv[1]), sys.argv[2].split())"
)
START_SECONDS = 120.0
"""How long a nursery may take to import the grader on a busy machine; it takes five seconds."""
MOST_DESCRIPTORS = 32


class Forked:
    """A process that was forked from the nursery, seen from the process that asked for it.

    Attributes
    ----------
    pid
        Its process id, which is also that of its session.
    """

    def __init__(self, status: socket.socket) -> None:
        status.settimeout(START_SECONDS)
        self._status = status
        self._lines = status.makefile("r")
        self.pid = int(self._lines.readline())
        self._code: int | None = None

    def wait(self, seconds: float) -> int | None:
        """Wait until it has ended, but not longer than this; return its exit status.

        Returns
        -------
        int or None
            As in `subprocess.Popen.returncode`; None if it has not ended, or nobody knows how.
        """
        if self._code is None and wait([self._status], seconds):
            with suppress(ValueError):  # the nursery was killed, too
                self._code = int(self._lines.readline())
        return self._code

    def close(self) -> None:
        """Forget the process, which has ended."""
        self._lines.close()
        self._status.close()


class Nursery:
    """The connection to a process that has imported the grader, which is started here.

    Parameters
    ----------
    path
        Its ``sys.path``.
    """

    def __init__(self, path: Sequence[str]) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, str(theirs.fileno()), " ".join(IMPORTED), *path],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,  # for the guard
                start_new_session=True,  # Ctrl-C in a terminal reaches the asking process only
            )

    @property
    def lives(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process. Nobody learns any more how the processes end that it has forked."""
        self._requests.close()
        self._process.kill()
        self._process.communicate()

    def fork(
        self, function: str, connection: Connection, guard: int, inherited: Sequence[int]
    ) -> Forked:
        """Fork a process, which gets this process's environment and working folder.

        Parameters
        ----------
        function
            What the process runs, as ``module:name``; it takes the descriptor of its connection,
            and that of its guard.
        connection, guard
            Descriptors for the process, at whatever number.
        inherited
            Descriptors that are open under the same numbers in the process.
        """
        ours, theirs = socket.socketpair()
        kept = [1, 2, *inherited]
        request = {
            "function": function,
            "folder": os.getcwd(),
            "environment": dict(os.environ),
            "numbers": kept,
        }
        # The environment can be longer than what a socket takes at once.
        with theirs, open(os.memfd_create("request"), "w+b") as file:
            file.write(json.dumps(request).encode())
            file.seek(0)
            passed = [file.fileno(), theirs.fileno(), connection.fileno(), guard, *kept]
            socket.send_fds(self._requests, [b"fork"], passed)
        return Forked(ours)


@cache
def _nurseries() -> dict[tuple[str, ...], Nursery]:
    return {}


def nursery() -> Nursery:
    """Return the nursery of this process, which is started if there is none."""
    path = tuple(map(os.path.abspath, sys.path))
    found = _nurseries().get(path)
    if found is None or not found.lives:
        found = _nurseries()[path] = Nursery(path)
    return found


def forked(
    function: str, connection: Connection, guard: int, inherited: Sequence[int] = ()
) -> Forked:
    """Fork a process from the nursery; see `Nursery.fork`. If the nursery dies, start another one.

    Raises
    ------
    autograder.errors.UserError
        If the second one dies as well.
    """
    for _ in range(2):
        with suppress(OSError, ValueError):
            return nursery().fork(function, connection, guard, inherited)
        close_nurseries()
    raise UserError(
        "The grader cannot start the processes in which it grades: the one that they are forked "
        "from ends. What it said stands above. Nothing was graded."
    )


def close_nurseries() -> None:
    """End the nurseries of this process. The next worker starts a new one."""
    while _nurseries():
        _nurseries().popitem()[1].close()


# ------------------------------------------------------------------------------------------------
# In the nursery


def start_guard(pipe: int) -> None:
    """Let everything in this session be killed when the process at the other end has ended.

    A thread could not do this: it would have to wait while compiled code holds the interpreter's
    lock (importing torch does so for seconds). ``PR_SET_PDEATHSIG``, which exists only on Linux,
    would end only one process.

    Parameters
    ----------
    pipe
        Descriptor of a pipe to which the other process never writes.
    """
    subprocess.Popen(["/bin/sh", "-c", "read nothing; kill -KILL 0"], stdin=pipe)


def serve(descriptor: int, modules: Sequence[str]) -> NoReturn:
    """Import modules, and fork a process for each request until the other side hangs up."""
    requests = socket.socket(fileno=descriptor)
    start_guard(0)
    for module in modules:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, numbers, _, _ = socket.recv_fds(requests, len(b"fork"), MOST_DESCRIPTORS)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            requests.close()
            with open(numbers[0], "rb") as file:
                _attend(json.load(file), numbers[1:])
        for number in numbers:
            os.close(number)


def _attend(request: dict, received: list[int]) -> NoReturn:
    """Fork the process that was asked for, and report its process id and how it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = socket.socket(fileno=received[0])
    child = os.fork()
    if child == 0:
        status.close()
        _become(request, received[1:])
    for number in received[1:]:
        os.close(number)
    with suppress(OSError):  # nobody may be waiting any more
        status.sendall(f"{child}\n".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        status.sendall(f"{code}\n".encode())
    os._exit(0)


def _become(request: dict, received: list[int]) -> NoReturn:
    code = 1
    try:
        os.setsid()
        numbers = request["numbers"]
        above = max(numbers) + 1
        moved = [fcntl.fcntl(number, fcntl.F_DUPFD, above) for number in received]
        for number in received:
            os.close(number)
        connection, guard, *kept = moved
        for number, here in zip(numbers, kept, strict=True):
            os.dup2(here, number)
            os.close(here)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        tempfile.tempdir = None
        reseed()
        _function(request["function"])(connection, guard)
        code = 0
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _function(name: str) -> Callable[[int, int], None]:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
