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
        Resident memory of all its processes together, watched four times a second. A notebook of
        the course with torch loaded takes about 1 GiB.
    processes : int
        Processes at a time.
    disk_bytes : int
        Size of the scratch folder, and of each of the other writable places (/tmp, /dev/shm).
    output_bytes : int
        What the kernel may send in all.
    """

    cell_seconds: float = 60.0
    total_seconds: float = 900.0
    memory_bytes: int = 4096 * MIB
    processes: int = 128
    disk_bytes: int = 512 * MIB
    output_bytes: int = 512 * MIB

    @property
    def cell_wall_seconds(self) -> float:
        """Wall time of one cell: for cells that wait, or share their processor with others."""
        return 4 * self.cell_seconds

    @property
    def address_space_bytes(self) -> int:
        """Address space of one process: a hard stop between two looks at the resident memory.

        A CUDA build of torch maps several GiB that it never touches, hence the allowance.
        """
        return self.memory_bytes + 12 * 1024 * MIB
