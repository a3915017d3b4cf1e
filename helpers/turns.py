"""Parallel threads of one process that take turns at submitting work to a GPU.

While one thread records a CUDA graph, no other thread may allocate memory, launch a kernel or
replay a graph. Each thread therefore holds one common lock, except while it waits for the GPU. This
is enough to keep a GPU busy, because each thread leaves it some work before it waits.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Event(Protocol):
    """A point in its work that the GPU will reach, such as a `torch.cuda.Event`."""

    def synchronize(self) -> None:
        """Wait until the GPU has reached the event."""


class OutOfTime(Exception):
    """The deadline for the work has passed."""


class Turns:
    """A lock that a group of threads share, and the time at which they must stop.

    Parameters
    ----------
    deadline
        Time in seconds, as returned by `time.time`. By default, there is no deadline.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the lock during the block, except in calls of `wait`."""
        with self._lock:
            _here.turns = self
            try:
                yield
            finally:
                _here.turns = None

    def stop(self) -> None:
        """Make all threads stop at their next call of `wait` or `check_time`."""
        self.deadline = 0.0

    def let_go(self, event: Event) -> None:
        """Release the lock while waiting for an event, so that other threads can work."""
        self._lock.release()
        try:
            event.synchronize()
        finally:
            self._lock.acquire()


class _Here(threading.local):
    turns: Turns | None = None


_here = _Here()


def wait(event: Event) -> None:
    """Wait until the GPU has reached an event; let other threads take their turns meanwhile.

    Raises
    ------
    OutOfTime
        If the deadline of the `Turns` that this thread has taken has passed.
    """
    check_time()
    if _here.turns is None:
        event.synchronize()
    else:
        _here.turns.let_go(event)


def check_time() -> None:
    """Raise `OutOfTime` if the deadline of the `Turns` that this thread has taken has passed."""
    turns = _here.turns
    if turns is not None and turns.deadline is not None and time.time() >= turns.deadline:
        raise OutOfTime
