"""How much one submission may use."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Limits on one submission. Reaching one ends that submission's kernel and nobody else's.

    Attributes
    ----------
    cell_seconds : float
        Processor time of one cell, or of one call that a hidden test makes: unlike wall time it
        is the same however many submissions are graded beside it. The longest cell of a solution
        takes a few seconds when its artifacts are there.
    total_seconds : float
        Wall time of the whole submission.
    memory_bytes : int
        Memory of all its processes and of its files, which lie in memory too. A notebook of the
        course with torch loaded takes about 1 GiB. With a control group the kernel of the machine
        keeps this limit; elsewhere the grader looks four times a second.
    processes : int
        Processes and threads at a time.
    disk_bytes : int
        Size of the scratch folder, and of each of the other writable places (/tmp, /dev/shm).
    files : int
        Files and folders in the writable places together. An empty one takes 1 KiB of the machine's
        memory that counts as nobody's where there is no control group.
    open_files : int
        Files and sockets that one process may hold open, the usual limit of a login.
    output_bytes : int
        What the kernel may send in all.
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
        """Wall time of one cell: for cells that wait, or share their processor with others."""
        return 4 * self.cell_seconds

    @property
    def address_space_bytes(self) -> int:
        """Address space of one process: a hard stop between two looks at the memory.

        A CUDA build of torch maps several GiB that it never touches, hence the allowance.
        """
        return self.memory_bytes + 12 * 1024 * MIB
