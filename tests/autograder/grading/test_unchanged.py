"""A submission is graded again if anything has changed that its grade depends on, and only then."""

import shutil

import pytest
from small_class import (
    STUDENT,
    course,
    grade_by_hand,
    graded,
    hand_in,
    notebook,
    released,
    sandbox,
    submission,
)
from small_course import ASSIGNMENT, small_course, write_source

from autograder.grading import unchanged
from autograder.grading.grade import grade
from autograder.grading.renew import renew_feedback
from autograder.releasing.release import make_release

__all__ = ["course", "graded", "released", "sandbox"]  # fixtures

pytestmark = pytest.mark.slow


def is_unchanged(course, **options):
    [outcome] = grade(ASSIGNMENT, small_course(course.folder.parent), **options)
    assert outcome.problem is None
    return outcome.unchanged


def test_nothing_has_changed(graded):
    scores = submission(graded)
    notebook_before = graded.graded_notebook(STUDENT, ASSIGNMENT).stat()
    assert is_unchanged(graded)
    assert submission(graded) == scores
    assert graded.graded_notebook(STUDENT, ASSIGNMENT).stat() == notebook_before


def test_the_same_files_may_be_imported_again(graded, tmp_path):
    source = tmp_path / "download" / STUDENT
    shutil.copytree(graded.submission(STUDENT, ASSIGNMENT), source)
    is_unchanged(graded, source=source.parent)
    assert is_unchanged(graded, source=source.parent)


def test_it_can_be_asked_for(graded):
    assert not is_unchanged(graded, again=True)
    assert not is_unchanged(graded, students=[STUDENT])


def test_pages_that_were_renewed_are_no_change(graded):
    renew_feedback(ASSIGNMENT, graded, jobs=1)
    assert is_unchanged(graded)


def test_renewing_pages_does_not_hide_points_by_hand(graded):
    grade_by_hand(graded, 1.0)
    renew_feedback(ASSIGNMENT, graded, jobs=1)
    assert not is_unchanged(graded)


def another_answer(course):
    hand_in(course, "Another answer.")


def another_test(course):
    path = course.source_notebook(ASSIGNMENT)
    path.write_text(path.read_text().replace("np.ones(3,", "np.ones(4,"))
    make_release(ASSIGNMENT, course)


def a_due_date(course):
    (course.folder / "course.toml").write_text(f"[due]\n{ASSIGNMENT} = 2027-02-15T00:00:00Z\n")


def another_secret(course):
    (course.folder / ".inputs_secret").write_bytes(bytes(32))


def points_by_hand(course):
    grade_by_hand(course, 1.0)


def no_grades(course):
    with course.gradebook() as gradebook:
        gradebook.remove_submission(ASSIGNMENT, STUDENT)


def no_page(course):
    course.feedback_page(STUDENT, ASSIGNMENT).unlink()


def another_page(course):
    course.feedback_page(STUDENT, ASSIGNMENT).write_text("<p>")


@pytest.mark.parametrize(
    "change",
    [
        another_answer,
        another_test,
        a_due_date,
        another_secret,
        points_by_hand,
        no_grades,
        no_page,
        another_page,
    ],
)
def test_something_has_changed(graded, change):
    change(graded)
    assert not is_unchanged(graded)
    assert is_unchanged(graded)


def test_a_question_without_a_verdict_is_asked_again(course):
    found = notebook()
    for cell in found.cells:
        cell.source = cell.source.replace("np.float32", "np.no_such_type")
    shutil.rmtree(course.notebooks)
    write_source(course.folder.parent, found)
    make_release(ASSIGNMENT, course)
    assert not is_unchanged(course)
    assert not is_unchanged(course)


def test_other_packages_or_other_code_grade_everything_again(graded, monkeypatch):
    others = [found for found in unchanged.distributions() if found.name != "numpy"]
    monkeypatch.setattr(unchanged, "distributions", lambda: others)
    assert not is_unchanged(graded)
