"""Grading twice, late, and by hand: scores, feedback, report and grades agree at all times."""

import csv
import os
import re
import subprocess
import sys

import pytest
from small_class import (
    AUTOMATIC,
    HIDDEN_TEST,
    STUDENT,
    WRITTEN,
    course,
    grade_by_hand,
    hand_in,
    notebook,
    released,
    sandbox,
    settings,
    submission,
)
from small_course import ASSIGNMENT, cell_of, write_source

from autograder.grading.grade import grade
from autograder.grading.renew import renew_feedback
from autograder.releasing.release import make_release
from autograder.reporting.report import class_report, grades_csv

__all__ = ["course", "released", "sandbox"]  # fixtures

pytestmark = pytest.mark.slow


def row(course):
    with grades_csv(ASSIGNMENT, course).open(encoding="utf-8") as table:
        [found] = csv.DictReader(table)
        return found


def page(course):
    return course.feedback_page(STUDENT, ASSIGNMENT).read_text(encoding="utf-8")


@pytest.mark.thorough
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
