"""Measure what the processes of a sandbox use, from outside the sandbox."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from .cgroup import Cgroup

WRITABLE = ("tmp", "scratch", "dev/shm")
"""Folders of a sandbox that student code can write to; their files are kept in memory."""


@dataclass(frozen=True)
class Usage:
    """What a sandbox uses at this moment.

    Attributes
    ----------
    processor_seconds
        Processor time since it was started.
    memory_bytes
        Memory of the processes and of the files that they wrote; 0 if a control group counts and
        limits the memory.
    memory_exceeded
        Whether a control group has ended a process for using too much memory.
    processes
        Number of processes, without their threads.
    files
        Files and folders in the writable folders.
    stopped
        Whether one of its processes is stopped, as by SIGSTOP.
    """

    processor_seconds: float
    memory_bytes: int
    memory_exceeded: bool
    processes: int
    files: int
    stopped: bool


def usage(processes: list[psutil.Process], group: Cgroup | None, memory_limit: int) -> Usage:
    """Measure what the processes of a sandbox use.

    Parameters
    ----------
    processes
        All of them; some may have ended already.
    group
        Its control group, if it has one.
    memory_limit
        In bytes. If the simple sum over all processes is larger than this, shared memory is counted
        properly, which takes longer.
    """
    seconds = sum(_processor_seconds(process) for process in processes)
    files, file_bytes = _written(processes)
    if group is None:
        memory = file_bytes + sum(_resident(process) for process in processes)
        if memory > memory_limit:
            memory = file_bytes + sum(_proportional(process) for process in processes)
        exceeded = False
    else:
        memory, exceeded = 0, group.memory_exceeded()
        counted = group.processor_seconds()
        seconds = seconds if counted is None else counted
    return Usage(
        processor_seconds=seconds,
        memory_bytes=memory,
        memory_exceeded=exceeded,
        processes=len(processes),
        files=files,
        stopped=any(_stopped(process) for process in processes),
    )


def _processor_seconds(process: psutil.Process) -> float:
    """Return the processor time of a process and of those of its children that have ended."""
    with contextlib.suppress(psutil.Error):
        return sum(process.cpu_times()[:4])
    return 0.0


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.memory_info().rss
    return 0


def _proportional(process: psutil.Process) -> int:
    """Return a process's memory, with its part of shared memory: forked workers share most."""
    with contextlib.suppress(psutil.Error):
        return process.memory_full_info().pss
    return 0


def _stopped(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.status() == psutil.STATUS_STOPPED
    return False


def _written(processes: list[psutil.Process]) -> tuple[int, int]:
    """Return the number and the bytes of the files in a sandbox's writable folders."""
    for root in _insides(processes):
        with contextlib.suppress(OSError):
            counts = [os.statvfs(root / name) for name in WRITABLE]
            files = sum(count.f_files - count.f_ffree for count in counts)
            used = sum((count.f_blocks - count.f_bfree) * count.f_frsize for count in counts)
            return files, used
    return 0, 0


def _insides(processes: list[psutil.Process]) -> Iterator[Path]:
    """Yield the root folders of the processes that are already inside the sandbox."""
    for process in processes:
        root = Path("/proc", str(process.pid), "root")
        with contextlib.suppress(OSError):
            if (root / "kernel/inside").is_dir():
                yield root
