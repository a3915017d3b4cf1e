"""How fast this machine releases and grades."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from autograder.course import Course
from autograder.grading.grade import grade
from autograder.releasing.release import make_release
from autograder.samples import sample_class

ASSIGNMENT = "quantization"
SUBMISSIONS = 4
"""Copies of the full solution; with fewer, starting the processes would be what is measured."""

T = TypeVar("T")


def grading() -> dict[str, float]:
    """Release an assignment in an empty course and grade some full solutions there."""
    with tempfile.TemporaryDirectory() as temporary:
        course, samples = Course(Path(temporary, "course")), Path(temporary, "samples")
        release_seconds, released = _timed(lambda: make_release(ASSIGNMENT, course))
        sample_class(ASSIGNMENT, released.notebook, samples, trouble=False, mistakes=0)
        for number in range(SUBMISSIONS):
            copy = course.submission(f"solution-{number}", ASSIGNMENT)
            shutil.copytree(samples / "solution" / ASSIGNMENT, copy)
        seconds, _ = _timed(lambda: grade(ASSIGNMENT, course))
    return {
        "release_seconds": release_seconds,
        "seconds_per_submission": seconds / SUBMISSIONS,
        "submissions_at_a_time": os.cpu_count() or 1,
    }


def _timed(do: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = do()
    return time.perf_counter() - began, result
