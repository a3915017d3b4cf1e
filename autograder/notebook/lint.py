"""Find faults in a source notebook that would cost students points or give answers away."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.notebook.source import (
    MARKED_PARTS,
    MARKER,
    Part,
    cell_name,
    hidden_test,
    lines,
    nbgrader_marks,
)

# A line that only looks like a marker ("BEGIN HIDDEN TEST", "begin solution") hides nothing.
LIKE_A_MARKER = re.compile(r"^\W*(begin|end)\s+(solution|hidden|mark)", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """Something to fix in a source notebook.

    Attributes
    ----------
    file
        Name of the notebook's file.
    cell
        The grade_id of the cell, or else its id.
    line
        Number of the line in the cell, counted from 1.
    text
        What is wrong, and what to do about it.
    """

    file: str
    cell: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, cell {self.cell}, line {self.line}: {self.text}"


def lint(source: Path) -> list[Fault]:
    """Find the faults of a source notebook.

    Every marker must be spelled correctly and have its partner, and every grade_id must be unique.
    Every graded code cell without a solution must be locked, show students nothing but comments,
    and end its hidden test with ``score(..., of=N)``, where N is the number of points of the cell.

    Parameters
    ----------
    source
        The source notebook.

    Returns
    -------
    list of Fault
        In the order of the notebook.
    """
    notebook = nbformat.read(source, as_version=4)
    ids = Counter(nbgrader_marks(cell).get("grade_id") for cell in notebook.cells)
    faults = []
    for cell in notebook.cells:
        found = list(_marker_faults(cell))
        name = nbgrader_marks(cell).get("grade_id")
        if name and ids[name] > 1:
            found.append((1, f"{ids[name]} cells have this grade_id; give each its own"))
        if cell.cell_type == "code" and _is_test(cell):
            found += _test_faults(cell)
        faults += [Fault(source.name, cell_name(cell), line, text) for line, text in sorted(found)]
    return faults


def _is_test(cell: NotebookNode) -> bool:
    marks = nbgrader_marks(cell)
    hidden = any(line.part is Part.HIDDEN_TEST for line in lines(cell))
    return hidden or bool(marks.get("grade") and not marks.get("solution"))


def _marker_faults(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    begun: tuple[int, str] | None = None
    for line in lines(cell):
        marker = MARKER.search(line.text)
        if not marker:
            if LIKE_A_MARKER.match(line.text):
                known = ", ".join(f"BEGIN {mark}" for mark in MARKED_PARTS)
                yield line.number, f"this is not a marker and hides nothing; markers are: {known}"
            continue
        edge, mark = marker.groups()
        if edge == "BEGIN":
            if begun:
                yield line.number, f"this begins inside BEGIN {begun[1]}; end that part first"
            begun = (line.number, mark)
        elif begun is None or begun[1] != mark:
            yield (
                line.number,
                f"there is no BEGIN {mark} for this end; students see the lines above",
            )
            begun = None
        else:
            begun = None
    if begun:
        yield begun[0], f"there is no END {begun[1]} for this beginning"


def _test_faults(cell: NotebookNode) -> Iterator[tuple[int, str]]:
    marks = nbgrader_marks(cell)
    if not marks.get("grade"):
        yield 1, "this cell holds hidden tests but is not graded; mark it as autograded tests"
    if not marks.get("locked"):
        yield 1, "this graded cell is not locked; students could change it"
    code = hidden_test(cell)
    if not code.strip():
        yield 1, "this graded cell holds no hidden test, so nothing decides its score"
        return
    for line in lines(cell):
        if (
            line.part is Part.VISIBLE
            and line.text.strip()
            and not line.text.lstrip().startswith("#")
        ):
            yield line.number, "only comments are allowed outside the hidden-test markers"
    numbers = [line.number for line in lines(cell) if line.part is Part.HIDDEN_TEST]
    try:
        body = ast.parse(code).body
    except SyntaxError as error:
        yield numbers[(error.lineno or 1) - 1], f"this is not Python: {error.msg}"
        return
    points = _points_of_score(body[-1]) if body else None
    last = numbers[body[-1].lineno - 1] if body else numbers[0]
    if points is None:
        yield last, "a hidden test ends with score(..., of=N), with the points as a plain number"
    elif points != marks.get("points"):
        yield last, f"score(of={points:g}), but the cell is worth {marks.get('points')} points"


def _points_of_score(statement: ast.stmt) -> float | None:
    """Return N if a statement is ``score(..., of=N)``, and otherwise None."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    of = next((keyword.value for keyword in call.keywords if keyword.arg == "of"), None)
    if call.func.id != "score" or not isinstance(of, ast.Constant):
        return None
    return of.value if isinstance(of.value, int | float) else None
