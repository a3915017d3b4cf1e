"""Read a source notebook line by line: what students see, and what nbgrader removes.

nbgrader makes the release. The audit reads the same markers independently, with this module, so
that neither can hide a mistake of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from nbformat import NotebookNode


class Part(Enum):
    """The part of a source notebook that a line belongs to; the value is its name in messages."""

    VISIBLE = "visible"
    SOLUTION = "solution"
    HIDDEN_TEST = "hidden test"
    MARK_SCHEME = "mark scheme"
    MARKER = "marker"


MARKED_PARTS = {part.value.upper(): part for part in (Part.SOLUTION, Part.MARK_SCHEME)} | {
    "HIDDEN TESTS": Part.HIDDEN_TEST
}
"""The text after BEGIN and END in a marker."""

MARKER = re.compile(rf"(BEGIN|END) ({'|'.join(MARKED_PARTS)})")
"""The pattern of a marker, which nbgrader looks for anywhere in a line."""

MARKING_NOTES = "**Marking.**"
"""The beginning of the part of a model answer that is meant only for the person who marks."""


@dataclass(frozen=True)
class SourceLine:
    """A line of a cell.

    Attributes
    ----------
    number
        Number of the line in its cell, counted from 1.
    text
        The line itself.
    part
        The part of the notebook that the line belongs to.
    """

    number: int
    text: str
    part: Part


def nbgrader_marks(cell: NotebookNode) -> NotebookNode:
    """Return nbgrader's metadata of a cell; they are empty if the cell has none."""
    return cell.metadata.get("nbgrader", NotebookNode())


def cell_name(cell: NotebookNode) -> str:
    """Return the name that messages use for a cell: its grade_id, or else its id."""
    return nbgrader_marks(cell).get("grade_id") or cell.get("id", "without id")


def lines(cell: NotebookNode) -> list[SourceLine]:
    """Return the lines of a source cell with the part that each line belongs to.

    As in nbgrader, a solution cell without solution markers is a solution as a whole.
    """
    marked = list(_marked_lines(cell.source))
    whole = nbgrader_marks(cell).get("solution") and not any(
        line.part is Part.SOLUTION or (line.part is Part.MARKER and "SOLUTION" in line.text)
        for line in marked
    )
    if not whole:
        return marked
    return [
        SourceLine(line.number, line.text, Part.SOLUTION) if line.part is Part.VISIBLE else line
        for line in marked
    ]


def visible_text(cell: NotebookNode) -> str:
    """Return the lines of a source cell that students see."""
    return "\n".join(line.text for line in lines(cell) if line.part is Part.VISIBLE)


def solved_text(cell: NotebookNode) -> str:
    """Return a source cell as a student would hand it in: solved, without notes for marking."""
    kept = []
    notes = False
    for line in lines(cell):
        notes = line.part is Part.SOLUTION and (notes or line.text.startswith(MARKING_NOTES))
        if not notes and line.part is not Part.MARKER:
            kept.append(line.text)
    return "\n".join(kept)


def hidden_test(cell: NotebookNode) -> str:
    """Return the code between the hidden-test markers of a cell; empty if there is none."""
    return "\n".join(line.text for line in lines(cell) if line.part is Part.HIDDEN_TEST)


def _marked_lines(source: str) -> Iterator[SourceLine]:
    part = Part.VISIBLE
    for number, text in enumerate(source.split("\n"), start=1):
        marker = MARKER.search(text)
        if marker:
            edge, mark = marker.groups()
            part = MARKED_PARTS[mark] if edge == "BEGIN" else Part.VISIBLE
            yield SourceLine(number, text, Part.MARKER)
        else:
            yield SourceLine(number, text, part)
