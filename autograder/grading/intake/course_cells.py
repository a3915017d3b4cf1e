"""Put the course's cells back into a submitted notebook, wherever an editor or a student left them.

nbgrader recognises its cells by marks in their metadata. Some editors drop these marks, and
students retype a cell, delete it, or write an answer into the cell below. So a cell is recognised
by its marks, or else by its id, or else by what it defines and where it stands.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.notebook.source import visible_text

MAX_SHOWN = 20_000
"""Limit on the characters that are shown of what a student wrote into a cell of the course."""


@dataclass(frozen=True)
class CourseCell:
    """A cell with nbgrader's marks, as the gradebook has it.

    Attributes
    ----------
    cell_type
        ``"code"`` or ``"markdown"``.
    source
        Its text: with its hidden test if it is a test, and as it was released if it is an answer.
    locked
        Whether students may not change it.
    marks
        nbgrader's metadata.
    """

    cell_type: str
    source: str
    locked: bool
    marks: dict[str, Any]

    @property
    def counts(self) -> bool:
        """Whether the cell has points."""
        return bool(self.marks["grade"] or self.marks["task"])

    @property
    def is_written_answer(self) -> bool:
        """Whether a student answers in words in it, and a person grades them."""
        return bool(self.marks["grade"] and self.marks["solution"])

    def new_cell(self) -> NotebookNode:
        """Return the cell."""
        make = nbformat.v4.new_code_cell
        if self.cell_type == "markdown":
            make = nbformat.v4.new_markdown_cell
        return make(self.source, metadata={"nbgrader": dict(self.marks)})


def repair(nb: NotebookNode, course: Mapping[str, CourseCell], released: NotebookNode) -> list[str]:
    """Give the course's cells in `nb` their marks, and put missing ones back, in place.

    The marks of cells are taken from `course` only. If a marked cell appears more than once, the
    last copy counts, as in nbgrader, and the others become ordinary cells. A missing test or answer
    cell is put back after the marked cell that precedes it in the release.

    Parameters
    ----------
    nb
        The submitted notebook; its metadata are not trusted.
    course
        The cells with marks by their names, in the order of the release.
    released
        The notebook from which the release is made; it tells which cells a student has added. It
        may be empty if it is not at hand.

    Returns
    -------
    list of str
        What the instructor should know.
    """
    flags: list[str] = []
    found = _by_marks(nb, course, flags)
    _by_ids(nb, course, found, flags)
    _by_definitions(nb, course, found, flags)
    added = _added_texts(nb, released, found)
    _by_place(nb, course, found, added, flags)
    for name, cell in list(found.items()):
        found[name] = _marked(nb, cell, name, course[name], flags)
    for name, cell in found.items():
        if course[name].is_written_answer:
            _take_answer_beside(nb, cell, name, course[name], added, flags)
    _restore(nb, course, found, flags)
    return flags


# ------------------------------------------------------------------------------------------------
# Which cell is which

Found = dict[str, NotebookNode]


def _by_marks(nb: NotebookNode, course: Mapping[str, CourseCell], flags: list[str]) -> Found:
    """Return the cells with known marks; take the metadata of all cells away."""
    found: Found = {}
    for cell in reversed(nb.cells):
        marks = cell.metadata.get("nbgrader")
        cell.metadata = NotebookNode()
        name = marks.get("grade_id") if isinstance(marks, dict) else None
        if not isinstance(name, str) or name not in course:
            continue
        if name in found:
            flags.append(f"the cell {name} was there more than once; the last one counts")
        else:
            found[name] = cell
    return found


def _by_ids(
    nb: NotebookNode, course: Mapping[str, CourseCell], found: Found, flags: list[str]
) -> None:
    """Recognise cells by their ids, which are the names of the course's cells."""
    taken = {id(cell) for cell in found.values()}
    recognised = {
        cell.id: cell
        for cell in nb.cells
        if id(cell) not in taken and cell.get("id") in course and cell.id not in found
    }
    if recognised:
        found |= recognised
        flags.append(
            f"{len(recognised)} cells had lost their marks and were recognised by their "
            f"ids: {', '.join(list(recognised)[:5])}{' ...' if len(recognised) > 5 else ''}"
        )


def _by_definitions(
    nb: NotebookNode, course: Mapping[str, CourseCell], found: Found, flags: list[str]
) -> None:
    """Recognise a retyped answer in code: it defines the same names in the same part."""
    for name, cell in course.items():
        names = defined_names(cell.source)
        if name in found or cell.cell_type != "code" or not cell.marks["solution"] or not names:
            continue
        for candidate in reversed(_between(nb, course, found, name)):
            if candidate.cell_type == "code" and names <= defined_names(candidate.source):
                found[name] = candidate
                flags.append(f"the cell {name} was recognised by what it defines")
                break


def _by_place(
    nb: NotebookNode,
    course: Mapping[str, CourseCell],
    found: Found,
    added: set[int],
    flags: list[str],
) -> None:
    """Recognise a written answer in the last text that a student has added where it belongs."""
    for name, cell in course.items():
        if name in found or not cell.is_written_answer:
            continue
        texts = [other for other in _between(nb, course, found, name) if id(other) in added]
        if texts:
            found[name] = texts[-1]
            flags.append(f"the answer to {name} stood in another cell; a person should look at it")


def defined_names(source: str) -> set[str]:
    """Return the functions, classes and variables that code defines; none if it is not Python."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = set()
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                names |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return names


def _between(
    nb: NotebookNode, course: Mapping[str, CourseCell], found: Found, name: str
) -> list[NotebookNode]:
    """Return the cells between the recognised neighbours of a course cell that is missing."""
    places = {id(cell): index for index, cell in enumerate(nb.cells)}
    at = {other: places[id(cell)] for other, cell in found.items()}
    order = list(course)
    position = order.index(name)
    start = max((at[other] for other in order[:position] if other in at), default=-1)
    later = [at[other] for other in order[position + 1 :] if at.get(other, -1) > start]
    return nb.cells[start + 1 : min(later, default=len(nb.cells))]


# ------------------------------------------------------------------------------------------------
# What the cells become


def _marked(
    nb: NotebookNode, cell: NotebookNode, name: str, course: CourseCell, flags: list[str]
) -> NotebookNode:
    """Give a recognised cell its marks, type and, if it is locked, its text; return it."""
    typed = cell.source
    if cell.cell_type != course.cell_type:
        fresh = course.new_cell()
        fresh.source = typed
        nb.cells[_place(nb, cell)] = fresh
        cell = fresh
    cell.metadata = NotebookNode(nbgrader=dict(course.marks))
    if course.locked:
        cell.source = course.source
        if code := _code_typed_into(typed, course):
            flags.append(
                f"code was typed into the cell {name}, which belongs to the course; it was not "
                "run, and stands below that cell"
            )
            shown = f"Typed into the cell above, and not run:\n\n```python\n{code}\n```"
            nb.cells.insert(_place(nb, cell) + 1, nbformat.v4.new_markdown_cell(shown))
    return cell


def _code_typed_into(typed: str, course: CourseCell) -> str:
    """Return the lines of code that a student has added to a locked cell of code."""
    if course.cell_type != "code":
        return ""
    cell = nbformat.v4.new_code_cell(course.source, metadata={"nbgrader": dict(course.marks)})
    released = [*visible_text(cell).splitlines(), *course.source.splitlines()]
    ours = Counter(line.strip() for line in released)
    added = []
    for line in typed.splitlines():
        if ours[line.strip()]:
            ours[line.strip()] -= 1
        elif line.strip() and not line.lstrip().startswith("#"):
            added.append(line)
    return "\n".join(added).replace("```", "'''")[:MAX_SHOWN]


def _restore(
    nb: NotebookNode, course: Mapping[str, CourseCell], found: Found, flags: list[str]
) -> None:
    """Put missing cells with points back, each after the marked cells that precede it."""
    order = list(course)
    for position, (name, cell) in enumerate(course.items()):
        if name in found or not cell.counts:
            continue
        earlier = [_place(nb, found[other]) for other in order[:position] if other in found]
        found[name] = cell.new_cell()
        nb.cells.insert(max(earlier, default=-1) + 1, found[name])
        flags.append(f"the cell {name} was missing; it was put back")


def _take_answer_beside(
    nb: NotebookNode,
    cell: NotebookNode,
    name: str,
    course: CourseCell,
    added: set[int],
    flags: list[str],
) -> None:
    """Move the answer into an empty cell for it from the cell below, if a student added one."""
    if cell.source.strip() not in ("", course.source.strip()):
        return
    below = next(iter(nb.cells[_place(nb, cell) + 1 :]), None)
    if below is not None and id(below) in added:
        cell.source = below.source
        del nb.cells[_place(nb, below)]
        flags.append(f"the answer to {name} stood in the cell below; a person should look at it")


def _added_texts(nb: NotebookNode, released: NotebookNode, found: Found) -> set[int]:
    """Return which cells of text a student has added to the released notebook."""
    if not released.cells:
        return set()
    recognised = {id(cell) for cell in found.values()}
    known = {cell.id for cell in released.cells}
    texts = {" ".join(visible_text(cell).split()) for cell in released.cells}
    return {
        id(cell)
        for cell in nb.cells
        if cell.cell_type == "markdown"
        and id(cell) not in recognised
        and cell.get("id") not in known
        and " ".join(cell.source.split()) not in texts
    }


def _place(nb: NotebookNode, cell: NotebookNode) -> int:
    """Return the position of a cell; of equal cells, that of this one."""
    return next(index for index, other in enumerate(nb.cells) if other is cell)
