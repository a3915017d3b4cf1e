"""A submission's grades reach the gradebook together."""

import pytest
from graded_course import ASSIGNMENT, GradedCourse
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook

from autograder.configuration import course_config
from autograder.course import Course
from autograder.grading.answers import answer_digests
from autograder.grading.record import QuestionRecord, Record
from autograder.grading.saved_grades import SaveGradesTogether

FIRST_RUN = {"affine_quantize": 1.0, "affine_dequantize": 1.0, "bonus_nonzero": 1.0}
WRITTEN = "stochastic_comparison"


@pytest.fixture
def course(tmp_path):
    """Return a course in which a first run gave one point per question and a person gave two."""
    course = GradedCourse(tmp_path)
    course.submit("ada", {**FIRST_RUN, WRITTEN: None}, manual={WRITTEN: 2.0})
    return course


def regraded(before="", **scores):
    """Return a graded notebook with these scores and a written answer.

    The last time that it was graded, the written answer was `before`.
    """
    cells = [new_markdown_cell("An answer.", metadata=marks("stochastic_comparison", 2, True))]
    points = {"affine_quantize": 8, "affine_dequantize": 3, "bonus_nonzero": 3}
    for name, score in scores.items():
        output = new_output("execute_result", data={"text/plain": repr(score)})
        cell = new_code_cell("1", metadata=marks(name, points[name], False), outputs=[output])
        cells.append(cell)
    notebook = new_notebook(cells=cells)
    earlier = new_notebook(cells=[new_markdown_cell(before, metadata=cells[0].metadata)])
    Record(answers=answer_digests(earlier)).write(notebook)
    return notebook


def marks(name, points, solution):
    return {
        "nbgrader": {
            "grade_id": name,
            "grade": True,
            "points": points,
            "solution": solution,
            "locked": not solution,
            "schema_version": 3,
        }
    }


def save(course, notebook):
    names = {"student": "ada", "assignment": ASSIGNMENT, "notebook": ASSIGNMENT}
    url = f"sqlite:///{course.folder / 'gradebook.db'}"
    SaveGradesTogether().preprocess(notebook, {"nbgrader": {**names, "db_url": url}})


def scores(course):
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada").grades
        return {grade.name: grade.score for grade in grades}


def test_a_new_run_replaces_all_grades_and_keeps_what_a_person_gave(course):
    save(course, regraded(affine_quantize=8.0, affine_dequantize=2.5, bonus_nonzero=0.0))
    assert scores(course) == {
        "affine_quantize": 8.0,
        "affine_dequantize": 2.5,
        "bonus_nonzero": 0.0,
        WRITTEN: 2.0,
    }


def test_a_run_that_ends_between_two_cells_changes_no_grade(course):
    # More points than the question has: nbgrader raises when it comes to the second cell.
    with pytest.raises(ValueError, match="maximum points"):
        save(course, regraded(affine_quantize=8.0, affine_dequantize=99.0, bonus_nonzero=3.0))
    assert scores(course) == {**FIRST_RUN, WRITTEN: 2.0}


def test_nobody_else_waits_for_the_gradebook_while_the_grades_are_gathered(course, monkeypatch):
    gathered = []

    def beside(step, *args):
        """Write to the gradebook as another worker does, without waiting for a lock."""
        with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}?timeout=0") as gradebook:
            gradebook.update_or_create_student(f"another-{len(gathered)}")
        gathered.append(step)
        return given(step, *args)

    given = SaveGradesTogether._add_score
    monkeypatch.setattr(SaveGradesTogether, "_add_score", beside)
    save(course, regraded(affine_quantize=8.0, affine_dequantize=2.5, bonus_nonzero=0.0))
    assert len(gathered) == 4


def waits(course):
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada").grades
        return {grade.name for grade in grades if grade.needs_manual_grade}


def test_an_answer_that_a_person_graded_does_not_wait_again(course):
    save(course, regraded(before="An answer.", **FIRST_RUN))
    assert not waits(course)


def test_an_answer_that_changed_waits_again_and_keeps_its_points_until_then(course):
    save(course, regraded(before="Another answer.", **FIRST_RUN))
    assert waits(course) == {WRITTEN}
    assert scores(course)[WRITTEN] == 2.0


def test_an_answer_that_changed_still_waits_when_it_is_graded_twice(course):
    save(course, regraded(before="Another answer.", **FIRST_RUN))
    save(course, regraded(before="An answer.", **FIRST_RUN))
    assert waits(course) == {WRITTEN}


def without_result(question):
    """Return a notebook in which the hidden test of a question reached no result."""
    notebook = regraded(before="An answer.", **{**FIRST_RUN, question: 0.0})
    record = Record.read(notebook)
    record.questions[question] = QuestionRecord(0.0, 8.0, ["It broke."], judged=False)
    record.write(notebook)
    return notebook


def test_a_question_whose_test_reached_no_result_has_no_score_and_waits(course):
    save(course, without_result("affine_quantize"))
    assert waits(course) == {"affine_quantize"}
    assert auto_score(course, "affine_quantize") is None
    assert scores(course)["affine_quantize"] == 0


def test_a_question_that_a_person_graded_instead_of_its_test_does_not_wait_again(course):
    first = without_result("affine_quantize")
    save(course, first)
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("affine_quantize", ASSIGNMENT, ASSIGNMENT, "ada")
        grade.manual_score, grade.needs_manual_grade = 6.0, False
        gradebook.db.commit()
    again = without_result("affine_quantize")
    again.metadata["autograder"]["answers"] = first.metadata["autograder"]["answers"]
    save(course, again)
    assert not waits(course)
    assert scores(course)["affine_quantize"] == 6.0


def auto_score(course, question):
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        return gradebook.find_grade(question, ASSIGNMENT, ASSIGNMENT, "ada").auto_score


def test_points_that_a_person_gave_against_the_grader_wait_when_the_grader_finds_others(tmp_path):
    course = GradedCourse(tmp_path)
    course.submit(
        "ada", {**FIRST_RUN, WRITTEN: None}, manual={"affine_quantize": 7.0, WRITTEN: 2.0}
    )
    first = regraded(before="An answer.", **FIRST_RUN)
    save(course, first)  # the first run that records the answers
    again = regraded(**FIRST_RUN | {"affine_quantize": 0.0})
    again.metadata["autograder"] = first.metadata["autograder"]
    save(course, again)
    assert waits(course) == {"affine_quantize"}


def test_the_record_says_which_answer_was_graded(course):
    notebook = regraded(before="Another answer.", **FIRST_RUN)
    save(course, notebook)
    assert Record.read(notebook).answers == answer_digests(notebook)


def test_nbgrader_saves_grades_in_this_way(tmp_path):
    steps = course_config(Course(tmp_path)).Autograde.autograde_preprocessors
    assert SaveGradesTogether in steps
