"""The class of hostile submissions is handed in, graded once in the real sandbox, and read.

As a program (``python hostile_class.py FOLDER WARM``) this module grades the class in the folder.
The program is a separate process, so that everything that it leaves behind can be found.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
import psutil
from corpus import CORPUS
from hand_ins import HandIn
from hostile_course import (
    ANSWERS,
    ASSIGNMENT,
    POINTS,
    Assignment,
    hostile_course,
    make_course,
    new_secrets,
    solution,
)
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from traitlets.config import Config

from autograder.grading.grade import grade
from autograder.grading.nursery import close_nurseries
from autograder.grading.record import Record
from autograder.reporting.report import class_report, grades_csv

HONEST, UNTOUCHED = "honest", "untouched"
"""The control submissions; their names put them in the middle of the alphabet and of the run."""

JOBS = 2
CELL_SECONDS = 4.0
"""Twice what importing torch takes, which is the slowest step of an honest cell."""
TOTAL_SECONDS = 60.0
"""The limit for a submission: ten times what the honest one takes. The grader's own work on it may
take twice as long, including the start of a worker, which is slow while other tests run."""
MEMORY_MIB = 1024
"""Twice what the honest submission takes, with torch and matplotlib."""
RUN_SECONDS = 900
"""The limit for the whole run, in which submissions are graded two at a time."""

SECRET_VARIABLE = "COURSE_TOKEN"
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)


def make_class(folder: Path, *, warm: bool) -> None:
    """Release the assignment, hand in the corpus and grade it."""
    secrets = new_secrets()
    release = make_course(folder, secrets)
    a = Assignment(release, secrets, folder / "trap")
    for hostile in CORPUS.values():
        made = hostile.hand_in(a)
        _hand_in(folder, hostile.folder, made if isinstance(made, HandIn) else HandIn(made))
    token = f"# {secrets['neighbour']}\n"
    answers = {name: token + solution(name) for name in ANSWERS}
    honest = a.notebook(f"print('{secrets['neighbour']}')", written=token, **answers)
    _hand_in(folder, HONEST, HandIn(honest, {**a.network, "notes.txt": token.encode()}))
    _hand_in(folder, UNTOUCHED, HandIn(a.notebook()))
    (folder / "secrets.json").write_text(json.dumps(secrets))
    (folder / "tmp").mkdir()
    environment = {
        **os.environ,
        SECRET_VARIABLE: secrets["environment"],
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path))),
    }
    subprocess.run(
        [sys.executable, __file__, str(folder), str(warm)],
        env=environment,
        timeout=RUN_SECONDS,
        check=True,
    )


def _hand_in(folder: Path, name: str, hand_in: HandIn) -> None:
    place = folder / "handed-in" / name
    place.mkdir(parents=True)
    notebook = hand_in.notebook
    if notebook is not None:
        # Not written by nbformat, which would refuse or repair the notebook.
        content = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
        (place / f"{ASSIGNMENT}.ipynb").write_bytes(content)
    for path, content in hand_in.files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)
    hand_in.arrange(place)


def _grade(folder: Path, *, warm: bool) -> None:
    """Grade the class; record the time, the outcomes and the processes that are left."""
    # Orphans become children of this process, so that they are found.
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    settings = Config()
    settings.GradeInSandbox.cell_seconds = CELL_SECONDS
    settings.GradeInSandbox.total_seconds = TOTAL_SECONDS
    settings.GradeInSandbox.memory_mib = MEMORY_MIB
    settings.GradeInSandbox.warm = warm
    began = time.monotonic()
    course = hostile_course(folder)
    outcomes = grade(ASSIGNMENT, course, source=folder / "handed-in", jobs=JOBS, settings=settings)
    seconds = time.monotonic() - began
    class_report(ASSIGNMENT, course)
    grades_csv(ASSIGNMENT, course)
    close_nurseries()
    run = {"seconds": seconds, "outcomes": [asdict(o) for o in outcomes], "processes": _living()}
    (folder / "run.json").write_text(json.dumps(run))


def _living() -> list[str]:
    """Return the command lines of all living descendants of this process."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(" ".join(process.cmdline()))  # a zombie has none
    return found


@dataclass(frozen=True)
class GradedClass:
    """The results of the run in `folder`."""

    folder: Path

    @cached_property
    def run(self) -> dict[str, Any]:
        """``seconds``, ``outcomes`` and the ``processes`` that were left."""
        return json.loads((self.folder / "run.json").read_text())

    @cached_property
    def secrets(self) -> dict[str, str]:
        return json.loads((self.folder / "secrets.json").read_text())

    @cached_property
    def scores(self) -> dict[str, dict[str, float]]:
        """The points of the automatically graded questions, by student."""
        database = f"sqlite:///{self.folder}/course/gradebook.db"
        with Gradebook(database) as gradebook:
            return {
                submission.student.id: {
                    grade.name: grade.auto_score
                    for grade in submission.notebooks[0].grades
                    if grade.name in POINTS
                }
                for submission in gradebook.assignment_submissions(ASSIGNMENT)
            }

    @property
    def report(self) -> str:
        return self._read(self.folder / "course" / "report" / f"{ASSIGNMENT}.html")

    @property
    def table(self) -> str:
        return self._read(self.folder / "course" / "report" / f"{ASSIGNMENT}.csv")

    def page(self, student: str) -> str:
        """Return the feedback page."""
        return self._read(self._of("feedback", student, "html"))

    def notebook(self, student: str) -> NotebookNode:
        """Return the graded notebook."""
        return nbformat.read(self._of("autograded", student, "ipynb"), as_version=4)

    def flags(self, student: str) -> list[str]:
        return Record.read(self.notebook(student)).flags

    def _of(self, step: str, student: str, end: str) -> Path:
        return self.folder / "course" / step / student / ASSIGNMENT / f"{ASSIGNMENT}.{end}"

    def _read(self, path: Path) -> str:
        # Universal newlines would change what a browser gets.
        return path.read_bytes().decode()


if __name__ == "__main__":
    _grade(Path(sys.argv[1]), warm=sys.argv[2] == "True")
