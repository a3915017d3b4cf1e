"""The page gets what the notebook asks and what students wrote, and no names."""

import nbformat
import pytest
from graded_course import ASSIGNMENT
from nbformat.v4 import new_notebook
from written_class import QUESTION, REASON, WrittenClass

from autograder.course import Course, NoGradebook
from autograder.errors import UserError
from autograder.marking.answers import AnswerReader
from autograder.marking.questions import written_questions


@pytest.fixture
def course(tmp_path):
    found = WrittenClass(tmp_path)
    for student in ("ada", "ben", "cai", "dee", "eva"):
        found.hand_in(student, f"The answer of {student}.")
    return found


def questions(course):
    return {q.name: q for q in written_questions(ASSIGNMENT, course.paths)}


def read(course, question=QUESTION):
    return AnswerReader(ASSIGNMENT, course.paths).answers(questions(course)[question])


def test_a_question_has_its_text_its_key_and_its_limit(course):
    question = questions(course)[QUESTION]
    assert (question.title, question.points) == ("1 Which rate works best?", 6)
    assert question.text == "Explain $0.1$."
    assert question.model == "The *middle* one."
    assert question.notes == "6 points: the middle."
    assert question.most_words == 20
    assert question.beside == ()


def test_questions_are_in_the_order_of_the_notebook(course):
    assert list(questions(course)) == [QUESTION, REASON]


def test_a_reason_stands_below_the_verdict_that_it_is_for(course):
    question = questions(course)[REASON]
    assert question.text == "True or false?\n\n**Your reason**:"
    assert question.most_words is None
    assert {a.beside for a in read(course, REASON).found} == {("verdict = 3",)}


def test_a_course_without_its_sources_can_be_marked(course):
    course.paths.source_notebook(ASSIGNMENT).unlink()
    question = questions(course)[QUESTION]
    assert (question.title, question.points, question.notes) == ("Rates written", 6, "")
    assert len(read(course).found) == 5


def test_the_order_is_the_same_each_time_and_not_that_of_the_names(course):
    order = [answer.student for answer in read(course).found]
    assert order == [answer.student for answer in read(course).found]
    assert sorted(order) == ["ada", "ben", "cai", "dee", "eva"]
    orders = {tuple(order), tuple(answer.student for answer in read(course, REASON).found)}
    assert orders != {tuple(sorted(order))}


def test_keys_tell_no_names_and_differ_from_question_to_question_and_course_to_course(
    course, tmp_path
):
    def keys(of, question):
        return {answer.student: answer.key for answer in read(of, question).found}

    other = WrittenClass(tmp_path / "other")
    other.hand_in("ada", "The answer of ada.")
    assert keys(course, QUESTION)["ada"] != keys(course, REASON)["ada"]
    assert keys(course, QUESTION)["ada"] != keys(other, QUESTION)["ada"]
    assert not any(student in key for student, key in keys(course, QUESTION).items())


def test_an_answer_that_was_graded_anew_is_read_anew(course):
    reader, question = AnswerReader(ASSIGNMENT, course.paths), questions(course)[QUESTION]

    def ada():
        return next(a for a in reader.answers(question).found if a.student == "ada").written

    before = ada()
    course.write("ada", "Another answer.")
    assert ada().text == "Another answer."
    assert ada().digest != before.digest


@pytest.mark.parametrize("left", [None, '{"cells": [', nbformat.writes(new_notebook())])
def test_a_submission_that_is_being_graded_is_counted_and_not_shown(course, left):
    notebook = course.paths.graded_notebook("ada", ASSIGNMENT)
    notebook.unlink() if left is None else notebook.write_text(left)
    found = read(course)
    assert (len(found.found), found.missing) == (4, 1)


def test_words_are_counted_as_the_public_check_counts_them(course):
    course.write("ada", "Three  words\nhere.")
    course.write("ben", "YOUR ANSWER HERE")
    words = {answer.student: answer.words for answer in read(course).found}
    assert (words["ada"], words["ben"]) == (3, 0)


def test_without_a_gradebook_one_sentence_says_what_to_do(tmp_path):
    with pytest.raises(NoGradebook, match="autograder release"):
        written_questions(ASSIGNMENT, Course(tmp_path))


def test_an_assignment_that_was_not_released_is_one_sentence(course):
    with pytest.raises(UserError, match="autograder grade pruning"):
        written_questions("pruning", course.paths)
