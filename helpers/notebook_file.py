"""A notebook's file, as some editor has written it, and the questions in it.

Colab, VS Code, PyCharm and others write notebooks that are not quite in the format. They are
repaired here as far as the grader would do it, and the student is told.
"""

import ast
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "CELL_TYPES",
    "PLACEHOLDERS",
    "Notebook",
    "NotebookError",
    "Question",
    "Section",
    "answer_text",
    "cell_id",
    "read_notebook",
]

MAX_BYTES = 160 << 20
"""The grader reads no larger notebook."""
MAX_WITH_OUTPUTS = 20 << 20
"""A larger notebook is packed without its outputs, which are not graded."""
# The text that nbgrader puts in the place of a solution or a written answer.
PLACEHOLDERS = ("YOUR CODE HERE", "YOUR ANSWER HERE")
CELL_TYPES = ("code", "markdown", "raw")
_HEADING = re.compile(r"^#{2,4} (\d+(?:\.\d+)* .+?)(?: \([^()]*\))?$", re.MULTILINE)
_SECTION = re.compile(r"^#{1,2} ", re.MULTILINE)
# The notebook of the teachers has such lines, and a mark scheme after the answer.
_MARKER = re.compile(r"^### (?:BEGIN|END) .*\n?", re.MULTILINE)
MOST_NAMED = 3
_PACKS = re.compile(r"^pack\(", re.MULTILINE)
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class NotebookError(Exception):
    """The file is not a notebook; the message says what to do."""


@dataclass(frozen=True)
class Question:
    """A question of an assignment.

    Attributes
    ----------
    title
        Its number and title, such as ``"1.1 By standard deviation"``; or its name, if there is no
        heading above it.
    points
        Its points; None if the file does not say.
    """

    title: str
    points: float | None

    def __str__(self) -> str:
        if self.points is None:
            return self.title
        return f"{self.title} ({self.points:g} point{'' if self.points == 1 else 's'})"


@dataclass
class Section:
    """What stands under the heading of a question.

    Attributes
    ----------
    title
        The number and title of the question; or its name, if there is no heading above it.
    anchor
        The address of the heading within JupyterLab; empty without a heading.
    points, bonus
        The points of its graded cells; those of bonus questions count apart.
    empty
        The names of its answers that have not been filled in.
    empty_points
        Their points, without those of bonus questions.
    checks
        The calls of public checks, such as ``"checks.ste(STE)"``.
    """

    title: str
    anchor: str = ""
    points: float = 0.0
    bonus: float = 0.0
    empty: list[str] = field(default_factory=list)
    empty_points: float = 0.0
    checks: list[str] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The number of the question, such as ``"1.1"``, or its title if it has none."""
        first = self.title.partition(" ")[0]
        return first if first[:1].isdigit() else self.title


@dataclass
class Notebook:
    """The content of a notebook's file.

    Attributes
    ----------
    data
        The content, in the notebook format.
    repairs
        What had to be repaired, in words; if this is empty, the file holds exactly `data`.
    """

    data: dict[str, Any]
    repairs: list[str] = field(default_factory=list)

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The cells, each of which has a type, a text and metadata."""
        return self.data["cells"]

    @property
    def artifacts(self) -> list[str]:
        """The names of the networks that the assignment asks for."""
        course = self.data["metadata"].get("course")
        names = course.get("artifacts") if isinstance(course, dict) else None
        return [str(name) for name in names] if isinstance(names, list) else []

    @property
    def marks(self) -> list[str]:
        """The marks by which nbgrader finds the questions, as often as they are there."""
        return [name for cell in self.cells if (name := _mark(cell).get("grade_id"))]

    def doubled(self) -> list[str]:
        """Return the titles of the questions that have a cell twice."""
        marks = self.marks
        return list(
            dict.fromkeys(
                title or mark
                for title, cell in self._with_titles()
                if (mark := _mark(cell).get("grade_id")) and marks.count(mark) > 1
            )
        )

    def sections(self) -> list[Section]:
        """Return what is asked, by the headings of the questions, in their order."""
        points = {
            _mark(c)["grade_id"]: _mark(c).get("points") or 0.0 for c in self.cells if _mark(c)
        }
        anchors = self._anchors()
        found: dict[str, Section] = {}
        for title, cell in self._with_titles():
            mark = _mark(cell)
            checks = check_calls(cell["source"]) if cell["cell_type"] == "code" else []
            name = mark.get("grade_id", "").removesuffix("_solution")
            if not mark and not (checks and title):
                continue
            section = found.setdefault(
                title or name, Section(title or name, anchors.get(title, ""))
            )
            section.checks += checks
            if mark.get("grade") or mark.get("task"):
                if name.startswith("bonus"):
                    section.bonus += points[mark["grade_id"]]
                else:
                    section.points += points[mark["grade_id"]]
            if mark.get("solution") and any(text in cell["source"] for text in PLACEHOLDERS):
                section.empty.append(name)
                if not name.startswith("bonus"):
                    section.empty_points += points.get(name, 0.0)
        return [s for s in found.values() if s.points or s.bonus or s.empty]

    def _anchors(self) -> dict[str, str]:
        """Return the addresses of headings in JupyterLab, by the titles of their questions.

        An address is the text as it is shown, in which code has no backticks, with hyphens.
        """
        return {
            match[1]: match[0].lstrip("#").strip().replace("`", "").replace(" ", "-")
            for cell in self.cells
            if cell["cell_type"] == "markdown" and not _mark(cell)
            for match in _HEADING.finditer(cell["source"])
        }

    def question_about(self, artifact: str) -> Question | None:
        """Return the question that asks for a network.

        It is the first whose public check, or other code, mentions the name; or else the first that
        mentions it at all.
        """
        mentioned = re.compile(rf"[`\"']{re.escape(artifact)}[`\"']")
        found = [
            (cell["cell_type"] != "code", title)
            for title, cell in self._with_titles()
            if title and mentioned.search(cell["source"])
        ]
        if not found:
            return None
        _, title = min(found, key=lambda each: each[0])
        below = [_mark(cell).get("points") for t, cell in self._with_titles() if t == title]
        known = [points for points in below if points is not None]
        return Question(title, sum(known) if known else None)

    def answers_and_figures(self) -> Iterator[tuple[str, dict[str, Any], bool]]:
        """Yield the written answers and the code cells of all questions, in order.

        Each comes after the title of its question, and with whether it is a written answer.
        """
        for title, cell in self._with_titles():
            mark = _mark(cell)
            if cell["cell_type"] == "markdown" and mark.get("solution"):
                yield title or mark["grade_id"], cell, True
            elif cell["cell_type"] == "code" and title:
                yield title, cell, False

    def too_long(self) -> Iterator[str]:
        """Yield what is wrong with the written answers that have more words than they may."""
        limits = _word_limits(self.cells)
        for title, cell in self._with_titles():
            name = _mark(cell).get("grade_id", "")
            count = len(answer_text(cell["source"]).split())
            if name in limits and count > limits[name]:
                yield f"{title or name}: the answer has {count} words, and may have {limits[name]}."

    def not_run_in_order(self) -> Iterator[str]:
        """Yield how the saved outputs differ from those of a run from top to bottom.

        What comes from the cell that packs on is left out: that cell is running now.
        """
        left, late, newest = [], [], 0
        for title, cell in self._with_titles():
            if cell["cell_type"] != "code" or not cell["source"].strip():
                continue
            if _PACKS.search(cell["source"]):
                break
            count = cell.get("execution_count")
            if not isinstance(count, int):
                left.append(title or "a cell outside of the questions")
            elif count < newest:
                late.append(title or "a cell outside of the questions")
            newest = max(newest, count if isinstance(count, int) else 0)
        for places, what in ((left, "not been run"), (late, "been run before code above it")):
            if places:
                named = _some(list(dict.fromkeys(places)))
                yield (
                    f"In the saved notebook, some code has {what} ({named}). Restart the kernel, "
                    "run all cells, and save the notebook; trained networks are only loaded."
                )

    def _with_titles(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each cell, after the number and title of the question that it belongs to."""
        title = ""
        for cell in self.cells:
            if cell["cell_type"] == "markdown" and not _mark(cell):
                if _SECTION.search(cell["source"]):
                    title = ""  # its introduction belongs to no question
                title = [title, *_HEADING.findall(cell["source"])][-1]
            yield title, cell


def answer_text(source: str) -> str:
    """Return the answer in the cell of a written answer, without what is only the teachers'."""
    return _MARKER.sub("", source).partition("**Marking.**")[0]


def read_notebook(path: Path) -> Notebook:
    """Read a notebook, and repair what an editor has left out or written in another way.

    Raises
    ------
    NotebookError
        If the file is too large, or is not a notebook.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise NotebookError(
            f"{path.name} has {size >> 20} MB, but the limit is {MAX_BYTES >> 20} MB: clear the "
            "outputs of the largest cells, and save it."
        )
    content = path.read_bytes()
    encoding = json.detect_encoding(content)
    try:
        data = json.loads(content.decode(encoding))
        cells = data["cells"]
        if not isinstance(cells, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotebookError(f"{path.name} is damaged: save the notebook again.") from error
    repairs = []
    if encoding != "utf-8":
        repairs.append("it was not stored as plain UTF-8")
    if not isinstance(data.get("metadata"), dict):
        data["metadata"] = {}
        repairs.append("the metadata of the notebook were missing")
    data["cells"] = [cell for cell in cells if isinstance(cell, dict)]
    repairs += _repair_cells(data)
    if size > MAX_WITH_OUTPUTS:
        for cell in data["cells"]:
            cell.update({"outputs": []} if cell["cell_type"] == "code" else {})
        repairs.append(f"its outputs were left out, because it had {size >> 20} MB with them")
    return Notebook(data, repairs)


def _repair_cells(data: dict[str, Any]) -> Iterator[str]:
    """Complete the cells of a notebook in place; yield what was done, in words."""
    minor = data.get("nbformat_minor")
    with_ids = isinstance(minor, int) and minor >= 5
    new_ids = incomplete = 0
    taken: set[str] = set()
    for number, cell in enumerate(data["cells"]):
        before = dict(cell)
        if cell.get("cell_type") not in CELL_TYPES:
            cell["cell_type"] = "raw"
        source = cell.get("source")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            cell["source"] = "".join(source)  # the format allows both
            before["source"] = cell["source"]
        elif not isinstance(source, str):
            cell["source"] = ""
        if not isinstance(cell.get("metadata"), dict):
            cell["metadata"] = {}
        if cell["cell_type"] == "code":
            if not isinstance(cell.get("outputs"), list):
                cell["outputs"] = []
            cell.setdefault("execution_count", None)
        incomplete += cell != before
        if with_ids:
            name = cell_id(cell.get("id"), number, taken)
            new_ids += name != cell.get("id")
            cell["id"] = name
            taken.add(name)
    if incomplete:
        yield f"{_cells(incomplete)} lacked parts that belong to every cell"
    if new_ids:
        yield f"{_cells(new_ids)} had no identifier of their own"


def _cells(count: int) -> str:
    return "one cell" if count == 1 else f"{count} cells"


def cell_id(found: Any, number: int, taken: Collection[str]) -> str:
    """Return the id of a cell, or another one if it is missing, not allowed or taken.

    Parameters
    ----------
    found
        What the file has as the id.
    number
        The number of the cell, of which another id is made.
    taken
        The ids of the cells before it.
    """
    valid = isinstance(found, str) and _ID.fullmatch(found) and found not in taken
    name = found if valid else f"cell-{number}"
    while name in taken:
        name += "-"
    return name


def _mark(cell: dict[str, Any]) -> dict[str, Any]:
    """Return nbgrader's mark of a cell, or an empty dict."""
    mark = cell["metadata"].get("nbgrader")
    return mark if isinstance(mark, dict) and isinstance(mark.get("grade_id"), str) else {}


def check_calls(source: str) -> list[str]:
    """Return the calls of public checks, if a cell consists of nothing else."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return []
    calls = [
        statement.value
        for statement in statements
        if isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Attribute)
        and isinstance(statement.value.func.value, ast.Name)
        and statement.value.func.value.id == "checks"
    ]
    return [ast.unparse(call) for call in calls] if len(calls) == len(statements) else []


def _some(names: list[str]) -> str:
    """Return the first names in a list, and how many more there are."""
    more = len(names) - MOST_NAMED
    return "; ".join(names[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _word_limits(cells: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return how many words each written answer may have, as the public checks say."""
    calls = [
        ast.parse(call, mode="eval").body
        for cell in cells
        if cell["cell_type"] == "code"
        for call in check_calls(cell["source"])
    ]
    limits = {}
    for call in calls:
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "checks.words":
            match [each.value for each in call.args if isinstance(each, ast.Constant)]:
                case [str(name), int(limit)]:
                    limits[name] = limit
    return limits
