"""Work side by side in the threads of one process, which take turns at giving a GPU work.

While one thread records a CUDA graph, no other may allocate memory, launch a kernel or replay a
graph. One lock around everything that a thread does, let go only while it waits for the GPU, is
enough to keep a GPU busy: each thread leaves it some work before it waits.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Event(Protocol):
    """Something that the GPU will reach, such as a `torch.cuda.Event`."""

    def synchronize(self) -> None:
        """Wait for it."""


class OutOfTime(Exception):
    """The time that was given to the work is over."""


class Turns:
    """One lock for the threads of a piece of work, and the time when they are to stop.

    Parameters
    ----------
    deadline
        In seconds, as `time.time` counts them. None: never.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have the turn, except in `wait`."""
        with self._lock:
            _here.turns = self
            try:
                yield
            finally:
                _here.turns = None

    def stop(self) -> None:
        """Let all threads stop as soon as they come to `wait` or `check_time`."""
        self.deadline = 0.0

    def let_go(self, event: Event) -> None:
        """Wait for an event while others have their turns."""
        self._lock.release()
        try:
            event.synchronize()
        finally:
            self._lock.acquire()


class _Here(threading.local):
    turns: Turns | None = None


_here = _Here()


def wait(event: Event) -> None:
    """Wait for the GPU; if this thread works beside others, they have their turns meanwhile.

    Raises
    ------
    OutOfTime
        If the deadline of the `Turns` that this thread has taken is over.
    """
    check_time()
    if _here.turns is None:
        event.synchronize()
    else:
        _here.turns.let_go(event)


def check_time() -> None:
    """Raise `OutOfTime` if the deadline of the `Turns` that this thread has taken is over."""
    turns = _here.turns
    if turns is not None and turns.deadline is not None and time.time() >= turns.deadline:
        raise OutOfTime
