"""Worker processes: if one dies or hangs, only the task that it was working on is lost.

`concurrent.futures.ProcessPoolExecutor` fails as a whole when one worker dies, has no time limit,
and leaves its workers waiting for ever when its own process is killed.

Workers are forked from a process that has imported the grader; see `nursery`. Each of them is the
leader of its own session. So Ctrl-C in a terminal reaches the parent only, and everything that a
worker has started, above all a sandbox, can be killed together with it. A guard in the same session
waits on a pipe for the parent to end, and then kills the rest of the session, whatever it is doing.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from math import inf
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, TypeVar

from autograder.grading.nursery import forked, start_guard

GOODBYE_SECONDS = 10.0
"""How long a worker may take to end by itself once there is nothing left to do."""

Result = TypeVar("Result")


class WorkerLost(Exception):
    """There is no result, because the worker is gone; the message says why."""


def in_workers(
    work: Callable[[str], Result],
    names: Iterable[str],
    *,
    workers: int,
    seconds: float,
    inherited: Sequence[int] = (),
) -> Generator[tuple[str, Result | WorkerLost], None, None]:
    """Do the same work for every name, several at a time, in worker processes.

    If a worker dies, its task is tried once more, in a new worker and after all other tasks.

    Parameters
    ----------
    work
        Takes a name. It is pickled for the workers, and so must be a function at the top level of a
        module, or a `functools.partial` of one. Its results are pickled too.
    names
        The names, each of them once.
    workers
        The number of processes at a time.
    seconds
        Limit on the wall time for one name, including the start of its worker; infinity: none.
    inherited
        Descriptors that are open in the workers, too.

    Yields
    ------
    tuple of str and object
        A name and its result, or a `WorkerLost` that says why there is none, in the order in which
        they finish.
    """
    waiting = deque(names)
    tried: set[str] = set()
    idle: list[_Worker] = []
    busy: list[_Worker] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                worker = idle.pop() if idle else _Worker(work, inherited)
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


def serve(descriptor: int, guard: int) -> None:
    """Work on one name after another until none is left; this is a worker's program.

    Parameters
    ----------
    descriptor
        The connection to the parent.
    guard
        A pipe from the parent, which never writes to it.
    """
    start_guard(guard)
    os.close(guard)
    connection = Connection(descriptor)
    work = connection.recv()
    while True:
        try:
            name = connection.recv()
        except EOFError:
            return
        connection.send(work(name))


class _Died(Exception):
    """A worker has died during its work; the message says how."""


class _Worker:
    """A process that works on one name after another."""

    def __init__(self, work: Callable, inherited: Sequence[int]) -> None:
        self.connection, theirs = Pipe()
        guard, self._life = os.pipe()
        self._process = forked(f"{__name__}:serve", theirs, guard, inherited)
        theirs.close()
        os.close(guard)
        self.name = ""
        self.deadline = 0.0
        self.code: int | None = None
        self._send(work)

    def begin(self, name: str, seconds: float) -> None:
        """Let the worker start on `name`."""
        self.name = name
        self.deadline = time.monotonic() + seconds
        self._send(name)

    def result(self) -> Any:
        """Return the result of the work.

        Raises
        ------
        TimeoutError
            If there is no result yet; the worker is killed.
        _Died
            If there will be no result, because the worker has died.
        """
        if not self.connection.poll():
            self.end()
            raise TimeoutError
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.end(GOODBYE_SECONDS)
            raise _Died(_how_it_ended(self.code)) from None

    def hang_up(self) -> None:
        """Tell the worker that there is nothing left to do, so that it cleans up and ends."""
        self.connection.close()

    def end(self, grace: float = 0.0) -> None:
        """End the worker and everything it has started, after `grace` seconds to end by itself."""
        self.hang_up()
        self._process.wait(grace)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.code = self._process.wait(GOODBYE_SECONDS)
        self._process.close()
        os.close(self._life)

    def _send(self, message: Any) -> None:
        # If the worker has died, this will be noticed when its connection is read next.
        with suppress(OSError):
            self.connection.send(message)


def _ended(workers: list[_Worker]) -> list[_Worker]:
    """Wait until some workers have a result, have died or are past their deadline; return them."""
    left = min(worker.deadline for worker in workers) - time.monotonic()
    seconds = None if left == inf else max(0.0, left)
    if ready := wait([worker.connection for worker in workers], seconds):
        return [worker for worker in workers if worker.connection in ready]
    return [worker for worker in workers if worker.deadline <= time.monotonic()]


def _how_it_ended(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit status {code}"
    if code == -signal.SIGKILL:
        return "it was killed: out of memory?"
    return signal.Signals(-code).name
