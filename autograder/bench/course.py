"""How much time grading takes, by nbgrader's own commands and by ours."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder.assignments import assignments
from autograder.bench.many import many_unchanged
from autograder.bench.otter import otter_hand_in, otter_points, otter_tests
from autograder.course import Course
from autograder.grading.imported import imported_packages
from autograder.releasing.release import make_release
from autograder.samples import sample_class
from helpers.profile import profile

PROJECT = Path(__file__).parents[2]
NBGRADER = "c = get_config()\nc.ExecutePreprocessor.timeout = 1200\n"
"""nbgrader's configuration, with more time for a cell than its 30 seconds."""
NBGRADER_SUBMISSIONS = 2
"""nbgrader's own commands take up to a minute for each."""

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
    "ours, each kernel started by itself": ("cold", 1, 2),
    "ours, one worker": ("warm", 1, 4),
    "ours, two workers": ("warm", 2, 4),
}
"""How kernels are started, the number of workers, and that of submissions."""

CURVE = (1, 4, 16)
"""Numbers of submissions for which the cost of an assignment is measured."""
CURVE_OF = "sparse_linear"

OWN = """
import importlib, sys, time
from contextlib import suppress
import matplotlib
matplotlib.use("agg")
for module in sys.argv[2].split():
    with suppress(ImportError):
        importlib.import_module(module)
import nbformat, torch
from IPython.core.interactiveshell import InteractiveShell
torch.set_num_threads(1)
shell = InteractiveShell.instance()
cells = [c.source for c in nbformat.read(sys.argv[1], 4).cells if c.cell_type == "code"]
began = time.process_time()
for source in cells:
    shell.run_cell(source, silent=True)
print("seconds:", time.process_time() - began)
"""
"""Runs a notebook, and measures its processor time without imports; figures are not drawn."""

POLL_SECONDS = 2.0
"""Time between two looks at the memory, each of which takes some hundredths of a second."""


def grading(only: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Measure one assignment after the other.

    Parameters
    ----------
    only
        The assignments; by default all.

    Yields
    ------
    dict
        What was found until now, by assignment and by way of grading: for each submission, the
        processor time and the wall time in seconds; the points of the first; the seconds until it
        had a feedback page, and the largest memory of all processes. The processor time is that of
        the whole machine, because a sandbox's processes are children of none of ours: the machine
        must do nothing else meanwhile.
    """
    found: dict[str, Any] = {}
    for assignment in only or assignments():
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(assignment, Path(folder))
            found[assignment] = bench.ways()
            if assignment == CURVE_OF:
                found["curve"] = bench.classes(CURVE, jobs=os.cpu_count() or 1)
                found["curve, one worker"] = bench.classes(CURVE[-2:], jobs=1)
                found["unchanged"] = many_unchanged(assignment, bench.course, Path(folder, "many"))
        yield found


def otter_grading(python: Path, only: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Measure Otter-Grader on the same hand-ins, one assignment after the other.

    Parameters
    ----------
    python
        As for `Bench.otter`.
    only
        The assignments; by default all.

    Yields
    ------
    dict
        What was found until now, by assignment.
    """
    found: dict[str, Any] = {}
    for assignment in only or assignments():
        with tempfile.TemporaryDirectory() as folder:
            found[assignment] = Bench(assignment, Path(folder)).otter(python)
        yield found


class Bench:
    """The grading of one assignment's full solution, as a student hands it in who has run it.

    Parameters
    ----------
    assignment
    folder
        Where the courses are made.
    """

    def __init__(self, assignment: str, folder: Path) -> None:
        self.assignment = assignment
        self.folder = folder
        self.course = Course(folder / "course")
        released = make_release(assignment, self.course)
        samples = folder / "samples"
        sample_class(
            assignment, released.notebook, samples, trouble=False, unsolved=False, mistakes=0
        )
        self.hand_in = samples / "solution" / assignment
        self.notebook = self.hand_in / f"{assignment}.ipynb"
        self.own_seconds = self._own_seconds()
        solved = nbformat.read(self.notebook, as_version=4)
        resources = {"metadata": {"path": str(self.hand_in)}}
        NotebookClient(solved, timeout=1200, resources=resources).execute()
        nbformat.write(solved, self.notebook)

    def ways(self) -> dict[str, Any]:
        """Measure every way of grading."""
        found: dict[str, Any] = {"own_cpu_seconds": self.own_seconds}
        stock = self._class_of(NBGRADER_SUBMISSIONS, "stock")
        (stock.folder / "nbgrader_config.py").write_text(NBGRADER)
        nbgrader = [sys.executable, "-m", "nbgrader"]
        found["nbgrader"] = self._timed(
            stock,
            NBGRADER_SUBMISSIONS,
            [*nbgrader, "autograde", self.assignment],
            [*nbgrader, "generate_feedback", self.assignment],
        )
        for way, (warm, jobs, count) in WAYS.items():
            course = self._class_of(count, f"{warm}-{jobs}")
            found[way] = self._timed(course, count, self._grade(course, warm, jobs))
        found["ours, unchanged"] = self._timed(course, count, self._grade(course, warm, jobs))
        return found

    def classes(self, counts: Sequence[int], *, jobs: int) -> dict[int, dict[str, float]]:
        """Measure the cost of classes of several sizes."""
        found = {}
        for count in counts:
            course = self._class_of(count, f"class-{count}-{jobs}")
            command = self._grade(course, "warm", jobs)
            found[count] = self._timed(course, count, command)
        return found

    def otter(self, python: Path) -> dict[str, float]:
        """Measure ``otter run``, which grades one submission at a time and writes no page.

        Parameters
        ----------
        python
            A Python that has Otter-Grader and what the course needs.
        """
        folder = self.folder / "otter"
        folder.mkdir()
        tests, hand_in = folder / "autograder.zip", folder / "hand-in.zip"
        otter_tests(self.course.source_notebook(self.assignment), tests)
        otter_hand_in(self.hand_in, hand_in)
        arguments = ["-a", tests, "-o", folder, hand_in]
        command = [str(python), "-m", "otter", "run", *map(str, arguments)]
        busy, began = _busy_seconds(), time.perf_counter()
        subprocess.run(
            command,
            cwd=folder,
            # The hidden tests import the course kit, which that Python need not have installed.
            env=os.environ | {"COURSE_PROFILE": profile(), "PYTHONPATH": str(PROJECT)},
            check=True,
            capture_output=True,
        )
        return {
            "submissions": 1,
            "cpu_seconds": _busy_seconds() - busy,
            "seconds": time.perf_counter() - began,
            "points": otter_points(folder),
        }

    def _class_of(self, count: int, name: str) -> Course:
        """Return a course in which so many students have handed in; no two hand-ins are the same.

        The same would be graded only once.
        """
        course = Course(self.folder / name)
        shutil.copytree(self.course.folder, course.folder, symlinks=True)
        solved = nbformat.read(self.notebook, as_version=4)
        for number in range(count):
            place = course.submission(f"student-{number}", self.assignment)
            shutil.copytree(self.hand_in, place)
            nbformat.write(_signed(solved, number), place / self.notebook.name)
        return course

    def _grade(self, course: Course, warm: str, jobs: int) -> list[str]:
        arguments = [str(course.folder), self.assignment, warm, str(jobs)]
        return [sys.executable, "-c", GRADE, *arguments]

    def _timed(self, course: Course, count: int, *commands: Sequence[str]) -> dict[str, float]:
        """Run commands; return what they took, divided by the number of submissions."""
        busy, began = _busy_seconds(), time.perf_counter()
        pages = course.folder / "feedback"
        first, peak = 0.0, 0.0
        for command in commands:
            with _Memory() as memory:
                process = subprocess.Popen(
                    command,
                    cwd=course.folder,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                memory.start_with(process.pid)
                while process.poll() is None:
                    if not first and any(pages.rglob("*.html")):
                        first = time.perf_counter() - began
                    time.sleep(0.05)
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, command)
            peak = max(peak, memory.peak)
        return {
            "submissions": count,
            "cpu_seconds": (_busy_seconds() - busy) / count,
            "seconds": (time.perf_counter() - began) / count,
            "first_seconds": first or time.perf_counter() - began,
            "peak_mib": peak / 2**20,
            "points": self._points(course),
        }

    def _points(self, course: Course) -> float:
        """Return the points that the hidden tests gave the first submission."""
        with Gradebook(course.database_url) as gradebook:
            notebook = gradebook.find_submission_notebook(
                self.assignment, self.assignment, "student-0"
            )
            return sum(grade.auto_score or 0.0 for grade in notebook.grades)

    def _own_seconds(self) -> float:
        """Return the processor time of the solved notebook, without imports and drawing."""
        modules = imported_packages(self.course.source_notebook(self.assignment))
        done = subprocess.run(
            [sys.executable, "-c", OWN, self.notebook.name, " ".join(modules)],
            cwd=self.hand_in,
            env=os.environ | {"COURSE_PROFILE": profile(), "COURSE_GRADING": "1"},
            check=True,
            capture_output=True,
            text=True,
        )
        return float(done.stdout.rpartition("seconds:")[2])


class _Memory(threading.Thread):
    """Watches the memory of a process and its descendants; what is shared counts once."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ended = threading.Event()
        self._pid = 0
        self.peak = 0.0

    def start_with(self, pid: int) -> None:
        self._pid = pid
        self.start()

    def run(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            try:
                process = psutil.Process(self._pid)
                family = [process, *process.children(recursive=True)]
            except psutil.Error:
                return
            self.peak = max(self.peak, sum(map(_proportional_bytes, family)))

    def __enter__(self) -> _Memory:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def _proportional_bytes(process: psutil.Process) -> int:
    """Return the memory of a process, with its share of what it shares with others."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    [kibibytes] = [line.split()[1] for line in lines if line.startswith("Pss:")]
    return 1024 * int(kibibytes)


def _signed(notebook: NotebookNode, number: int) -> NotebookNode:
    signed = copy.deepcopy(notebook)
    signed.cells.append(nbformat.v4.new_markdown_cell(f"Handed in by student {number}."))
    return signed


def _busy_seconds() -> float:
    """Return the seconds that all processors together have been busy since the machine started."""
    user, nice, system, _, _, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().partition("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
