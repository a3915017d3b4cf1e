"""The course's cells are found in a submission, wherever an editor or a student left them."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.grading.intake.course_cells import CourseCell, repair

STUB = "def halve(w):\n    # YOUR CODE HERE\n    raise NotImplementedError"
ANSWER = "def halve(w):\n    return w / 2"
CHECK = "checks.halve(halve)"
TEST = "# Hidden tests: 4 points\n### BEGIN HIDDEN TESTS\nscore(of=4)\n### END HIDDEN TESTS"
SHOWN_TEST = "# Hidden tests: 4 points"
EMPTY = "YOUR ANSWER HERE"


def course_cell(name, source, cell_type="code", **more):
    marks = {"grade": False, "solution": False, "task": False, "locked": False, "grade_id": name}
    marks |= more
    return CourseCell(cell_type, source, marks["locked"], marks)


COURSE = {
    "halve_solution": course_cell("halve_solution", STUB, solution=True),
    "halve_check": course_cell("halve_check", CHECK, locked=True),
    "halve": course_cell("halve", TEST, locked=True, grade=True, points=4),
    "reason": course_cell("reason", EMPTY, "markdown", solution=True, grade=True, points=2),
}


def cell(name, source=None):
    course = COURSE[name]
    make = new_code_cell if course.cell_type == "code" else new_markdown_cell
    shown = {"halve": SHOWN_TEST, "halve_solution": ANSWER}.get(name, course.source)
    metadata = {"nbgrader": {"grade_id": name}}
    return make(shown if source is None else source, id=name, metadata=metadata)


HEADING = new_markdown_cell("## Halves", id="heading")
QUESTION = new_markdown_cell("Why?", id="question")
RELEASED = new_notebook(
    cells=[HEADING, *(cell(name) for name in list(COURSE)[:3]), QUESTION, cell("reason")]
)


@pytest.fixture
def submitted():
    """Return a notebook in which everything is answered and in its place."""
    nb = copy.deepcopy(RELEASED)
    nb.cells[-1].source = "Because."
    return nb


def texts(nb):
    return {c.metadata["nbgrader"]["grade_id"]: c.source for c in nb.cells if c.metadata}


def names(nb):
    return list(texts(nb))


RIGHT = {"halve_solution": ANSWER, "halve_check": CHECK, "halve": TEST, "reason": "Because."}


def test_a_complete_submission_gets_its_hidden_tests_and_no_flag(submitted):
    assert repair(submitted, COURSE, RELEASED) == []
    assert texts(submitted) == RIGHT
    nbformat.validate(submitted)


def test_marks_come_from_the_course_alone(submitted):
    submitted.cells[3].metadata["nbgrader"] |= {"points": 100, "locked": False}
    repair(submitted, COURSE, RELEASED)
    assert submitted.cells[3].metadata["nbgrader"] == COURSE["halve"].marks


def test_cells_without_marks_are_recognised_by_their_ids(submitted):
    for each in submitted.cells:
        each.metadata = {}
    (flag,) = repair(submitted, COURSE, RELEASED)
    assert flag.startswith("4 cells had lost their marks and were recognised by their ids")
    assert texts(submitted) == RIGHT


def test_a_question_of_another_name_is_recognised_by_its_id(submitted):
    submitted.cells[3].metadata["nbgrader"]["grade_id"] = "half"
    assert "recognised" in repair(submitted, COURSE, RELEASED)[0]
    assert texts(submitted) == RIGHT


def test_a_retyped_answer_is_recognised_by_what_it_defines(submitted):
    submitted.cells[1] = new_code_cell(ANSWER)
    flags = repair(submitted, COURSE, RELEASED)
    assert flags == ["the cell halve_solution was recognised by what it defines"]
    assert texts(submitted) == RIGHT


def test_a_test_is_put_back_after_the_retyped_answer_that_it_tests(submitted):
    submitted.cells[1:4] = [new_code_cell(ANSWER), new_code_cell("halve(3)")]
    flags = repair(submitted, COURSE, RELEASED)
    assert flags[-1] == "the cell halve was missing; it was put back"
    assert names(submitted) == ["halve_solution", "halve", "reason"]


def test_of_several_definitions_the_last_one_in_the_right_part_counts(submitted):
    submitted.cells[1] = new_code_cell("def halve(w):\n    return w")
    submitted.cells.insert(2, new_code_cell(ANSWER))
    submitted.cells.append(new_code_cell("def halve(w):\n    return 2 * w"))
    repair(submitted, COURSE, RELEASED)
    assert texts(submitted) == RIGHT


def test_a_cell_that_is_there_twice_counts_once(submitted):
    submitted.cells.append(cell("halve_solution", "def halve(w):\n    return w / 2.0"))
    (flag,) = repair(submitted, COURSE, RELEASED)
    assert flag == "the cell halve_solution was there more than once; the last one counts"
    assert texts(submitted)["halve_solution"].endswith("2.0")


def test_code_typed_into_a_locked_cell_is_shown_below_it(submitted):
    submitted.cells[3].source = f"{SHOWN_TEST}\n# mine\n{ANSWER}"
    (flag,) = repair(submitted, COURSE, RELEASED)
    assert flag.startswith("code was typed into the cell halve, which belongs to the course")
    assert texts(submitted) == RIGHT
    assert submitted.cells[4].source.endswith(f"```python\n{ANSWER}\n```")


def test_spaces_and_comments_in_a_locked_cell_are_no_code(submitted):
    submitted.cells[2].source = f"# a note\n\n    {CHECK}  \n"
    assert repair(submitted, COURSE, RELEASED) == []


@pytest.mark.parametrize("left", [EMPTY, "", " \n"])
def test_the_answer_in_the_cell_below_is_the_answer(submitted, left):
    submitted.cells[-1].source = left
    submitted.cells.append(new_markdown_cell("Because."))
    (flag,) = repair(submitted, COURSE, RELEASED)
    assert flag == "the answer to reason stood in the cell below; a person should look at it"
    assert texts(submitted) == RIGHT
    assert len(submitted.cells) == len(RELEASED.cells)


def test_the_answer_in_a_recreated_cell_is_the_answer(submitted):
    submitted.cells[-1] = new_markdown_cell("Because.")
    flags = repair(submitted, COURSE, RELEASED)
    assert "a person should look at it" in flags[0]
    assert texts(submitted) == RIGHT


def test_an_answer_is_not_replaced_by_a_note_below(submitted):
    submitted.cells.append(new_markdown_cell("A note."))
    assert repair(submitted, COURSE, RELEASED) == []
    assert texts(submitted) == RIGHT


def test_the_text_of_the_course_below_an_empty_answer_is_no_answer(submitted):
    submitted.cells[-2:] = [cell("reason"), QUESTION, HEADING]
    assert repair(submitted, COURSE, RELEASED) == []
    assert texts(submitted)["reason"] == EMPTY


def test_without_any_cell_the_graded_ones_are_put_back_in_order():
    nb = new_notebook()
    flags = repair(nb, COURSE, RELEASED)
    assert names(nb) == ["halve", "reason"]
    assert len(flags) == 2
