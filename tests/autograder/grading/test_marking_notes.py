"""The person who grades a written answer sees the notes on marking; the student does not."""

from nbformat.v4 import new_markdown_cell, new_notebook
from small_course import REASON, REASON_LINE, cell_of, marks, small_notebook

from autograder.grading.marking_notes import add_marking_notes, remove_marking_notes

SOURCE = (
    f"### BEGIN SOLUTION\n{REASON}\n\n**Marking.** One point for the exponent.\n### END SOLUTION"
)


def source():
    notebook = small_notebook()
    cell_of(notebook, "reason").source = SOURCE
    return notebook


def submission():
    written = marks("reason", solution=True, points=1)
    cells = [new_markdown_cell("My answer.", metadata=written), new_markdown_cell("And more.")]
    return new_notebook(cells=cells)


def test_the_notes_stand_below_the_answer_without_delimiters():
    nb = submission()
    add_marking_notes(nb, source())
    answer, notes, more = nb.cells
    assert (answer.source, more.source) == ("My answer.", "And more.")
    assert REASON_LINE in notes.source
    assert "One point for the exponent." in notes.source
    assert "SOLUTION" not in notes.source


def test_only_written_answers_have_notes():
    nb = small_notebook()
    add_marking_notes(nb, source())
    assert len(nb.cells) == len(small_notebook().cells) + 1


def test_nothing_of_them_is_left_for_the_student():
    nb = submission()
    add_marking_notes(nb, source())
    remove_marking_notes(nb)
    assert [cell.source for cell in nb.cells] == ["My answer.", "And more."]


def test_a_course_without_its_sources_has_no_notes():
    nb = submission()
    add_marking_notes(nb, new_notebook())
    assert len(nb.cells) == 2
