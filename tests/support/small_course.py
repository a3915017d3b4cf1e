"""A course of one short assignment with every kind of cell, for the tests of release and audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.course import Course

ASSIGNMENT = "small"

SOLUTION = """\
def halve(w):
    \"\"\"Return the weights, half as large.\"\"\"
    ### BEGIN SOLUTION
    factor = 1 / 2  # exact in binary
    # a power of two only changes the exponent, so nothing is rounded here
    return np.multiply(w, factor, dtype=w.dtype)
    ### END SOLUTION
"""
SOLUTION_LINE = "return np.multiply(w, factor, dtype=w.dtype)"
SOLUTION_COMMENT = "a power of two only changes the exponent, so nothing is rounded here"

HIDDEN_TEST = """\
# Hidden tests: 4 points
### BEGIN HIDDEN TESTS
from autograder.hidden import holds, score, student

score(
    holds(lambda: student.halve(np.float32(3.0)) == np.float32(1.5), "Half of three is 1.5."),
    of=4,
)
### END HIDDEN TESTS
"""
HIDDEN_TEST_LINE = (
    'holds(lambda: student.halve(np.float32(3.0)) == np.float32(1.5), "Half of three is 1.5."),'
)

VERDICT = "# Is halving exact?\n### BEGIN SOLUTION\nexact = True\n### END SOLUTION\n"
VERDICT_LINE = "exact = True"

REASON = "The mantissa stays as it was. Only the exponent of every weight becomes smaller by one."
REASON_LINE = "Only the exponent of every weight becomes smaller by one."

TASK = """\
Draw the spacing of floats.
### BEGIN MARK SCHEME
One point for a spacing that doubles with every power of two.
### END MARK SCHEME
"""
MARK_SCHEME_LINE = "One point for a spacing that doubles with every power of two."


def marks(
    name: str,
    *,
    solution: bool = False,
    points: float | None = None,
    locked: bool = False,
    task: bool = False,
) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell; with points it is graded."""
    found = {
        "schema_version": 3,
        "grade_id": name,
        "solution": solution,
        "grade": points is not None and not task,
        "locked": locked,
        "task": task,
    }
    return {"nbgrader": found if points is None else {**found, "points": points}}


ARTIFACTS = ["halved"]


def small_notebook(unlocks: tuple[str, ...] = ("masks",)) -> NotebookNode:
    """Return a source notebook without faults."""
    cells = [
        new_markdown_cell("# Halves\n\nThe reported accuracy is 0.91234.", id="intro"),
        new_markdown_cell("## Setup", id="setup-heading"),
        new_code_cell("import numpy as np", id="setup"),
        new_code_cell(SOLUTION, id="answer", metadata=marks("halve_solution", solution=True)),
        new_code_cell(HIDDEN_TEST, id="test", metadata=marks("halve", points=4, locked=True)),
        new_code_cell(VERDICT, id="verdict", metadata=marks("exact_solution", solution=True)),
        new_markdown_cell(REASON, id="reason", metadata=marks("reason", solution=True, points=1)),
        new_markdown_cell(TASK, id="task", metadata=marks("spacing", points=1, task=True)),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    course = {"unlocks": list(unlocks), "artifacts": ARTIFACTS}
    metadata = {"course": course, "kernelspec": kernel}
    return new_notebook(cells=cells, metadata=metadata)


def cell_of(notebook: NotebookNode, id: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == id)


def write_source(folder: Path, notebook: NotebookNode) -> Path:
    """Write a source notebook where `small_course` looks for it."""
    path = folder / "notebooks" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def small_course(folder: Path) -> Course:
    """Return the course in ``folder/course``."""
    return Course(folder / "course", folder / "notebooks")
