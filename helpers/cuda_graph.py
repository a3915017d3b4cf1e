"""Record GPU work as a CUDA graph, and replay it without launching each kernel from Python.

A small network keeps a GPU busy for a fraction of the time that Python takes to launch its kernels.
A CUDA graph is recorded once and then launched as a whole.

References
----------
"CUDA Graphs" in the notes of PyTorch's documentation, on what can be recorded: tensors must stay
where they are in memory, and nothing may be read back.
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
    """Records and replays GPU work on a stream of its own; each training has one recorder.

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
        """Run everything in the block on the recorder's stream."""
        stream = self._lane.stream
        outside = torch.cuda.current_stream(stream.device)
        stream.wait_stream(outside)
        try:
            with torch.cuda.stream(stream):
                yield
        finally:
            outside.wait_stream(stream)

    def waits(self, do: Do) -> bool:
        """Call `do`, and return whether the program waited for the GPU during the call.

        Operations that make the program wait, such as reading a number back, cannot be recorded.
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
        """Record the GPU work of `do` without executing it, and return a function that does.

        `do` must have been called before, so that libraries have chosen their kernels. A later
        recording may reuse the memory of an earlier one. The earlier one must then not be replayed
        again, unless all its results lie outside the memory that it allocated.

        Raises
        ------
        RuntimeError
            If `do` cannot be recorded.
        """
        # Waiting for the whole device would delay other trainings that run at the same time.
        wait(_reached())
        graph = torch.cuda.CUDAGraph()
        newest = self._lane.newest
        pool = newest.pool() if newest is not None else None
        with _garbage_left_alone():
            # The default mode would forbid all other threads to allocate memory.
            graph.capture_begin(pool=pool, capture_error_mode="thread_local")
            try:
                do()
            except BaseException:
                # This error would only repeat that something has already failed.
                with suppress(RuntimeError):
                    graph.capture_end()
                raise
            graph.capture_end()
        self._lane.newest = graph
        return graph.replay

    def pace(self) -> None:
        """Wait until the GPU has reached the point at which `pace` was last called.

        Called after every few replays, this limits how far the program runs ahead of the GPU while
        always leaving the GPU some work.
        """
        now = _reached()
        if self._before is not None:
            wait(self._before)
        self._before = now

    def read(self, numbers: Tensor) -> list[float]:
        """Wait until the GPU has computed a one-dimensional tensor, and return its numbers."""
        there = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True)
        there.copy_(numbers, non_blocking=True)
        wait(_reached())
        return there.tolist()


def _reached() -> torch.cuda.Event:
    """Return an event that the GPU reaches after the work now queued on the current stream."""
    event = torch.cuda.Event()
    event.record()
    return event


@dataclass
class _Lane:
    """The stream and the newest graph, which a thread keeps from one training to the next.

    Freed memory can be reused only on its own stream, and the memory of recordings (their pool)
    only as long as a graph that was recorded with it is alive.
    """

    stream: torch.cuda.Stream
    newest: torch.cuda.CUDAGraph | None = None


class _Lanes(threading.local):
    """The lanes of each thread, one for each device."""

    def __init__(self) -> None:
        self._lanes: dict[torch.device, _Lane] = {}

    def of(self, device: torch.device) -> _Lane:
        if device not in self._lanes:
            self._lanes[device] = _Lane(torch.cuda.Stream(device))
        return self._lanes[device]


_lanes = _Lanes()


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Disable garbage collection, because no old graph may be freed during a recording."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
