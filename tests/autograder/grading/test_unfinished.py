"""The submissions that a run did not finish are recorded, and the class report shows them."""

import csv
import shutil

import pytest
from graded_course import ASSIGNMENT, GradedCourse

from autograder.grading.unfinished import INTERRUPTED, begin, finish, unfinished
from autograder.reporting.report import class_report, grades_csv
from autograder.reporting.results import read_class

ALL_POINTS = {"affine_quantize": 8.0, "affine_dequantize": 3.0, "bonus_nonzero": 3.0}


@pytest.fixture
def course(tmp_path):
    """Return a course with three submissions, one of which is graded."""
    course = GradedCourse(tmp_path)
    course.submit("ada", ALL_POINTS, manual={"stochastic_comparison": 2.0})
    for student in ("ada", "ben", "cas"):
        (tmp_path / "submitted" / student / ASSIGNMENT).mkdir(parents=True)
    return course


def of(course, student):
    results = read_class(ASSIGNMENT, course.paths)
    return next(s for s in results.submissions if s.student == student)


def test_what_was_begun_and_not_finished_is_unfinished(course):
    begin(ASSIGNMENT, course.paths, ["cas", "ada", "ben"])
    finish(ASSIGNMENT, course.paths, "ada", None)
    assert unfinished(ASSIGNMENT, course.paths) == {"ben": INTERRUPTED, "cas": INTERRUPTED}


def test_a_grader_that_is_killed_while_it_notes_what_to_grade_forgets_nobody(course, monkeypatch):
    class Killed(BaseException):
        pass

    def write(file, content):
        if file.name == "cas":
            raise Killed
        file.touch()

    monkeypatch.setattr("pathlib.Path.write_bytes", write)
    with pytest.raises(Killed):
        begin(ASSIGNMENT, course.paths, ["ada", "ben", "cas"])
    monkeypatch.undo()
    assert list(unfinished(ASSIGNMENT, course.paths)) == ["ada", "ben", "cas"]
    begin(ASSIGNMENT, course.paths, ["ada"])
    finish(ASSIGNMENT, course.paths, "ada", None)
    assert list(unfinished(ASSIGNMENT, course.paths)) == ["ben", "cas"]


def test_a_submission_without_a_grade_is_unfinished_and_says_why(course):
    begin(ASSIGNMENT, course.paths, ["ada"])
    finish(ASSIGNMENT, course.paths, "ada", "the disk is full \ud800")
    assert unfinished(ASSIGNMENT, course.paths) == {"ada": "there is no grade: the disk is full ?"}


def test_a_new_run_forgets_the_reason_of_an_earlier_one(course):
    begin(ASSIGNMENT, course.paths, ["ada"])
    finish(ASSIGNMENT, course.paths, "ada", "the disk is full")
    begin(ASSIGNMENT, course.paths, ["ada"])
    assert unfinished(ASSIGNMENT, course.paths) == {"ada": INTERRUPTED}
    finish(ASSIGNMENT, course.paths, "ada", None)
    assert unfinished(ASSIGNMENT, course.paths) == {}


def test_a_submission_that_was_removed_from_the_course_is_not_unfinished(course):
    begin(ASSIGNMENT, course.paths, ["ada", "ben"])
    shutil.rmtree(course.folder / "submitted" / "ben")
    assert list(unfinished(ASSIGNMENT, course.paths)) == ["ada"]


def test_nothing_is_unfinished_where_nothing_was_begun(course):
    assert unfinished(ASSIGNMENT, course.paths) == {}
    begin("another", course.paths, ["ada"])
    assert unfinished(ASSIGNMENT, course.paths) == {}


def test_the_report_says_whose_grading_was_interrupted(course):
    begin(ASSIGNMENT, course.paths, ["ada"])
    assert INTERRUPTED in of(course, "ada").flags
    page = class_report(ASSIGNMENT, course.paths).read_text()
    assert INTERRUPTED in page
    finish(ASSIGNMENT, course.paths, "ada", None)
    assert INTERRUPTED not in of(course, "ada").flags


def test_a_submission_that_is_not_in_the_gradebook_is_in_the_report(course):
    """Its grading failed before it reached the gradebook."""
    begin(ASSIGNMENT, course.paths, ["ben"])
    finish(ASSIGNMENT, course.paths, "ben", "the disk is full")
    ben = of(course, "ben")
    assert ben.flags == ("there is no grade: the disk is full",)
    assert set(ben.waiting) == set(course.questions)
    assert "the disk is full" in class_report(ASSIGNMENT, course.paths).read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_a_question_that_nobody_has_graded_waits_and_is_not_zero(course):
    """nbgrader adds a submission to the gradebook before it grades it."""
    course.enrol("ben")
    course.gradebook.add_submission(ASSIGNMENT, "ben")
    assert set(of(course, "ben").waiting) == set(course.questions)
    table = grades_csv(ASSIGNMENT, course.paths).read_text().splitlines()
    rows = {row["student"]: row["needs_manual_grading"] for row in csv.DictReader(table)}
    assert rows == {"ada": "no", "ben": "yes"}
