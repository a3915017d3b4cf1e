"""The part of each line of a source notebook, which decides who sees it."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from small_course import cell_of, marks, small_notebook

from autograder.notebook.source import (
    Part,
    cell_name,
    hidden_test,
    lines,
    solved_text,
    visible_text,
)


def test_regions_are_told_apart() -> None:
    cell = new_code_cell(
        "a\n### BEGIN SOLUTION\nb\n### END SOLUTION\nc\n### BEGIN HIDDEN TESTS\nd\n"
        "### END HIDDEN TESTS\n### BEGIN MARK SCHEME\ne\n### END MARK SCHEME"
    )
    parts = {line.text: line.part for line in lines(cell) if line.part is not Part.MARKER}
    assert parts == {
        "a": Part.VISIBLE,
        "b": Part.SOLUTION,
        "c": Part.VISIBLE,
        "d": Part.HIDDEN_TEST,
        "e": Part.MARK_SCHEME,
    }


def test_lines_are_counted_in_their_cell() -> None:
    assert [line.number for line in lines(new_markdown_cell("a\n\nb"))] == [1, 2, 3]


def test_solution_cell_without_markers_is_a_solution() -> None:
    cell = cell_of(small_notebook(), "reason")
    assert {line.part for line in lines(cell)} == {Part.SOLUTION}
    assert visible_text(cell) == ""


def test_solution_cell_with_markers_shows_the_rest() -> None:
    assert visible_text(cell_of(small_notebook(), "verdict")).strip() == "# Is halving exact?"


def test_hidden_test_is_the_code_between_its_markers() -> None:
    code = hidden_test(cell_of(small_notebook(), "test"))
    assert code.startswith("from autograder.hidden")
    assert code.endswith("of=4,\n)")


@pytest.mark.parametrize(("metadata", "name"), [(marks("halve"), "halve"), ({}, "first")])
def test_cell_is_called_by_its_grade_id_or_id(metadata: dict, name: str) -> None:
    assert cell_name(new_code_cell("", id="first", metadata=metadata)) == name


def test_a_solved_cell_has_neither_markers_nor_notes_for_marking() -> None:
    source = (
        "# given\n### BEGIN SOLUTION\nBecause.\n\n**Marking.** 1 point\nfor the slope\n"
        "### END SOLUTION\nprint(x)"
    )
    cell = new_code_cell(source, metadata=marks("answer", solution=True))
    assert solved_text(cell) == "# given\nBecause.\n\nprint(x)"
