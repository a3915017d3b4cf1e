"""The sample class: mistakes share a submission if they do not affect the same questions."""

from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.assignments import NOTEBOOKS
from autograder.misconceptions import Misconception
from autograder.samples import sample_class
from autograder.samples.dependencies import Dependencies, asked_names, used_names
from autograder.samples.mistakes import shared_out, with_misconceptions


def hidden_test_cell(name: str, code: str) -> nbformat.NotebookNode:
    marks = {"grade": True, "grade_id": name, "points": 1, "solution": False, "locked": True}
    return new_code_cell(code, metadata={"nbgrader": marks})


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    solution = {"nbgrader": {"solution": True, "grade": False, "grade_id": "s"}}
    cells = [
        new_code_cell("%matplotlib inline\nimport math"),
        new_code_cell("def low(x):\n    twice = 2 * x\n    return twice\n", metadata=solution),
        new_code_cell("def high(x):\n    return low(x) + 1\n", metadata=solution),
        new_code_cell("def apart(low):\n    return low\n", metadata=solution),
        new_code_cell("table = {}\nfor x in range(3):\n    table[x] = high(x)\n"),
        hidden_test_cell("low_test", "student.low(1)"),
        hidden_test_cell("high_test", "student.high(1)"),
        hidden_test_cell("apart_test", "student.apart(1)"),
        hidden_test_cell("table_test", "student.table"),
    ]
    return new_notebook(cells=cells)


def misconception(of: str, code: str) -> Misconception:
    """Return a misconception about the notebook above; only its name and its source matter."""

    def right() -> None: ...

    right.__name__ = of

    class Written(Misconception):
        @property
        def source(self) -> str:
            return code

    wrong: Callable[..., Any] = right
    return Written(f"wrong_{of}", right, wrong, "You are wrong.")


LOW = misconception("low", "def low(x):\n    return 3 * x\n")
HIGH = misconception("high", "def high(x):\n    return low(x)\n")
APART = misconception("apart", "def apart(low):\n    return 0\n")


def test_used_names_are_those_from_outside():
    assert used_names("def f(x, y=start):\n    z = x\n    return [g(z) for z in y]\n") == {
        "start",
        "g",
    }


def test_the_names_that_hidden_tests_use_are_found(notebook):
    assert asked_names(notebook.cells) == {"low", "high", "apart", "table"}


def test_a_table_depends_on_the_functions_that_fill_it(notebook):
    assert {"table", "high", "low"} <= Dependencies(notebook).below({"table"})


def test_an_argument_is_not_the_function_of_that_name(notebook):
    assert Dependencies(notebook).below({"apart"}) == {"apart"}


def test_a_mistake_affects_the_questions_that_depend_on_it(notebook):
    assert Dependencies(notebook).questions_on("low") == {"low_test", "high_test", "table_test"}


def test_mistakes_in_questions_that_depend_on_each_other_are_kept_apart(notebook):
    shares = shared_out([LOW, HIGH, APART], Dependencies(notebook))
    assert shares == [[LOW, APART], [HIGH]]


def test_two_mistakes_in_one_question_are_kept_apart(notebook):
    assert shared_out([LOW, LOW], Dependencies(notebook)) == [[LOW], [LOW]]


def test_the_wrong_definition_comes_last(notebook):
    changed = with_misconceptions(notebook, [LOW, APART])
    namespace: dict[str, Any] = {}
    for cell in changed.cells[1:4]:
        exec(cell.source, namespace)
    assert (namespace["low"](1), namespace["apart"](1)) == (3, 0)
    assert notebook.cells[1].source.count("def low") == 1


def test_a_misconception_without_a_solution_cell_is_an_error(notebook):
    with pytest.raises(LookupError, match="no solution cell defines nothing"):
        with_misconceptions(notebook, [misconception("nothing", "def nothing(): ...\n")])


def test_few_samples_are_a_solution_one_with_mistakes_and_the_untouched_notebook(tmp_path):
    # Its own cells will do: what is taken out of them for students does not matter here.
    released = NOTEBOOKS / "sparse_linear" / "sparse_linear.ipynb"
    names = sample_class("sparse_linear", released, tmp_path / "submitted", few=True)
    assert names == ["solution", "mistakes-1", "untouched"]
    handed_in = {path.parts[-3] for path in (tmp_path / "submitted").glob("*/*/*.ipynb")}
    assert handed_in == set(names)
