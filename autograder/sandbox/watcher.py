"""Watch one sandbox from outside, for the limits that no system call enforces."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from .cgroup import Cgroup
from .limits import Limits
from .usage import Usage, usage

CHECK_SECONDS = 0.25
"""Time between two checks of the limits."""

STOPPED_LOOKS = 3
"""How many checks in a row must find a stopped process.

Nothing in a notebook stops a process, but processes are briefly in that state when they start or
are killed.
"""


@dataclass(frozen=True)
class Turn:
    """The deadlines of one request, in processor time and in wall time."""

    processor_end: float
    wall_end: float


class Watcher:
    """Ends a kernel when it exceeds a limit, and keeps the reason.

    Parameters
    ----------
    process
        The outermost process of the sandbox.
    limits
        The limits that it watches.
    group
        The control group of the sandbox, if it has one.
    deadline
        The value of `time.monotonic` at which the submission's time is over.
    members
        Returns all processes of the sandbox. Like `kill`, it is called in the watcher's own thread.
    kill
        Ends the whole sandbox at once.

    Attributes
    ----------
    reason
        Which limit was exceeded, in words for the student; None if none was so far.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        limits: Limits,
        group: Cgroup | None,
        deadline: float,
        members: Callable[[], list[psutil.Process]],
        kill: Callable[[], None],
    ) -> None:
        self.reason: str | None = None
        self._process = process
        self._limits = limits
        self._group = group
        self._deadline = deadline
        self._members = members
        self._kill = kill
        self._turn: Turn | None = None
        self._processor_seconds = 0.0
        self._stopped = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def begin_turn(self) -> None:
        """Start the clocks of one request."""
        self._turn = Turn(
            processor_end=self._processor_seconds + self._limits.cell_seconds,
            wall_end=time.monotonic() + self._limits.cell_wall_seconds,
        )

    def end_turn(self) -> None:
        """Stop the clocks of the request."""
        self._turn = None

    def check(self) -> None:
        """Set `reason` if a limit is exceeded now."""
        used = usage(self._members(), self._group, self._limits.memory_bytes)
        # Without a control group, the time of a process is no longer counted once it has ended.
        self._processor_seconds = max(self._processor_seconds, used.processor_seconds)
        self._stopped = self._stopped + 1 if used.stopped else 0
        self.reason = self.reason or self._passed(used) or self._late()

    def _watch(self) -> None:
        while self._process.poll() is None:
            # A hidden test may just have reached its limit on the grader's memory.
            with contextlib.suppress(MemoryError):
                self.check()
            if self.reason is not None:
                self._kill()
                return
            time.sleep(CHECK_SECONDS)
        self._kill()  # what is left of the sandbox would be out of our sight

    def _passed(self, used: Usage) -> str | None:
        limits = self._limits
        if used.memory_exceeded or used.memory_bytes > limits.memory_bytes:
            return f"it used more than the {limits.memory_bytes / 2**30:.1f} GiB of memory allowed"
        if used.processes > limits.processes:
            return f"it started more than {limits.processes} processes"
        if used.files > limits.files:
            return f"it wrote more than {limits.files} files"
        if self._stopped >= STOPPED_LOOKS:
            return "one of its processes was stopped (SIGSTOP) and would never have answered"
        return None

    def _late(self) -> str | None:
        limits, turn, now = self._limits, self._turn, time.monotonic()
        if turn is None:
            return None
        if self._processor_seconds > turn.processor_end:
            seconds = f"{limits.cell_seconds:g} s of processor time"
            return f"it took more than {seconds} (an endless loop?)"
        if now > turn.wall_end:
            return f"it took longer than {limits.cell_wall_seconds:g} s (an endless loop?)"
        if now > self._deadline:
            return f"the notebook as a whole took longer than {limits.total_seconds:g} s"
        return None
