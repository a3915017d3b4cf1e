"""Show the notes on marking to the person who grades a written answer, and never to its student.

In a source notebook, the solution of a written question is a model answer with a paragraph on the
points. A release leaves it out. nbgrader itself shows a mark scheme only for tasks, so we put the
notes below the answer in the graded notebook, which is what the formgrader shows.
"""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import ClearSolutions
from nbgrader.utils import is_grade, is_solution

from autograder.notebook.source import nbgrader_marks

_MARK = {"autograder": "marking notes"}
"""The metadata of a cell with notes."""


def marking_notes(source: NotebookNode) -> dict[str, str]:
    """Return the model answer to every written question, with the notes on marking at its end.

    Parameters
    ----------
    source
        The notebook from which the release was made.

    Returns
    -------
    dict of str to str
        Markdown, by the ``grade_id`` of the question.
    """
    return {
        nbgrader_marks(cell)["grade_id"]: _without_delimiters(cell.source)
        for cell in source.cells
        if _is_written(cell)
    }


def add_marking_notes(nb: NotebookNode, source: NotebookNode) -> None:
    """Put notes below every written answer.

    Parameters
    ----------
    nb
        The repaired submission; it is changed in place.
    source
        The notebook from which the release was made.
    """
    notes = marking_notes(source)
    cells = []
    for cell in nb.cells:
        cells.append(cell)
        if _is_written(cell) and (text := notes.get(nbgrader_marks(cell)["grade_id"])):
            title = "**For the person who grades this answer; its student does not see it.**"
            quoted = "\n".join(f"> {line}".rstrip() for line in f"{title}\n\n{text}".split("\n"))
            cells.append(new_markdown_cell(quoted, metadata=dict(_MARK)))
    nb.cells = cells


def remove_marking_notes(nb: NotebookNode) -> None:
    """Remove what `add_marking_notes` added, in place."""
    nb.cells = [cell for cell in nb.cells if cell.metadata.get("autograder") != _MARK["autograder"]]


def _is_written(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and is_grade(cell) and is_solution(cell)


def _without_delimiters(text: str) -> str:
    steps = ClearSolutions()
    delimiters = (steps.begin_solution_delimeter, steps.end_solution_delimeter)
    lines = [line for line in text.split("\n") if not any(word in line for word in delimiters)]
    return "\n".join(lines).strip()
