"""A submission's grades reach the gradebook together."""

import pytest
from graded_course import ASSIGNMENT, GradedCourse
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook

from autograder.configuration import course_config
from autograder.course import Course
from autograder.grading.saved_grades import SaveGradesTogether

FIRST_RUN = {"affine_quantize": 1.0, "affine_dequantize": 1.0, "bonus_nonzero": 1.0}


@pytest.fixture
def course(tmp_path):
    """Return a course in which a first run gave one point per question and a person gave two."""
    course = GradedCourse(tmp_path)
    course.submit("ada", FIRST_RUN, manual={"stochastic_comparison": 2.0})
    return course


def regraded(**scores):
    """Return a graded notebook with these scores and a written answer."""
    cells = [new_markdown_cell("An answer.", metadata=marks("stochastic_comparison", 2, True))]
    points = {"affine_quantize": 8, "affine_dequantize": 3, "bonus_nonzero": 3}
    for name, score in scores.items():
        output = new_output("execute_result", data={"text/plain": repr(score)})
        cell = new_code_cell("1", metadata=marks(name, points[name], False), outputs=[output])
        cells.append(cell)
    return new_notebook(cells=cells)


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
        "stochastic_comparison": 2.0,
    }


def test_a_run_that_ends_between_two_cells_changes_no_grade(course):
    # More points than the question has: nbgrader raises when it comes to the second cell.
    with pytest.raises(ValueError, match="maximum points"):
        save(course, regraded(affine_quantize=8.0, affine_dequantize=99.0, bonus_nonzero=3.0))
    assert scores(course) == {**FIRST_RUN, "stochastic_comparison": 2.0}


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


def test_nbgrader_saves_grades_in_this_way(tmp_path):
    steps = course_config(Course(tmp_path)).Autograde.autograde_preprocessors
    assert SaveGradesTogether in steps
