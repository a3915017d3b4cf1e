"""A class of one, in the small course: released, handed in late, graded, and marked by hand.

The fixtures are for the tests that import them.
"""

from __future__ import annotations

import shutil

import nbformat
import pytest
from nbgrader.api import Gradebook
from small_course import ASSIGNMENT, cell_of, small_course, small_notebook, write_source

from autograder.course import Course
from autograder.grading.grade import Outcome, grade
from autograder.releasing.release import make_release
from autograder.sandbox.bubblewrap import SandboxUnavailable, require

STUDENT = "ada"
AUTOMATIC, WRITTEN = 4.0, 1.0

HIDDEN_TEST = """\
### BEGIN HIDDEN TESTS
import numpy as np
from autograder.hidden import same, score, student

score(same(student.halve, lambda w: w / 2, on=[(np.ones(3, np.float32),)]), of=4)
### END HIDDEN TESTS
"""

CONFIGURATION = """
from pathlib import Path
from autograder.configuration import course_config
from autograder.course import Course
c = get_config()
c.merge(course_config(Course(Path(__file__).parent, Path({notebooks!r}))))
"""


@pytest.fixture(scope="session")
def sandbox():
    """Skip tests that grade where there is no sandbox."""
    try:
        require()
    except SandboxUnavailable as error:
        pytest.skip(str(error))


def notebook():
    """Return the source notebook with a test that can run, and without the task."""
    found = small_notebook()
    cell_of(found, "test").source = HIDDEN_TEST
    found.cells = [cell for cell in found.cells if cell.id != "task"]
    return found


@pytest.fixture(scope="session")
def released(sandbox, tmp_path_factory):
    """Return a folder with a course that has released its assignment, which takes seconds."""
    folder = tmp_path_factory.mktemp("released")
    write_source(folder, notebook())
    make_release(ASSIGNMENT, small_course(folder))
    return folder


@pytest.fixture
def course(released, tmp_path):
    """Return a course in which a right solution was handed in, half a day after the due date."""
    shutil.copytree(released, tmp_path, symlinks=True, dirs_exist_ok=True)
    course = small_course(tmp_path)
    configuration = CONFIGURATION.format(notebooks=str(course.notebooks))
    (course.folder / "nbgrader_config.py").write_text(configuration)
    hand_in(course, "The exponent becomes smaller by one.")
    return course


@pytest.fixture
def graded(course):
    """Return the course in which the hand-in was graded."""
    assert grade(ASSIGNMENT, course) == [Outcome(STUDENT)]
    return course


def hand_in(course, answer):
    """Hand in the solution with a written answer."""
    place = course.submission(STUDENT, ASSIGNMENT)
    place.mkdir(parents=True, exist_ok=True)
    solution = notebook()
    cell_of(solution, "reason").source = answer
    nbformat.write(solution, place / f"{ASSIGNMENT}.ipynb")
    (place / "timestamp.txt").write_text("2027-02-15 12:00:00 UTC")


def settings(course, text):
    """Write the settings; return the course as the next command sees it."""
    (course.folder / "course.toml").write_text(
        f"[due]\n{ASSIGNMENT} = 2027-02-15T00:00:00Z\n{text}"
    )
    return Course(course.folder, course.notebooks)


def grade_by_hand(course, points, question="reason"):
    with course.gradebook() as gradebook:
        found = gradebook.find_grade(question, ASSIGNMENT, ASSIGNMENT, STUDENT)
        found.manual_score, found.needs_manual_grade = points, False
        gradebook.db.commit()


def submission(course):
    """Return points, penalty and the questions that wait, as the gradebook has them."""
    with Gradebook(course.database_url) as gradebook:
        found = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, STUDENT)
        waiting = {g.name for g in found.grades if g.needs_manual_grade}
        return found.score, found.late_submission_penalty or 0.0, waiting
