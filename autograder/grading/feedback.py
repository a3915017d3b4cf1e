"""Feedback pages: the graded notebook without its secrets, and with the results at the top."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    GetGrades,
    NbGraderPreprocessor,
)
from nbgrader.utils import is_grade, is_solution, is_task
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from autograder.course import Course
from autograder.grading.answers import answer_cells
from autograder.grading.attempt_choice import attempt_lines
from autograder.grading.marking_notes import remove_marking_notes
from autograder.grading.nbgrader_steps import source_notebook
from autograder.grading.question_box import in_points, points_text, prose
from autograder.grading.record import KEY, NoRecord, Record
from autograder.notebook.questions import headings, is_bonus, title, words

__all__ = [
    "FeedbackExporter",
    "HideHiddenTests",
    "ShowGrades",
]

_TEMPLATES = Path(__file__).parent / "templates"

_RECORD = "autograder_record"
"""Where nbconvert's resources keep the record of a notebook."""

_UNFINISHED = "The hidden test did not reach a result; the instructor can see why.\n"
_WITHHELD = "[This output is left out because it quotes a hidden test.]\n"

_DARK_CODE = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
"""Colours of code on a dark page; for a light one, nbconvert has its own."""

_UNDESCRIBED = re.compile(r"<img(?![^>]*\salt=)")
_DESCRIBED = '<img alt="No description has been provided for this image"'

# A shorter line, such as `)` or `of=8,`, gives nothing away and occurs in many outputs by chance.
_TELLING = 12


class HideHiddenTests(NbGraderPreprocessor):
    """Removes hidden tests, marking notes and the grader's record from a graded notebook.

    The visible rest of a test cell and its result box stay. If an output of another cell quotes a
    hidden line, as a traceback may, a note takes its place.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Remove them from `nb`, in place."""
        tests, schemes = ClearHiddenTests(parent=self), ClearMarkScheme(parent=self)
        regions = (
            (tests.begin_test_delimeter, tests.end_test_delimeter),
            (schemes.begin_mark_scheme_delimeter, schemes.end_mark_scheme_delimeter),
        )
        with suppress(NoRecord):
            resources[_RECORD] = Record.read(nb)
        nb.metadata.pop(KEY, None)
        remove_marking_notes(nb)
        hidden: list[str] = []
        held_tests = []
        for cell in nb.cells:
            cell.source, taken = _without_regions(cell.source, regions)
            hidden += taken
            held_tests.append(bool(taken))
        telling = _telling(hidden, visible=[cell.source for cell in nb.cells])
        for cell, held_test in zip(nb.cells, held_tests, strict=True):
            if cell.cell_type != "code":
                continue
            if held_test:
                cell.outputs = _verdict_only(cell.outputs)
            cell.outputs = [
                new_output("stream", text=_WITHHELD) if _quotes(output, telling) else output
                for output in cell.outputs
            ]
        return nb, resources


@dataclass(frozen=True)
class Graded:
    """A question on a feedback page.

    Attributes
    ----------
    name
        Its ``grade_id``.
    heading
        The heading above it in the notebook.
    part
        What it is among the questions under its heading, such as ``"written answer"``.
    score, points
        The points that it earned, and those that it is worth.
    waiting
        Whether a person has to grade it.
    messages
        What the hidden test says about it.
    explanations
        What the misconceptions are about that it shows.
    comments
        What a person wrote about it, in Markdown.
    by_person
        Whether a person gave the points.
    """

    name: str
    heading: str
    part: str
    score: float
    points: float
    waiting: bool
    messages: tuple[str, ...] = ()
    explanations: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    by_person: bool = False

    @property
    def lost(self) -> bool:
        """Whether there is something to say about points that were lost."""
        told = self.messages or self.explanations or self.comments or self.by_person
        return bool(told) and not self.waiting and self.score < self.points

    @property
    def bonus(self) -> bool:
        """Whether its points come on top of the assignment's maximum."""
        return is_bonus(self.name)


class ShowGrades(GetGrades):
    """Adds scores and comments as nbgrader does, and notes which answers wait for a grade."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Put the grades where the template of the feedback page expects them."""
        nb, resources = super().preprocess(nb, resources)
        record = resources.get(_RECORD, Record())
        # A student may have changed the headings, and a file that is not a notebook has none.
        known = self._source() or nb
        under = headings(nb) | headings(known)
        cells = [cell for cell in nb.cells if is_grade(cell) or is_task(cell)]
        parts = _parts({c.metadata.nbgrader.grade_id: c.cell_type for c in cells}, under)
        answers = answer_cells(nb)
        # A link to a question leads to what the student wrote; its result stands below.
        anchors = {
            _mark((answers.get(_mark(cell).grade_id) or [cell])[-1]).grade_id: _mark(cell).grade_id
            for cell in cells
        }
        resources["feedback"] = {
            "title": title(known) or words(self.notebook_id),
            "anchors": anchors,
            "questions": [
                _graded(cell, answers.get(_mark(cell).grade_id, [cell]), under, parts, record)
                for cell in cells
            ],
            "attempts": self._attempts(),
            "unreadable": record.unreadable,
        }
        return nb, resources

    def _source(self) -> NotebookNode | None:
        """Return the instructor's notebook; None if a page is made outside a course."""
        converter: Any = getattr(self.parent, "parent", None)
        if converter is None:
            return None
        names = {"assignment": self.assignment_id, "notebook": self.notebook_id}
        file = source_notebook(converter.coursedir, names)
        return nbformat.read(file, as_version=4) if file.is_file() else None

    def _attempts(self) -> list[str]:
        """Return a line on each attempt, where the best of several counts."""
        converter: Any = getattr(self.parent, "parent", None)
        if converter is None:  # a page is made outside a course
            return []
        course = Course(Path(converter.coursedir.root))
        return attempt_lines(course, self.assignment_id, self.student_id)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Note what a person gave and wrote, and whether a graded cell waits for one."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        names = (self.notebook_id, self.assignment_id, self.student_id)
        if is_grade(cell) or is_task(cell):
            mark = _mark(cell)
            grade = self.gradebook.find_grade(mark.grade_id, *names)
            mark.waiting = bool(grade.needs_manual_grade)
            mark.by_person = grade.manual_score is not None
        # nbgrader itself comments on an answer that is as it was released.
        if (is_solution(cell) or is_task(cell)) and (mark := _mark(cell)).comment:
            mark.persons = self.gradebook.find_comment(mark.grade_id, *names).manual_comment
        return cell, resources


class _Compiled(BytecodeCache):
    """Keeps compiled templates as long as the process lives."""

    def __init__(self) -> None:
        self._found: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._found:
            bucket.bytecode_from_string(self._found[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._found[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def _parts(kinds: dict[str, str], under: dict[str, str]) -> dict[str, str]:
    """Return what each question is among those under its heading.

    Parameters
    ----------
    kinds
        The type of each question's cell, by ``grade_id``.
    under
        The heading of each question.
    """
    called = {"markdown": "written answer", "code": "answer in code"}
    parts = {name: called.get(kind, kind) for name, kind in kinds.items()}
    counted = Counter((under[name], part) for name, part in parts.items())
    return {
        name: part if counted[under[name], part] == 1 else f"{part}: {words(name)}"
        for name, part in parts.items()
    }


def _mark(cell: NotebookNode) -> NotebookNode:
    return cell.metadata.nbgrader


def _graded(
    cell: NotebookNode,
    answer: Iterable[NotebookNode],
    under: dict[str, str],
    parts: dict[str, str],
    found: Record,
) -> Graded:
    mark = _mark(cell)
    record = found.questions.get(mark.grade_id)
    return Graded(
        name=mark.grade_id,
        heading=under[mark.grade_id] or words(mark.grade_id),
        part=parts[mark.grade_id],
        score=mark.score,
        points=mark.points,
        waiting=mark.waiting,
        messages=tuple(record.messages) if record else (),
        explanations=tuple(
            dict.fromkeys(named.explanation for named in record.misconceptions) if record else ()
        ),
        comments=tuple(text for each in answer if (text := _mark(each).get("persons"))),
        by_person=mark.by_person,
    )


class FeedbackExporter(HTMLExporter):
    """Writes a feedback page with our own template, whichever template nbgrader asks for."""

    @property
    def default_config(self) -> Config:
        """The settings of nbconvert, with our template."""
        config = super().default_config.copy()
        config.FeedbackExporter.template_name = "feedback_page"
        config.FeedbackExporter.extra_template_basedirs = [str(_TEMPLATES)]
        return config

    def from_notebook_node(  # type: ignore[override]  # as nbconvert's own exporters do
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make a page, and give every picture an alternative text.

        nbconvert parses the whole page for that, which takes a quarter of the time.
        """
        resources = {**self._init_resources(resources), "dark_code": _DARK_CODE}
        page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kwargs)
        return _UNDESCRIBED.sub(_DESCRIBED, page), resources

    def _create_environment(self) -> Environment:
        environment = super()._create_environment()
        environment.bytecode_cache = _COMPILED
        return environment

    def default_filters(self) -> Iterable[tuple[str, Any]]:
        """Add the filters that the template needs."""
        yield from super().default_filters()
        yield "points", points_text
        yield "in_points", in_points
        yield "as_prose", prose


def _without_regions(source: str, regions: Iterable[tuple[str, str]]) -> tuple[str, list[str]]:
    """Split a source into its visible text and its hidden lines.

    A region without an end marker extends to the end of the source.
    """
    seen: list[str] = []
    hidden: list[str] = []
    until = None
    for line in source.split("\n"):
        if until is None:
            until = next((end for begin, end in regions if begin in line), None)
            (seen if until is None else hidden).append(line)
        else:
            hidden.append(line)
            if until in line:
                until = None
    return "\n".join(seen), hidden


def _verdict_only(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Keep only a hidden test's result: what it prints and its tracebacks may reveal the test."""
    results = [output for output in outputs if output.output_type == "execute_result"]
    if not results and outputs:
        return [new_output("stream", text=_UNFINISHED)]
    return results


def _telling(hidden: Iterable[str], visible: Iterable[str]) -> set[str]:
    """Return the hidden lines worth looking for: long enough, and not visible anywhere else."""
    seen = {_squeezed(line) for source in visible for line in source.split("\n")}
    lines = {_squeezed(line) for line in hidden}
    return {line for line in lines - seen if len(line) >= _TELLING}


def _quotes(output: NotebookNode, telling: set[str]) -> bool:
    text = _squeezed("\n".join(_texts(output)))
    return any(line in text for line in telling)


def _texts(part: Any) -> Iterable[str]:
    """Yield every text in an output, whatever its type."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value)


def _squeezed(text: str) -> str:
    """Remove what may differ between a source and a quotation: colours, entities and spaces."""
    # The number of a character has at most seven digits, and `unescape` fails on one with 5,000.
    text = re.sub(r"&#0*(\d{0,7})\d*", r"&#\1", strip_ansi(text))
    return re.sub(r"\s", "", unescape(text))
