"""Limits on the grader's own work, where a submission decides how much of it there is.

A hidden test compares a submission's answers, and a page shows its content. A submission can be
made so that either takes hours, or all memory. The limits apply to a block of code in this process.
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

__all__ = ["GRADER_SECONDS", "LimitReached", "lifted", "limited"]

GRADER_SECONDS = 4200.0
"""Wall time that the grader itself may take for one submission, besides the student's code.

Nearly all of it goes into measuring networks: at most 50 of them (in ``deep_compression``, if
nothing is known from an earlier submission) at 19 s each on CIFAR-10, times four for slow or busy
processors. Single steps have their own limits on processor time; this one catches what those
cannot.
"""
CHECK_SECONDS = 0.1
"""Processor time between two checks of the clock. A check takes a few microseconds."""

_OWN_LIMIT = resource.getrlimit(resource.RLIMIT_DATA)  # of this process, outside all blocks


class LimitReached(Exception):
    """The work reached a limit; the message says which one, and begins with "it"."""


@contextmanager
def limited(*, processor_seconds: float, memory_bytes: int) -> Iterator[None]:
    """Limit the processor time and the memory of the work inside the block.

    Only time that this thread spends computing counts; waiting for an answer does not. If the code
    swallows the exception, it is raised again a tenth of a second later and when the block ends. A
    call into compiled code is not interrupted before it returns, but the limit on memory bounds how
    much data such a call can be given.

    The memory is what the process may write to (``RLIMIT_DATA``). A limit on its address space
    (``RLIMIT_AS``) would also count memory that is only reserved: tens of gigabytes with CUDA.

    Blocks may be nested. Python lets only the main thread handle signals, so in any other thread
    (some servers make their pages in one) nothing is limited. Without ``/proc``, memory is not
    limited either.

    Parameters
    ----------
    processor_seconds
        Processor time of this thread.
    memory_bytes
        Memory of the process, including its other threads, in addition to what it has when the
        block begins.

    Raises
    ------
    LimitReached
        If the block takes more time or memory.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        with _limited_memory(memory_bytes), _limited_time(processor_seconds):
            yield
    except (MemoryError, RuntimeError) as error:
        # torch has no exception class of its own for memory that it cannot allocate.
        if isinstance(error, RuntimeError) and "DefaultCPUAllocator:" not in str(error):
            raise
        gib = memory_bytes / 2**30
        raise LimitReached(f"it took more than {gib:.2g} GiB of memory") from error


@contextmanager
def lifted() -> Iterator[None]:
    """Suspend the limits of all blocks, in order to start a program that would inherit them."""
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
    """Raise LimitReached in the block once this thread has computed for `seconds`."""
    end = time.thread_time() + seconds

    def check() -> None:
        if time.thread_time() > end:
            raise LimitReached(f"it took more than {seconds:g} s of processor time")

    def on_signal(*arguments: Any) -> None:
        if callable(outer):  # the handler of the enclosing block
            outer(*arguments)
        check()

    outer = signal.getsignal(signal.SIGPROF)
    signal.signal(signal.SIGPROF, on_signal)
    try:
        signal.siginterrupt(signal.SIGPROF, False)  # system calls of libraries are restarted
        timer = signal.setitimer(signal.ITIMER_PROF, CHECK_SECONDS, CHECK_SECONDS)
        try:
            yield
            check()
        finally:
            end = math.inf  # from here on, looking at the clock raises nothing
            signal.setitimer(signal.ITIMER_PROF, *timer)
    finally:
        # A last signal may still be pending in another thread. The default action would then end
        # the process, so it is not restored.
        signal.signal(signal.SIGPROF, outer if callable(outer) else signal.SIG_IGN)


@contextmanager
def _limited_memory(memory_bytes: int) -> Iterator[None]:
    """Let the process take `memory_bytes` more in the block; allocations beyond that fail."""
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
    """Return the size of this process's writable memory; None where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text(errors="replace")
    except OSError:
        return None
    return 1024 * int(status.partition("VmData:")[2].split()[0])
