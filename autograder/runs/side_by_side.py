"""Do several tasks of a reference run at a time, until a deadline.

On a CPU, each task has a process of its own. On a GPU, the tasks are threads of one process, each
with a stream of its own: eight trainings with recorded steps, which the GPU repeats by itself, keep
it fully busy.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path

import torch

from autograder.runs.tasks import Task, do
from helpers.progress import quiet
from helpers.turns import OutOfTime, Turns, check_time

Placed = tuple[Task, Path]
"""A task, and the folder for its results."""


def done(
    tasks: Sequence[Placed], device: str, share: float, jobs: int, deadline: float | None
) -> Iterator[Task]:
    """Do tasks, `jobs` at a time; yield each when it is done.

    Parameters
    ----------
    tasks
        The tasks, each with the folder for its results.
    device
        As for `autograder.runs.tasks.do`.
    share
        As for `autograder.runs.tasks.do`.
    jobs
        Number of tasks at a time.
    deadline
        The time at which the work stops, in seconds as `time.time` counts them. A training stops
        after an epoch, and a later run continues from there. None: no deadline.
    """
    found: Iterator[Task | None]
    if jobs == 1:
        turns = Turns(deadline)
        found = (_attempt(*placed, device, share, turns) for placed in tasks)
    elif torch.device(device).type == "cuda":
        found = _in_threads(tasks, device, share, jobs, deadline)
    else:
        found = _in_processes(tasks, device, share, jobs, deadline)
    yield from (task for task in found if task is not None)


def _attempt(task: Task, folder: Path, device: str, share: float, turns: Turns) -> Task | None:
    """Do a task and return it; return None if the time is over before it is done."""
    with turns.taken():
        try:
            check_time()
            return do(task, folder, device, share)
        except OutOfTime:
            return None


# ------------------------------------------------------------------------------------------------
# Threads of one process


def _in_threads(
    tasks: Sequence[Placed], device: str, share: float, jobs: int, deadline: float | None
) -> Iterator[Task | None]:
    turns = Turns(deadline)

    def attempt(task: Task, folder: Path) -> Task | None:
        with quiet():
            return _attempt(task, folder, device, share, turns)

    pool = ThreadPoolExecutor(jobs)
    try:
        yield from _results(pool, attempt, tasks)
    except BaseException:
        turns.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


# ------------------------------------------------------------------------------------------------
# Processes


def _in_processes(
    tasks: Sequence[Placed], device: str, share: float, jobs: int, deadline: float | None
) -> Iterator[Task | None]:
    # Spawned, because a process that has used torch must not be forked.
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin_worker)
    attempt = partial(_attempt_here, device=device, share=share, deadline=deadline)
    try:
        yield from _results(pool, attempt, tasks)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _attempt_here(
    task: Task, folder: Path, device: str, share: float, deadline: float | None
) -> Task | None:
    return _attempt(task, folder, device, share, Turns(deadline))


def _begin_worker() -> None:
    """Start a worker process, which ends with its parent and shows no progress bar."""
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 # stays open as long as the process lives


def _results(
    pool: Executor, attempt: Callable[[Task, Path], Task | None], tasks: Sequence[Placed]
) -> Iterator[Task | None]:
    running = [pool.submit(attempt, *placed) for placed in tasks]
    for future in as_completed(running):
        yield future.result()
