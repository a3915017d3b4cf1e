"""A class whose grading can be killed anywhere, and what must be true of it afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from small_course import ASSIGNMENT, marks, small_course, write_source

from autograder.course import Course
from autograder.grading.record import Record
from autograder.grading.unfinished import unfinished
from autograder.releasing.release import make_release

QUESTIONS = 4
STUDENTS = {
    name: number % (QUESTIONS + 1)
    for number, name in enumerate(["ada", "ben", "cas", "dan", "eve", "fay"])
}
"""How many questions the first version of each student's submission answers. The second version
answers the others, so that every score of the class changes from one version to the other."""

KINDS = ("grader", "worker", "sandbox")

GRADE = """
import sys
from pathlib import Path
from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.grade import grade
from autograder.grading.unfinished import unfinished
course = Course(Path(sys.argv[1], "course"), Path(sys.argv[1], "notebooks"))
handed_in = Path(sys.argv[1], "handed-in")
try:
    if sys.argv[2] == "unfinished":
        outcomes = grade("small", course, students=list(unfinished("small", course)), jobs=2)
    else:
        outcomes = grade("small", course, source=handed_in, jobs=2)
except UserError as error:
    sys.exit(str(error))
sys.exit("\\n".join(outcome.problem for outcome in outcomes if outcome.problem) or 0)
"""
"""What `autograder grade small` does, with ``--from`` or with ``--unfinished``."""

ANSWER = """\
def times_{n}(x):
    ### BEGIN SOLUTION
    return {n} * x
    ### END SOLUTION
"""
TEST = """\
### BEGIN HIDDEN TESTS
from autograder.hidden import holds, score, student

score(holds(lambda: student.times_{n}(3.0) == {n} * 3.0, "Three times {n}."), of=2)
### END HIDDEN TESTS
"""
LAST = QUESTIONS  # the question that both versions answer

BY_HAND = {f"times_{LAST}": 1.5, "reason": 0.5}
"""The points that a person gives. Both answers are the same in both versions."""
COMMENT = "Well put, {student}."


# ------------------------------------------------------------------------------------------------
# The class


def source() -> NotebookNode:
    cells = [new_markdown_cell("# Multiples")]
    for n in range(QUESTIONS + 1):
        solution = marks(f"times_{n}_solution", solution=True)
        test = marks(f"times_{n}", points=2, locked=True)
        cells.append(new_code_cell(ANSWER.format(n=n), metadata=solution))
        cells.append(new_code_cell(TEST.format(n=n), metadata=test))
    cells.append(new_markdown_cell("Because.", metadata=marks("reason", solution=True, points=1)))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    course = {"unlocks": [], "artifacts": []}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "course": course})


@dataclass(frozen=True)
class KilledClass:
    """The class in a folder, with a course in which its assignment is released."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> KilledClass:
        write_source(folder, source())
        make_release(ASSIGNMENT, small_course(folder))
        return cls(folder)

    @property
    def course(self) -> Course:
        return small_course(self.folder)

    def hand_in(self, version: int) -> None:
        """Let every student hand in."""
        for student, answered in STUDENTS.items():
            nb = nbformat.read(self.course.released_notebook(ASSIGNMENT), as_version=4)
            for n, cell in enumerate(c for c in nb.cells if c.source.startswith("def times_")):
                if n == LAST or (n < answered) == (version == 1):
                    cell.source = f"def times_{n}(x):\n    return {n} * x"
            nb.cells[-1].source = f"Because {student} says so."
            place = self.folder / "handed-in" / student
            place.mkdir(parents=True, exist_ok=True)
            nbformat.write(nb, place / "small.ipynb")

    def grade_by_hand(self) -> None:
        """Give points against the grader, points for the written answer, and comments."""
        with self.course.gradebook() as gradebook:
            for student in STUDENTS:
                names = (ASSIGNMENT, ASSIGNMENT, student)
                for question, points in BY_HAND.items():
                    grade = gradebook.find_grade(question, *names)
                    grade.manual_score, grade.needs_manual_grade = points, False
                comment = gradebook.find_comment("reason", *names)
                comment.manual_comment = COMMENT.format(student=student)
            gradebook.db.commit()

    def unfinished(self) -> dict[str, str]:
        return unfinished(ASSIGNMENT, self.course)

    def start(self, how: str) -> subprocess.Popen[bytes]:
        """Start grading: everything anew (``all``), or what is left (``unfinished``)."""
        return subprocess.Popen(
            [sys.executable, "-c", GRADE, str(self.folder), how],
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    # --------------------------------------------------------------------------------------------
    # What must be true

    def grades(self) -> dict[str, dict[str, tuple]]:
        """Return what the gradebook holds of every grade: automatic, by hand, and whether it waits.

        Raises
        ------
        AssertionError
            If the gradebook is damaged, or holds a grade twice.
        """
        query = """
            SELECT student.id, base_cell.name,
                   grade.auto_score, grade.manual_score, grade.needs_manual_grade
            FROM grade JOIN base_cell ON grade.cell_id = base_cell.id
            JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
            JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
            JOIN student ON submitted_assignment.student_id = student.id
        """
        found: dict[str, dict[str, tuple]] = {}
        with closing(sqlite3.connect(self.course.database)) as gradebook:
            assert gradebook.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            for student, question, auto, by_hand, waits in gradebook.execute(query):
                grades = found.setdefault(student, {})
                assert question not in grades, f"{student} has two grades in {question}"
                grades[question] = (auto, by_hand, bool(waits))
        return found

    def comments(self) -> dict[str, str | None]:
        with Gradebook(self.course.database_url) as gradebook:
            names = (ASSIGNMENT, ASSIGNMENT)
            return {
                student: gradebook.find_comment("reason", *names, student).manual_comment
                for student in STUDENTS
            }

    def check(self, version: int) -> None:
        """Check what must be true at any moment after a kill while `version` is graded."""
        left, found = self.unfinished(), self.grades()
        graded = {student for student in found if found[student] == expected(student, version)}
        for student in found.keys() - graded:
            old = expected(student, 3 - version)
            assert found[student] == old, f"{student} has a mixture of grades"
            # A run that is killed while it imports the hand-ins has not changed a grade.
            known = student in left or not (left or graded)
            assert known, f"{student} is not graded, and nobody knows"
        assert self.comments() == {s: COMMENT.format(student=s) for s in STUDENTS}

    def check_the_end(self, version: int) -> None:
        """Check what must be true when the run is over: as if nothing had happened."""
        assert self.unfinished() == {}
        assert self.grades() == {student: expected(student, version) for student in STUDENTS}
        assert self.comments() == {s: COMMENT.format(student=s) for s in STUDENTS}
        for student in STUDENTS:
            graded = nbformat.read(self.course.graded_notebook(student, ASSIGNMENT), as_version=4)
            nbformat.validate(graded)
            for name, question in Record.read(graded).questions.items():
                assert question.judged
                assert question.score == expected(student, version)[name][0]
            page = self.course.feedback_page(student, ASSIGNMENT).read_text(encoding="utf-8")
            assert page.rstrip().endswith("</html>")
        for folder in ("autograded", "feedback"):
            files = [p for p in (self.course.folder / folder).rglob("*") if p.is_file()]
            assert len(files) == len(STUDENTS), files


def expected(student: str, version: int) -> dict[str, tuple]:
    """Return the grades of a student as `KilledClass.grades` does, after an undisturbed run."""
    grades: dict[str, tuple] = {
        f"times_{n}": (2.0 if (n < STUDENTS[student]) == (version == 1) else 0.0, None, False)
        for n in range(QUESTIONS)
    }
    grades[f"times_{LAST}"] = (2.0, BY_HAND[f"times_{LAST}"], False)
    grades["reason"] = (None, BY_HAND["reason"], False)
    return grades


# ------------------------------------------------------------------------------------------------
# Killing


@dataclass(frozen=True)
class Kill:
    """A kill that is planned.

    Attributes
    ----------
    kind
        One of `KINDS`.
    pause
        When it happens: seconds after the kill before it, or after the start of the run.
    which
        A number from 0 to 1 that chooses among the processes of this kind.
    """

    kind: str
    pause: float
    which: float


def plan(count: int, run: float, seed: int) -> Iterator[Kill]:
    """Yield as many kills of every kind, in a random order that depends only on the seed.

    Parameters
    ----------
    count
        The number of kills.
    run
        Seconds that an undisturbed run takes. A grader has up to so many until it is killed; a
        worker or a sandbox is killed more often than that.
    seed
    """
    chance = random.Random(seed)
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    chance.shuffle(kinds)
    for kind in kinds:
        longest = run if kind == "grader" else run / 4
        yield Kill(kind, chance.random() * longest, chance.random())


def victims(grader: subprocess.Popen[bytes], kind: str) -> list[psutil.Process]:
    """Return the living processes of this kind below a grader, in the order of their start.

    A template counts as part of the sandboxes, and a nursery as a worker.
    """
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(grader.pid)
        if kind == "grader":
            return [process]
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                command = child.cmdline()  # empty if it has just ended
                # A forked kernel has the command line of the template, and a worker the nursery's.
                forked = any("exec(open(" in part for part in command)
                sandboxed = forked or child.name() == "bwrap"
                working = any("nursery import serve" in part for part in command)
                if sandboxed if kind == "sandbox" else working:
                    found.append(child)
    return sorted(found, key=lambda p: p.pid)


def carry_out(kill: Kill, grader: subprocess.Popen[bytes]) -> str:
    """Wait and kill; return what was killed, or nothing if the run had ended by then."""
    moment = time.monotonic() + kill.pause
    while grader.poll() is None:
        if time.monotonic() >= moment and (found := victims(grader, kill.kind)):
            chosen = found[int(kill.which * len(found))]
            with contextlib.suppress(psutil.Error):
                if kill.kind == "grader":
                    return _kill_grader(grader, alone=kill.which < 0.5)
                what = Path(chosen.exe()).name if kill.kind == "sandbox" else kill.kind
                chosen.kill()
                return what
        time.sleep(0.01)
    return ""


def _kill_grader(grader: subprocess.Popen[bytes], *, alone: bool) -> str:
    """Kill a grader, alone or with its process group; everything below it must end, too."""
    below = psutil.Process(grader.pid).children(recursive=True)
    if alone:
        grader.kill()
    else:
        os.killpg(grader.pid, signal.SIGKILL)
    grader.wait(60)
    assert not psutil.wait_procs(below, timeout=10)[1]
    return "grader" if alone else "grader and its process group"


def temporary_files() -> list[Path]:
    """Return what graders have left in the folder for temporary files."""
    return list(Path(tempfile.gettempdir()).iterdir())
