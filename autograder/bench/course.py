"""How much time grading takes, by nbgrader's own commands and by ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from autograder.assignments import assignments
from autograder.course import Course
from autograder.releasing.release import make_release
from autograder.samples import sample_class

SUBMISSIONS = 2
"""Copies of the full solution of each assignment.

With one, the start of the processes would be most of what is measured, and nbgrader's own commands
take up to a minute for each.
"""

NBGRADER = "c = get_config()\nc.ExecutePreprocessor.timeout = 1200\n"
"""nbgrader's configuration, with more time for a cell than its 30 seconds."""

GRADE = """
import sys
from pathlib import Path
from traitlets.config import Config
from autograder.course import Course
from autograder.grading.grade import grade
settings = Config()
settings.GradeInSandbox.warm = sys.argv[3] == "warm"
outcomes = grade(sys.argv[2], Course(Path(sys.argv[1])), jobs=int(sys.argv[4]), settings=settings)
assert not any(outcome.problem for outcome in outcomes), outcomes
"""
"""What `autograder grade` does."""

WAYS = {
    "ours, each kernel started by itself": ("cold", "1"),
    "ours, one worker": ("warm", "1"),
    "ours, two workers": ("warm", "2"),
}


def grading() -> Iterator[dict[str, Any]]:
    """Measure one assignment after the other.

    Yields
    ------
    dict
        What was found until now, by assignment and by way of grading: for each submission, the
        processor time and the wall time in seconds, and the points. The processor time is that of
        the whole machine, because a sandbox's processes are children of none of ours: the machine
        must do nothing else meanwhile.
    """
    found: dict[str, Any] = {"submissions": SUBMISSIONS}
    for assignment in assignments():
        found[assignment] = _measured(assignment)
        yield found


def _measured(assignment: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as temporary:
        course, samples = Course(Path(temporary, "course")), Path(temporary, "samples")
        released = make_release(assignment, course)
        sample_class(assignment, released.notebook, samples, trouble=False, mistakes=0)
        for number in range(SUBMISSIONS):
            copy = course.submission(f"solution-{number}", assignment)
            shutil.copytree(samples / "solution" / assignment, copy)
        stock = Path(temporary, "stock")
        shutil.copytree(course.submitted, stock / "submitted")
        shutil.copyfile(course.database, stock / "gradebook.db")
        (stock / "nbgrader_config.py").write_text(NBGRADER)
        nbgrader = [sys.executable, "-m", "nbgrader"]
        found = {
            "nbgrader": _timed(
                [*nbgrader, "autograde", assignment],
                [*nbgrader, "generate_feedback", assignment],
                folder=stock,
            )
            | _points(Course(stock), assignment)
        }
        for way, (warm, jobs) in WAYS.items():
            ours = Path(temporary, f"{warm}-{jobs}")
            shutil.copytree(course.folder, ours, symlinks=True)
            command = [sys.executable, "-c", GRADE, str(ours), assignment, warm, jobs]
            found[way] = _timed(command, folder=ours) | _points(Course(ours), assignment)
        found["ours, unchanged"] = _timed(command, folder=ours) | _points(Course(ours), assignment)
        return found


def _timed(*commands: Sequence[str], folder: Path) -> dict[str, float]:
    """Run commands; return what they took, divided by the number of submissions."""
    busy, began = _busy_seconds(), time.perf_counter()
    for command in commands:
        subprocess.run(
            command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    return {
        "cpu_seconds": (_busy_seconds() - busy) / SUBMISSIONS,
        "seconds": (time.perf_counter() - began) / SUBMISSIONS,
    }


def _busy_seconds() -> float:
    """Return the seconds that all processors together have been busy since the machine started."""
    user, nice, system, _, _, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().partition("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _points(course: Course, assignment: str) -> dict[str, float]:
    """Return the points that the hidden tests gave the first submission."""
    with Gradebook(course.database_url) as gradebook:
        notebook = gradebook.find_submission_notebook(assignment, assignment, "solution-0")
        return {"points": sum(grade.auto_score or 0.0 for grade in notebook.grades)}
