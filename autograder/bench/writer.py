"""Where the gradebook, which has one writer at a time, would limit a class graded by many workers.

How long it is locked for a submission is measured. What that means for more workers than this
machine has processors is simulated.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from nbgrader.converters import Autograde
from sqlalchemy.orm import Session

from autograder.bench.course import Bench
from autograder.bench.many import FIRST, enrol_many, grade_first
from autograder.configuration import add_scripts_to_path, full_config
from autograder.course import Course
from autograder.grading.converting import convert
from autograder.grading.unchanged import Unchanged
from autograder.releasing.release import make_release

ASSIGNMENT = "sparse_linear"
CLASS = 1000
REPEATS = 5
WORKERS = (1, 2, 4, 8, 16, 32, 64)


def writing() -> dict[str, Any]:
    """Measure the time that the gradebook is locked, and simulate many workers.

    Returns
    -------
    dict
        The seconds that a worker takes for a submission, those for which the gradebook is locked
        for it in a class of `CLASS`, and the submissions per hour by the number of workers.
    """
    with TemporaryDirectory() as folder:
        work_seconds = _work_seconds(Path(folder, "few"))
        locked = _locked_seconds(ASSIGNMENT, Course(Path(folder, "many")))
    return {
        "class": CLASS,
        "work_seconds": work_seconds,
        "locked_seconds": locked,
        "per_hour": {
            workers: 3600 * CLASS / simulated([work_seconds] * CLASS, workers, locked)
            for workers in WORKERS
        },
    }


def simulated(work: Sequence[float], workers: int, locked: float) -> float:
    """Return how long workers take for a class if each result is written by itself.

    Parameters
    ----------
    work
        The seconds that each submission takes a worker, before its result is written.
    workers
        The number of workers, each with a processor of its own.
    locked
        The seconds for which the gradebook is locked while a result is written; other workers that
        have a result wait, and the one that has waited longest goes on.
    """
    waiting = list(reversed(work))
    ready = [waiting.pop() for _ in range(min(workers, len(waiting)))]
    heapq.heapify(ready)  # when each worker has its result
    free = 0.0  # when the gradebook is free
    while ready:
        free = max(free, heapq.heappop(ready)) + locked
        if waiting:
            heapq.heappush(ready, free + waiting.pop())
    return free


def _work_seconds(folder: Path) -> float:
    """Return how long one worker takes for one more submission: the difference of two classes."""
    bench = Bench(ASSIGNMENT, folder)
    few, many = (bench.classes([count], jobs=1)[count]["seconds"] * count for count in (1, 3))
    return (many - few) / 2


def _locked_seconds(assignment: str, course: Course) -> float:
    """Return the seconds that the transactions of one submission take in a large gradebook."""
    make_release(assignment, course)
    grade_first(assignment, course)
    enrol_many(assignment, course, CLASS)
    add_scripts_to_path()
    config = full_config(course)
    config.SubmissionExporter.settings_applied = True
    # With the result at hand, nothing but the steps of the grader itself is left.
    config.GradeInSandbox.cache = str(Unchanged(assignment, course, config).cache_folder())
    with _commits_timed() as seconds:
        for _ in range(REPEATS):
            convert(Autograde, assignment, FIRST, config)
    return sum(seconds) / REPEATS


@contextmanager
def _commits_timed() -> Iterator[list[float]]:
    """Note how long each transaction takes from its first change on."""
    seconds: list[float] = []
    commit = Session.commit

    def timed(session: Session) -> None:
        began = time.perf_counter()
        commit(session)
        seconds.append(time.perf_counter() - began)

    with patch.object(Session, "commit", timed):
        yield seconds
