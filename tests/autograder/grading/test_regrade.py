"""Grading twice, late, and by hand: scores, feedback, report and grades agree at all times."""

import csv
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbgrader.api import Gradebook
from small_course import ASSIGNMENT, cell_of, small_course, small_notebook, write_source

from autograder.course import Course
from autograder.grading.grade import grade
from autograder.grading.renew import renew_feedback
from autograder.releasing.release import make_release
from autograder.reporting.report import class_report, grades_csv
from autograder.sandbox.bubblewrap import SandboxUnavailable, require

pytestmark = pytest.mark.slow

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


@pytest.fixture(scope="module", autouse=True)
def sandbox():
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
def released(tmp_path_factory):
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


def row(course):
    with grades_csv(ASSIGNMENT, course).open(encoding="utf-8") as table:
        [found] = csv.DictReader(table)
        return found


def page(course):
    return course.feedback_page(STUDENT, ASSIGNMENT).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("late", "penalty"),
    [("", 0.0), ('[late]\npenalty = "zero"', AUTOMATIC), ('[late]\npenalty = "daily"', 0.4)],
)
def test_both_commands_take_the_same_points_off_a_late_hand_in(course, late, penalty):
    course = settings(course, late)
    [outcome] = grade(ASSIGNMENT, course)
    assert outcome.problem is None
    ours = submission(course)
    assert ours == (AUTOMATIC, pytest.approx(penalty), {"reason"})
    assert float(row(course)["late_penalty"]) == pytest.approx(penalty)
    assert ("because the submission was late" in page(course)) == bool(penalty)

    with course.gradebook() as gradebook:
        gradebook.remove_submission(ASSIGNMENT, STUDENT)
    command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT, "--force"]
    scripts = os.path.dirname(sys.executable)
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=course.folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert submission(course) == ours


def test_an_answer_graded_by_hand_stays_graded_until_it_changes(course):
    grade(ASSIGNMENT, course)
    grade_by_hand(course, WRITTEN)
    grade(ASSIGNMENT, course)
    assert submission(course) == (AUTOMATIC + WRITTEN, 0.0, set())

    hand_in(course, "Another answer.")
    grade(ASSIGNMENT, course)
    assert submission(course) == (AUTOMATIC + WRITTEN, 0.0, {"reason"})


def test_one_command_renews_everything_after_grading_by_hand(course):
    course = settings(course, '[late]\npenalty = "zero"')
    grade(ASSIGNMENT, course)
    grade_by_hand(course, WRITTEN)
    assert renew_feedback(ASSIGNMENT, course) == {STUDENT: ""}
    # A penalty of everything stays one of everything.
    assert submission(course) == (AUTOMATIC + WRITTEN, AUTOMATIC + WRITTEN, set())
    assert float(row(course)["total"]) == 0
    assert "5 points are taken off because the submission was late" in page(course)


def change_hidden_test(course, old, new):
    """Change the hidden test in the source, and release the assignment again."""
    changed = notebook()
    cell_of(changed, "test").source = HIDDEN_TEST.replace(old, new)
    assert old in HIDDEN_TEST
    write_source(course.folder.parent, changed)
    make_release(ASSIGNMENT, course)


def comment(course, text=None):
    """Return the comment on the written answer, after writing `text` there if it is given."""
    with course.gradebook() as gradebook:
        found = gradebook.find_comment("reason", ASSIGNMENT, ASSIGNMENT, STUDENT)
        if text is not None:
            found.manual_comment = text
            gradebook.db.commit()
        return found.comment


def test_a_changed_hidden_test_changes_its_points_and_keeps_what_a_person_gave(course):
    grade(ASSIGNMENT, course)
    grade_by_hand(course, WRITTEN)
    comment(course, "Well put.")
    change_hidden_test(course, "w / 2", "w / 4")
    grade(ASSIGNMENT, course)
    assert submission(course) == (WRITTEN, 0.0, set())
    assert comment(course) == "Well put."
    assert "Well put." in page(course)


def test_points_given_against_a_hidden_test_are_kept_and_looked_at_again_when_it_changes(course):
    grade(ASSIGNMENT, course)
    grade_by_hand(course, 3.0, question="halve")
    change_hidden_test(course, "w / 2", "w / 4")
    grade(ASSIGNMENT, course)
    assert submission(course) == (3.0, 0.0, {"halve", "reason"})


def test_a_hidden_test_with_a_bug_takes_no_points_but_waits_for_a_person_everywhere(course):
    change_hidden_test(course, "score(same", "1 / 0\nscore(same")
    [outcome] = grade(ASSIGNMENT, course)
    assert outcome.problem is None
    assert submission(course) == (0.0, 0.0, {"halve", "reason"})
    assert row(course)["needs_manual_grading"] == "yes"
    assert "to be graded, out of 4" in page(course)
    assert "0 of 4 points" not in page(course)
    report = class_report(ASSIGNMENT, course).read_text(encoding="utf-8")
    assert "the hidden test of halve failed: ZeroDivisionError" in report
    assert "1 submission, 2 answers" in " ".join(re.sub("<[^>]*>", " ", report).split())

    change_hidden_test(course, "w / 2", "0.5 * w")
    grade(ASSIGNMENT, course)
    assert submission(course) == (AUTOMATIC, 0.0, {"reason"})


def test_the_notes_on_marking_reach_the_person_who_marks_and_not_the_student(course):
    grade(ASSIGNMENT, course)
    notes = "The mantissa stays as it was."
    assert notes in course.graded_notebook(STUDENT, ASSIGNMENT).read_text(encoding="utf-8")
    assert notes not in page(course)
