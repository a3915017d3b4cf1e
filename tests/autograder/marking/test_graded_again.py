"""Marks outlive grading: the real grader runs again, and what a person gave stays."""

import pytest
from nbgrader.api import Gradebook
from small_class import (
    AUTOMATIC,
    STUDENT,
    course,
    graded,
    hand_in,
    released,
    sandbox,
    submission,
)
from small_course import ASSIGNMENT, REASON_LINE

from autograder.errors import UserError
from autograder.grading.grade import Outcome, grade
from autograder.grading.renew import renew_feedback
from autograder.marking.server import Marking

__all__ = ["course", "graded", "released", "sandbox"]  # fixtures

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

QUESTION = "reason"


def asked(marking, points, comment=""):
    """Return what the page's script sends."""
    [answer] = marking.reader.answers(marking.questions[0]).found
    before = {"points": answer.standing.mark.points, "comment": answer.standing.mark.comment}
    mark = {"key": answer.key, "answer": answer.written.digest, "before": before}
    return [{**mark, "points": points, "comment": comment}]


def test_a_mark_is_what_the_formgrader_shows_and_stays_when_the_class_is_graded_again(graded):
    marking = Marking(ASSIGNMENT, graded)
    [question] = marking.questions
    assert REASON_LINE in question.model
    marking.mark(question, asked(marking, "0.5", "Say *why*."))
    with Gradebook(graded.database_url) as gradebook:  # as the formgrader opens it
        names = (QUESTION, ASSIGNMENT, ASSIGNMENT, STUDENT)
        shown = gradebook.find_grade(*names).to_dict()
        assert (shown["manual_score"], shown["needs_manual_grade"]) == (0.5, False)
        assert gradebook.find_comment(*names).to_dict()["manual_comment"] == "Say *why*."

    assert grade(ASSIGNMENT, graded, again=True) == [Outcome(STUDENT)]
    assert submission(graded) == (AUTOMATIC + 0.5, 0.0, set())
    assert marking.progress()[0].answers.marked == 1

    assert renew_feedback(ASSIGNMENT, graded) == {STUDENT: ""}
    page = graded.feedback_page(STUDENT, ASSIGNMENT).read_text(encoding="utf-8")
    assert "Say <em>why</em>." in page


def test_an_answer_that_changed_since_the_page_was_loaded_is_not_marked_and_waits_again(graded):
    marking = Marking(ASSIGNMENT, graded)
    [question] = marking.questions
    marking.mark(question, asked(marking, "0.5"))
    seen = asked(marking, "1")
    hand_in(graded, "Another answer, handed in later.")
    assert grade(ASSIGNMENT, graded) == [Outcome(STUDENT)]
    with pytest.raises(UserError, match="load the page again"):
        marking.mark(question, seen)
    assert submission(graded) == (AUTOMATIC + 0.5, 0.0, {QUESTION})

    reply = marking.mark(question, asked(marking, "0.5"))  # looked at, and confirmed
    assert reply["marked"] == 1
    assert submission(graded) == (AUTOMATIC + 0.5, 0.0, set())
