"""Limits on the grader's own work, where a submission decides how much of it there is.

A hidden test compares what a submission answers, and a page shows what it holds: either may be made
to take hours, or all memory. The limits hold for a part of what this process does.
"""

from __future__ import annotations

import math
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["LimitReached", "lifted", "limited"]

LOOK_SECONDS = 0.1
"""Processor time between two looks at the clock. A look takes some microseconds."""

_OWN_LIMIT = resource.getrlimit(resource.RLIMIT_DATA)  # of the process, outside of all blocks


class LimitReached(Exception):
    """The work took more than it may; the message says of what, and begins with "it"."""


@contextmanager
def limited(*, processor_seconds: float, memory_bytes: int) -> Iterator[None]:
    """Limit the processor time and the memory of the work inside the block.

    The time is what this thread computes: waiting for an answer costs none. Code that swallows the
    exception meets it again, a tenth of a second later and when the block ends. A call of compiled
    code is not interrupted before it returns; the limit on memory bounds what it can be given.

    The memory is what the process may write to (``RLIMIT_DATA``). A limit on its address space
    (``RLIMIT_AS``) would also count what is only reserved, which is tens of gigabytes with CUDA.

    Blocks may stand inside of each other. Python lets only the main thread handle signals: in any
    other one, where some servers make their pages, nothing is limited. Memory is not limited either
    where there is no ``/proc``.

    Parameters
    ----------
    processor_seconds : float
    memory_bytes : int
        Beyond what the process has when the block begins. Its other threads draw on it too.

    Raises
    ------
    LimitReached
        If the block takes more.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        with _limited_memory(memory_bytes), _limited_time(processor_seconds):
            yield
    except (MemoryError, RuntimeError) as error:
        # torch has no class of its own for what its allocator says.
        if isinstance(error, RuntimeError) and "DefaultCPUAllocator:" not in str(error):
            raise
        gib = memory_bytes / 2**30
        raise LimitReached(f"it took more than {gib:.2g} GiB of memory") from error


@contextmanager
def lifted() -> Iterator[None]:
    """Lift the limits of all blocks for a moment: to start a program, which would inherit them."""
    timer = signal.setitimer(signal.ITIMER_PROF, 0)
    limit = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, _OWN_LIMIT)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, limit)
        signal.setitimer(signal.ITIMER_PROF, *timer)


@contextmanager
def _limited_time(seconds: float) -> Iterator[None]:
    """Raise LimitReached in the block once this thread has computed for so long."""
    end = time.thread_time() + seconds

    def check() -> None:
        if time.thread_time() > end:
            raise LimitReached(f"it took more than {seconds:g} s of processor time")

    def look(*arguments: Any) -> None:
        if callable(outer):  # of the block around this one
            outer(*arguments)
        check()

    outer = signal.getsignal(signal.SIGPROF)
    signal.signal(signal.SIGPROF, look)
    try:
        signal.siginterrupt(signal.SIGPROF, False)  # what a library waits for goes on
        timer = signal.setitimer(signal.ITIMER_PROF, LOOK_SECONDS, LOOK_SECONDS)
        try:
            yield
            check()
        finally:
            end = math.inf  # a look that comes from here on has nothing to say
            signal.setitimer(signal.ITIMER_PROF, *timer)
    finally:
        # A last signal may still be on its way in another thread. If it met the default action,
        # that would end the process, so that one is not put back.
        signal.signal(signal.SIGPROF, outer if callable(outer) else signal.SIG_IGN)


@contextmanager
def _limited_memory(memory_bytes: int) -> Iterator[None]:
    """Let the process have so much more memory in the block; past it, allocations fail."""
    present = _data_bytes()
    if present is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [present + memory_bytes, *(n for n in before if n != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _data_bytes() -> int | None:
    """Return how much this process may write to; None where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text(errors="replace")
    except OSError:
        return None
    return 1024 * int(status.partition("VmData:")[2].split()[0])
