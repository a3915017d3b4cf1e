"""Find what looks alike across a class. It is for the instructor to judge, and changes no score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograder.course import Course
from autograder.notebook.source import nbgrader_marks, visible_text
from autograder.reporting.copied_code import ComparedCode, compare_code
from autograder.reporting.copied_networks import SharedNetworks, shared_networks

__all__ = ["LookAlikes", "look_alikes"]


@dataclass(frozen=True)
class LookAlikes:
    """What students of a class have in common.

    Attributes
    ----------
    networks
        The groups of students whose networks have weights or histories in common.
    code
        The groups of students who have rare code in common.
    """

    networks: tuple[SharedNetworks, ...]
    code: ComparedCode

    @property
    def one_training(self) -> tuple[SharedNetworks, ...]:
        """The groups whose networks cannot come from separate trainings."""
        return tuple(found for found in self.networks if found.finding.certain)

    @property
    def same_weights(self) -> tuple[SharedNetworks, ...]:
        """The groups whose networks are the same, but may come from separate trainings."""
        return tuple(found for found in self.networks if not found.finding.certain)


def look_alikes(assignment: str, course: Course, students: Sequence[str]) -> LookAlikes:
    """Compare the networks and the code of a class.

    Networks are read from the submissions, and code from the graded notebooks, in which cells have
    the course's own marks. What cannot be read is left out: an unreadable notebook has a flag in
    the class report, and an unreadable network earns no points.

    """
    source = _read(course.source_notebook(assignment))
    names = source.metadata.get("course", {}).get("artifacts", [])
    released = [visible_text(cell) for cell in source.cells if cell.cell_type == "code"]
    code = {student: _written(course.graded_notebook(student, assignment)) for student in students}
    return LookAlikes(
        tuple(shared_networks(assignment, names, course.submitted, students)),
        compare_code(code, released),
    )


def _written(graded: Path) -> dict[str, str]:
    """Return the code cells of a graded notebook that a student could edit, by their names.

    Cells that the student has added have no name, and are called by their position.
    """
    return {
        marks.get("grade_id", f"cell {number}"): cell.source
        for number, cell in enumerate(_read(graded).cells, start=1)
        if cell.cell_type == "code"
        and ((marks := nbgrader_marks(cell)).get("solution") or not marks)
    }


def _read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook that we have written; return an empty one if there is none."""
    try:
        return nbformat.read(path, as_version=4)
    except (FileNotFoundError, nbformat.reader.NotJSONError):
        return nbformat.v4.new_notebook()
