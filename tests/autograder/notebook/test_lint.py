"""Faults of a source notebook are named by cell and line before a release is made."""

from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode
from small_course import cell_of, marks, small_notebook, write_source

from autograder.notebook.lint import lint

Change = Callable[[NotebookNode], object]


def faults(tmp_path: Path, change: Change) -> list[tuple[str, int, str]]:
    notebook = small_notebook()
    change(notebook)
    return [(f.cell, f.line, f.text) for f in lint(write_source(tmp_path, notebook))]


def replace(id: str, old: str, new: str) -> Change:
    def change(notebook: NotebookNode) -> None:
        cell = cell_of(notebook, id)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def mark(id: str, **values: object) -> Change:
    return lambda notebook: cell_of(notebook, id).metadata["nbgrader"].update(values)


def test_notebook_without_faults(tmp_path: Path) -> None:
    assert faults(tmp_path, lambda notebook: None) == []


@pytest.mark.parametrize(
    ("change", "cell", "line", "text"),
    [
        (mark("test", locked=False), "halve", 1, "not locked"),
        (mark("test", points=3), "halve", 5, "score(of=4), but the cell is worth 3 points"),
        (mark("test", grade=False), "halve", 1, "not graded"),
        (mark("verdict", grade_id="halve"), "halve", 1, "2 cells have this grade_id"),
        (replace("test", "# Hidden tests: 4 points", "x = 1"), "halve", 1, "only comments"),
        (replace("test", "of=4,", "of=points,"), "halve", 5, "ends with score(..., of=N)"),
        (replace("test", "\n)\n", "\n)\nprint()\n"), "halve", 9, "ends with score(..., of=N)"),
        (replace("test", "score(\n", "score(]\n"), "halve", 5, "not Python"),
        (replace("test", "BEGIN HIDDEN TESTS", "BEGIN HIDDEN TEST"), "halve", 2, "not a marker"),
        (replace("answer", "### BEGIN SOL", "### Begin sol"), "halve_solution", 3, "not a marker"),
        (replace("answer", "### END SOLUTION", ""), "halve_solution", 3, "no END SOLUTION"),
        (replace("answer", "### BEGIN SOLUTION", ""), "halve_solution", 7, "no BEGIN SOLUTION"),
        (replace("answer", "# a power", "### BEGIN SOLUTION #"), "halve_solution", 5, "inside"),
        (replace("task", "END MARK SCHEME", "END SOLUTION"), "spacing", 4, "no BEGIN SOLUTION"),
    ],
)
def test_fault(tmp_path: Path, change: Change, cell: str, line: int, text: str) -> None:
    found = faults(tmp_path, change)
    assert any((c, n) == (cell, line) and text in message for c, n, message in found), found


def test_graded_cell_without_hidden_tests(tmp_path: Path) -> None:
    def change(notebook: NotebookNode) -> None:
        cell_of(notebook, "test").source = "# Hidden tests: 4 points"

    assert [text for _, _, text in faults(tmp_path, change)] == [
        "this graded cell holds no hidden test, so nothing decides its score"
    ]


def test_words_that_only_begin_like_a_marker(tmp_path: Path) -> None:
    begin = "Begin with the smallest solution.\nThe end: marks are given for reasons."
    assert faults(tmp_path, replace("intro", "# Halves", begin)) == []


def test_fault_reads_as_a_place_and_what_to_do(tmp_path: Path) -> None:
    notebook = small_notebook()
    cell_of(notebook, "test").metadata = marks("halve", points=4, locked=False)
    [fault] = lint(write_source(tmp_path, notebook))
    assert str(fault) == (
        "small.ipynb, cell halve, line 1: this graded cell is not locked; students could change it"
    )
