"""Marks reach the gradebook as the formgrader would write them, and replace nobody's unseen."""

import sqlite3
from contextlib import closing

import pytest
from graded_course import ASSIGNMENT
from written_class import QUESTION, REASON, WrittenClass

from autograder.errors import UserError
from autograder.grading.trouble import DiskTrouble
from autograder.marking import marks
from autograder.marking.marks import Change, Mark, MarkedMeanwhile, give, standings
from autograder.reporting.results import read_class

NONE = Mark()


@pytest.fixture
def course(tmp_path):
    found = WrittenClass(tmp_path)
    found.hand_in("ada", "The middle one.")
    found.hand_in("ben", "The small one.")
    return found


def mark(course, student, after, before=NONE, question=QUESTION):
    give(course.paths, ASSIGNMENT, question, [Change(student, before, after)])


def test_a_mark_has_points_and_a_comment_and_the_answer_waits_no_more(course):
    mark(course, "ada", Mark(4.5, "Nearly."))
    assert course.grade("ada") == (4.5, False, "Nearly.")
    assert course.grade("ben") == (None, True, None)
    assert course.grade("ada", REASON) == (None, True, None)


def test_the_class_report_has_it_at_once(course):
    mark(course, "ada", Mark(4.5))
    ada, ben = read_class(ASSIGNMENT, course.paths).submissions
    assert (ada.score, ada.waiting) == (4.5, (REASON,))
    assert (ben.score, ben.waiting) == (0.0, (QUESTION, REASON))


def test_zero_points_are_a_mark(course):
    mark(course, "ada", Mark(0.0))
    assert course.grade("ada") == (0.0, False, None)


def test_a_comment_alone_lets_the_answer_wait(course):
    mark(course, "ada", Mark(None, "Ask her."))
    assert course.grade("ada") == (None, True, "Ask her.")


def test_a_mark_can_be_taken_back(course):
    mark(course, "ada", Mark(4.5, "Nearly."))
    mark(course, "ada", NONE, before=Mark(4.5, "Nearly."))
    assert course.grade("ada") == (None, True, None)


def test_without_a_mark_the_points_of_the_grader_count_again(course):
    course.hand_in("eva", "", automatic=0.0)
    mark(course, "eva", Mark(1.0))
    mark(course, "eva", NONE, before=Mark(1.0))
    assert course.grade("eva") == (None, False, None)


def test_an_answer_that_changed_after_it_was_marked_can_be_confirmed(course):
    mark(course, "ada", Mark(4.5))
    with closing(sqlite3.connect(course.paths.database)) as database, database:
        database.execute("UPDATE grade SET needs_manual_grade = 1")
    mark(course, "ada", Mark(4.5), before=Mark(4.5))
    assert course.grade("ada") == (4.5, False, None)


@pytest.mark.parametrize("theirs", [Mark(2.0), Mark(None, "Mine."), Mark(2.0, "Mine.")])
def test_a_mark_that_somebody_else_gave_meanwhile_stays(course, theirs):
    mark(course, "ada", theirs)
    with pytest.raises(MarkedMeanwhile, match="Somebody else"):
        mark(course, "ada", Mark(5.0, "Yours."))
    assert course.grade("ada") == (theirs.points, theirs.points is None, theirs.comment or None)


def test_the_other_mark_is_told(course):
    mark(course, "ada", Mark(2.0, "Mine."))
    with pytest.raises(MarkedMeanwhile, match=r"2 points, “Mine\.”"):
        mark(course, "ada", Mark(5.0))


def test_of_several_marks_all_are_written_or_none(course):
    mark(course, "ben", Mark(1.0))
    changes = [Change("ada", NONE, Mark(5.0)), Change("ben", NONE, Mark(5.0))]
    with pytest.raises(MarkedMeanwhile):
        give(course.paths, ASSIGNMENT, QUESTION, changes)
    assert course.grade("ada") == (None, True, None)
    assert course.grade("ben") == (1.0, False, None)


def test_a_locked_gradebook_is_one_sentence(course, monkeypatch):
    monkeypatch.setattr("autograder.course.LOCK_SECONDS", 0)
    with closing(sqlite3.connect(course.paths.database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DiskTrouble, match="in use by another program"):
            mark(course, "ada", Mark(5.0))
    assert course.grade("ada") == (None, True, None)


def test_standings_are_those_of_one_question(course):
    mark(course, "ada", Mark(1.0, "Good."), question=REASON)
    found = standings(course.paths, ASSIGNMENT, REASON)
    assert found == {
        "ada": marks.Standing(Mark(1.0, "Good."), None, False),
        "ben": marks.Standing(NONE, None, True),
    }


@pytest.mark.parametrize(
    ("typed", "points"), [("4", 4.0), (" 4.5 ", 4.5), ("4,5", 4.5), ("0", 0.0), ("", None)]
)
def test_points_are_read_as_people_type_them(typed, points):
    assert Mark.read(typed, " Good.\n", 6) == Mark(points, "Good.")


@pytest.mark.parametrize("typed", ["-1", "6.01", "six", "nan", "inf", "1e9", "4 5"])
def test_points_out_of_range_are_one_clear_error(typed):
    with pytest.raises(UserError, match=r"^Points must be a number from 0 to 6\.$"):
        Mark.read(typed, "", 6)
