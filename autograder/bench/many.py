"""How long a class takes of which nothing has changed since it was graded."""

from __future__ import annotations

import shutil
import sys
import time
import warnings
from pathlib import Path
from subprocess import run

from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning

from autograder.configuration import full_config
from autograder.course import Course
from autograder.grading.grade import grade
from autograder.grading.unchanged import Unchanged

COUNTS = (10, 100, 1000)
GRADE = """
import sys
from pathlib import Path
from autograder.course import Course
from autograder.grading.grade import grade
course = Course(Path(sys.argv[2]), Path(sys.argv[3]))
print(sum(outcome.unchanged for outcome in grade(sys.argv[1], course)))
"""
"""What `autograder grade` does; it prints how many submissions are unchanged."""
FIRST = "student-0"


def many_unchanged(assignment: str, course: Course, folder: Path) -> dict[int, float]:
    """Measure `autograder grade` on larger and larger classes that are graded already.

    Grading a thousand submissions for that would take hours. So one is graded, and what grading
    leaves behind is multiplied: its files, its rows in the gradebook, and its digests.

    Parameters
    ----------
    assignment
    course
        A course with a release and no submissions. It is not changed.
    folder
        Where to make a copy of it, with submissions.

    Returns
    -------
    dict of int to float
        From the number of submissions to seconds.
    """
    many = Course(folder, course.notebooks)
    shutil.copytree(course.folder, many.folder, symlinks=True)
    grade_first(assignment, many)
    graded_before = Unchanged(assignment, many, full_config(many))
    found, there = {}, 1
    for count in COUNTS:
        enrol_many(assignment, many, count, there)
        for number in range(there, count):
            student = f"student-{number}"
            _multiply(assignment, many, student)
            graded_before.keep(student, graded_before.inputs(student))
        there = count
        command = [sys.executable, "-c", GRADE, assignment, str(many.folder), str(many.notebooks)]
        began = time.perf_counter()
        done = run(command, check=True, capture_output=True, text=True)
        found[count] = time.perf_counter() - began
        assert int(done.stdout) == count, done.stdout
    return found


def grade_first(assignment: str, course: Course) -> None:
    """Let `FIRST` hand in the released notebook as it is, and grade it."""
    place = course.submission(FIRST, assignment)
    place.mkdir(parents=True)
    shutil.copyfile(course.released_notebook(assignment), place / f"{assignment}.ipynb")
    grade(assignment, course, jobs=1)


def enrol_many(assignment: str, course: Course, count: int, beginning: int = 1) -> None:
    """Let students have the scores of `FIRST`, so that there are `count` of them.

    Parameters
    ----------
    assignment, course
    count
    beginning
        The number of the first one; those before are there already.
    """
    with warnings.catch_warnings(), Gradebook(course.database_url) as gradebook:
        warnings.simplefilter("ignore", SAWarning)  # raised by nbgrader's own code
        first = gradebook.find_submission_notebook(assignment, assignment, FIRST)
        scores = {row.name: (row.auto_score, row.needs_manual_grade) for row in first.grades}
        for number in range(beginning, count):
            student = f"student-{number}"
            gradebook.update_or_create_student(student)
            gradebook.add_submission(assignment, student)
            copied = gradebook.find_submission_notebook(assignment, assignment, student)
            for row in copied.grades:
                row.auto_score, row.needs_manual_grade = scores[row.name]
        gradebook.db.commit()


def _multiply(assignment: str, course: Course, student: str) -> None:
    """Give a student the files of `FIRST`."""
    for path in (
        course.submission(FIRST, assignment) / f"{assignment}.ipynb",
        course.graded_notebook(FIRST, assignment),
        course.feedback_page(FIRST, assignment),
    ):
        relative = path.relative_to(course.folder)
        parts = [student if part == FIRST else part for part in relative.parts]
        target = course.folder.joinpath(*parts)
        target.parent.mkdir(parents=True)
        shutil.copyfile(path, target)
