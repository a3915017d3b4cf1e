"""Record what a program has a GPU do, and have it done again without the program.

A small network keeps a GPU busy for a fraction of the time that Python takes to launch its kernels.
A CUDA graph is recorded once and then launched as a whole.

References
----------
"CUDA Graphs" in the notes of PyTorch's documentation, on what can be recorded: tensors stay where
they are in memory, and nothing may be read back.
"""

import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from helpers.turns import wait

Do = Callable[[], None]


class Recorder:
    """Records and replays on a stream of its own; one per training.

    Parameters
    ----------
    device
        A CUDA device.
    """

    def __init__(self, device: torch.device) -> None:
        self._lane = _lanes.of(device)
        self._before: torch.cuda.Event | None = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """Do everything in the block on the recorder's stream."""
        stream = self._lane.stream
        outside = torch.cuda.current_stream(stream.device)
        stream.wait_stream(outside)
        try:
            with torch.cuda.stream(stream):
                yield
        finally:
            outside.wait_stream(stream)

    def waits(self, do: Do) -> bool:
        """Do something, and return whether the program waited for the GPU in it.

        What makes the program wait, such as reading a number back, cannot be recorded.
        """
        mode = torch.cuda.get_sync_debug_mode()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                do()
            finally:
                torch.cuda.set_sync_debug_mode(mode)
        return any("synchronizing CUDA operation" in str(entry.message) for entry in caught)

    def record(self, do: Do) -> Do:
        """Record what `do` has the GPU do, without doing it; return a function that does it.

        `do` must have been called before, so that libraries have chosen their kernels. A later
        recording may use the memory of an earlier one, which is not to be replayed any more
        unless all its results lie outside of what it allocated.

        Raises
        ------
        RuntimeError
            If `do` cannot be recorded.
        """
        # Waiting for the whole device would hold up the trainings beside this one.
        wait(_reached())
        graph = torch.cuda.CUDAGraph()
        newest = self._lane.newest
        pool = newest.pool() if newest is not None else None
        with _garbage_left_alone():
            # The default would forbid all other threads to allocate memory.
            graph.capture_begin(pool=pool, capture_error_mode="thread_local")
            try:
                do()
            except BaseException:
                # It says only that something went wrong before.
                with suppress(RuntimeError):
                    graph.capture_end()
                raise
            graph.capture_end()
        self._lane.newest = graph
        return graph.replay

    def pace(self) -> None:
        """Wait until the GPU has reached the place of the call before.

        Called after every few replays, it keeps work ahead of the GPU, but not without bound.
        """
        now = _reached()
        if self._before is not None:
            wait(self._before)
        self._before = now

    def read(self, numbers: Tensor) -> list[float]:
        """Return the numbers of a one-dimensional tensor when the GPU has come so far."""
        there = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True)
        there.copy_(numbers, non_blocking=True)
        wait(_reached())
        return there.tolist()


def _reached() -> torch.cuda.Event:
    """Return an event that comes when the GPU has done what the current stream holds by now."""
    event = torch.cuda.Event()
    event.record()
    return event


@dataclass
class _Lane:
    """What a thread keeps from one training to the next.

    Memory that was freed can be used again on its own stream only, and the memory of recordings
    (their pool) only as long as a graph that was recorded with it is alive.
    """

    stream: torch.cuda.Stream
    newest: torch.cuda.CUDAGraph | None = None


class _Lanes(threading.local):
    """One lane for each device, and others in each thread."""

    def __init__(self) -> None:
        self._lanes: dict[torch.device, _Lane] = {}

    def of(self, device: torch.device) -> _Lane:
        if device not in self._lanes:
            self._lanes[device] = _Lane(torch.cuda.Stream(device))
        return self._lanes[device]


_lanes = _Lanes()


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Keep Python from collecting garbage: an old graph must not be freed in a recording."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
