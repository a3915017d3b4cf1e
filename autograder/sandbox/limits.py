"""Limits on what one submission may use."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Limits on one submission. Reaching one ends the kernel of that submission and no other.

    Attributes
    ----------
    cell_seconds
        Processor time of one cell, or of one call by a hidden test. Unlike wall time, it does not
        depend on how many submissions are graded at the same time. The longest cell of a solution
        takes a few seconds if its artifacts are there.
    total_seconds
        Wall time of the whole submission.
    memory_bytes
        Memory of all its processes and of its files, which are kept in memory too. A notebook of
        the course with torch loaded takes about 1 GiB. With a control group, the machine's kernel
        enforces this limit; without one, the grader checks it four times a second.
    processes
        Processes and threads at a time.
    disk_bytes
        Size of the scratch folder, and of each of the other writable folders (/tmp, /dev/shm).
    files
        Files and folders in all writable folders together. An empty one takes 1 KiB of the
        machine's memory, which is not counted where there is no control group.
    open_files
        Files and sockets that one process may hold open; this is the usual limit of a login.
    output_bytes
        Total size of what the kernel may send.
    """

    cell_seconds: float = 60.0
    total_seconds: float = 900.0
    memory_bytes: int = 4096 * MIB
    processes: int = 128
    disk_bytes: int = 512 * MIB
    files: int = 50_000
    open_files: int = 1024
    output_bytes: int = 512 * MIB

    @property
    def cell_wall_seconds(self) -> float:
        """Wall time of one cell; longer, because cells may wait or share their processor."""
        return 4 * self.cell_seconds

    @property
    def address_space_bytes(self) -> int:
        """Address space of one process: a hard limit that holds between two checks of the memory.

        It is larger than the memory, because a CUDA build of torch maps several GiB that it never
        touches.
        """
        return self.memory_bytes + 12 * 1024 * MIB
