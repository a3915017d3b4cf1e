"""Worker processes: one that dies or hangs costs what it was doing, and nothing else.

`concurrent.futures.ProcessPoolExecutor` gives all up when one worker dies, knows no limit on time,
and leaves its workers waiting for ever when it is itself killed.

A worker leads a session of its own. So Ctrl-C in a terminal reaches the parent alone, and all that
a worker has started, a sandbox above all, can be killed with it. A guard in the same session waits
on a pipe for the end of the parent and then kills the others, whatever they are doing. A thread of
the worker would have to wait while compiled code holds the interpreter's lock (the import of torch
does so for seconds), and ``PR_SET_PDEATHSIG``, which only Linux has, ends the worker alone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, TypeVar

GOODBYE_SECONDS = 10.0
"""For a worker to end by itself once there is nothing left to do."""

Result = TypeVar("Result")


class WorkerLost(Exception):
    """There is no result, because the worker is gone; the message says why."""


def in_workers(
    work: Callable[[str], Result], names: Iterable[str], *, workers: int, seconds: float
) -> Generator[tuple[str, Result | WorkerLost], None, None]:
    """Do the same work for every name, several at a time, in worker processes.

    If a worker dies, what it was doing is tried once more, after all else and in a fresh worker.

    Parameters
    ----------
    work : callable
        Gets a name. It goes to the workers with pickle, and so must be a function of a module, or a
        `functools.partial` of one; so do the results.
    names : iterable of str
        Each once.
    workers : int
        Processes at a time.
    seconds : float
        Wall time for one name, at most; the start of its worker counts.

    Yields
    ------
    tuple of str and object
        A name and its result, or the `WorkerLost` that says why there is none; in the order in
        which they end.
    """
    waiting = deque(names)
    tried: set[str] = set()
    idle: list[_Worker] = []
    busy: list[_Worker] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                worker = idle.pop() if idle else _Worker(work)
                busy.append(worker)
                worker.begin(waiting.popleft(), seconds)
            for worker in _ended(busy):
                busy.remove(worker)
                try:
                    result = worker.result()
                except _Died as died:
                    if worker.name not in tried:
                        tried.add(worker.name)
                        waiting.append(worker.name)
                        continue
                    yield worker.name, WorkerLost(f"its process died twice ({died})")
                except TimeoutError:
                    yield worker.name, WorkerLost(f"it took more than {seconds / 60:g} minutes")
                else:
                    idle.append(worker)
                    yield worker.name, result
    finally:
        for worker in busy:
            worker.end()
        for worker in idle:
            worker.hang_up()
        for worker in idle:
            worker.end(GOODBYE_SECONDS)


def serve() -> None:
    """Do the work for one name after the other, until there is none left: a worker's program."""
    subprocess.Popen(["/bin/sh", "-c", GUARD])
    connection = Connection(int(sys.argv[1]))
    work = connection.recv()
    while True:
        try:
            name = connection.recv()
        except EOFError:
            return
        connection.send(work(name))


GUARD = "read nothing; kill -KILL 0"
"""Its standard input is a pipe from the parent, in which nothing is ever written."""

START = (
    "import sys; sys.path[:] = sys.argv[2:]; from autograder.grading.workers import serve; serve()"
)


class _Died(Exception):
    """A worker has ended while it worked; the message says how."""


class _Worker:
    """A process that does the work for one name after the other."""

    def __init__(self, work: Callable) -> None:
        self.connection, theirs = Pipe()
        program = [sys.executable, "-c", START, str(theirs.fileno())]
        self._process = subprocess.Popen(
            [*program, *map(os.path.abspath, sys.path)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        theirs.close()
        self.name = ""
        self.deadline = 0.0
        self._send(work)

    def begin(self, name: str, seconds: float) -> None:
        """Let it do its work for `name`."""
        self.name = name
        self.deadline = time.monotonic() + seconds
        self._send(name)

    def result(self) -> Any:
        """Return what the work gave.

        Raises
        ------
        TimeoutError
            If there is nothing yet; the worker is ended.
        _Died
            If there will be nothing.
        """
        if not self.connection.poll():
            self.end()
            raise TimeoutError
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.end(GOODBYE_SECONDS)
            raise _Died(_how_it_ended(self._process.returncode)) from None

    def hang_up(self) -> None:
        """Tell it that there is nothing left to do, so that it tidies up and ends."""
        self.connection.close()

    def end(self, grace: float = 0.0) -> None:
        """End it with everything that it has started, after `grace` seconds to end by itself."""
        self.hang_up()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GOODBYE_SECONDS)
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _send(self, message: Any) -> None:
        # A worker that has died is noticed at the next look at its connection.
        with suppress(OSError):
            self.connection.send(message)


def _ended(workers: list[_Worker]) -> list[_Worker]:
    """Wait for the first workers that have a result, have died, or are past their time."""
    left = min(worker.deadline for worker in workers) - time.monotonic()
    if ready := wait([worker.connection for worker in workers], max(0.0, left)):
        return [worker for worker in workers if worker.connection in ready]
    return [worker for worker in workers if worker.deadline <= time.monotonic()]


def _how_it_ended(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit status {code}"
    if code == -signal.SIGKILL:
        return "it was killed: out of memory?"
    return signal.Signals(-code).name
