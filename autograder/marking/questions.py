"""The written questions of an assignment, as the person who marks needs them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from nbgrader.api import MissingEntry

from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.marking_notes import marking_notes
from autograder.notebook.questions import headings, words
from autograder.notebook.source import MARKING_NOTES, nbgrader_marks, visible_text

_HEADING = re.compile(r"^#{1,6}[ \t].*$", re.MULTILINE)
_LIMIT = re.compile(r"at most\s+(\d+)\s+words")


@dataclass(frozen=True)
class WrittenQuestion:
    """A question whose answers a person marks.

    Attributes
    ----------
    name
        Its ``grade_id``.
    title
        The heading above it in the notebook.
    points
        The most points that an answer can get.
    text
        What the notebook asks, in Markdown, without the heading.
    model
        The model answer, in Markdown.
    notes
        The notes on marking, in Markdown.
    most_words
        How many words an answer may have; None if the notebook sets no limit.
    beside
        The names of the other cells that students fill in under the same heading.
    """

    name: str
    title: str
    points: float
    text: str = ""
    model: str = ""
    notes: str = ""
    most_words: int | None = None
    beside: tuple[str, ...] = ()


def written_questions(assignment: str, course: Course) -> list[WrittenQuestion]:
    """Return the written questions of an assignment in the notebook's order.

    Points come from the gradebook; texts and notes come from the source notebook.

    Raises
    ------
    UserError
        If the gradebook does not know the assignment, or it has no written question.
    autograder.course.NoGradebook
        If there is no gradebook.
    """
    file = course.source_notebook(assignment)
    source = nbformat.read(file, as_version=4) if file.is_file() else new_notebook()
    with course.gradebook() as gradebook:
        try:
            cells = gradebook.find_notebook(assignment, assignment).grade_cells
        except MissingEntry:
            raise UserError(
                f"The gradebook in {course.folder} does not know the assignment {assignment!r}: "
                f"grade its submissions first, with `autograder grade {assignment}`."
            ) from None
        points = {cell.name: cell.max_score for cell in cells if cell.cell_type == "markdown"}
    if not points:
        raise UserError(f"{assignment} has no written questions: there is nothing to mark by hand.")
    titles, answers = headings(source), marking_notes(source)
    order = {name: place for place, name in enumerate(titles)}
    return [
        _question(name, titles.get(name) or words(name), points[name], source, answers)
        for name in sorted(points, key=lambda name: order.get(name, len(order)))
    ]


def _question(
    name: str, title: str, points: float, source: NotebookNode, answers: dict[str, str]
) -> WrittenQuestion:
    section = _section(name, source)
    asked = "\n\n".join(visible_text(cell) for cell in section if cell.cell_type == "markdown")
    limits = _LIMIT.findall(asked)
    model, _, notes = answers.get(name, "").partition(MARKING_NOTES)
    return WrittenQuestion(
        name=name,
        title=title,
        points=points,
        text=_HEADING.sub("", asked, count=1).strip(),
        model=model.strip(),
        notes=notes.strip(),
        most_words=int(limits[-1]) if limits else None,
        beside=tuple(
            nbgrader_marks(cell)["grade_id"]
            for cell in section
            if nbgrader_marks(cell).get("solution")
        ),
    )


def _section(name: str, source: NotebookNode) -> list[NotebookNode]:
    """Return the cells from the last heading above the answer to the answer, without the latter."""
    found: list[NotebookNode] = []
    for cell in source.cells:
        marks = nbgrader_marks(cell)
        if marks.get("grade_id") == name:
            return found
        if cell.cell_type == "markdown" and not marks and _HEADING.search(cell.source):
            found = []
        found.append(cell)
    return []
