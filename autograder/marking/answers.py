"""All answers to a written question, in an order and under keys that tell nobody's name."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode, reader
from nbgrader.utils import is_solution

from autograder.course import Course
from autograder.grading.answers import answer_digests
from autograder.grading.secret import course_secret
from autograder.marking.marks import Standing, standings
from autograder.marking.questions import WrittenQuestion
from autograder.notebook.source import nbgrader_marks
from helpers.checks.written import EMPTY


@dataclass(frozen=True)
class Written:
    """What a student wrote in one cell.

    Attributes
    ----------
    text
        The source of the cell.
    digest
        A digest of the answer, with the cells that belong to it.
    attachments
        The images that were pasted into the cell, as Jupyter keeps them.
    """

    text: str
    digest: str = ""
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A student's answer to a written question.

    Attributes
    ----------
    key
        Stands for the student on the page. It differs from question to question.
    student
        Whose answer it is; no page shows it.
    written
        The answer itself.
    beside
        What the student wrote in the other cells under the same heading.
    standing
        What the gradebook has about it.
    """

    key: str
    student: str
    written: Written
    beside: tuple[str, ...]
    standing: Standing

    @property
    def words(self) -> int:
        """The number of words, counted as the public check counts them."""
        return 0 if self.empty else len(self.written.text.split())

    @property
    def empty(self) -> bool:
        """Whether there is no answer."""
        return not self.written.text.strip() or EMPTY in self.written.text


@dataclass(frozen=True)
class Answers:
    """The answers to one question, in an order that has nothing to do with names.

    Attributes
    ----------
    found
        The answers.
    missing
        How many submissions have no graded notebook at the moment, because they are being graded
        again, say.
    """

    found: tuple[Answer, ...]
    missing: int = 0

    @property
    def marked(self) -> int:
        """How many need no person any more."""
        return sum(not answer.standing.waits for answer in self.found)


class AnswerReader:
    """Reads answers from graded notebooks, each notebook once for as long as it does not change.

    Parameters
    ----------
    assignment
    course
    """

    def __init__(self, assignment: str, course: Course) -> None:
        self._assignment = assignment
        self._course = course
        self._secret = course_secret(course.folder)
        self._read: dict[Path, tuple[tuple[int, int], dict[str, Written]]] = {}

    def answers(self, question: WrittenQuestion) -> Answers:
        """Return the answers to a question as they are now."""
        found, missing = [], 0
        for student, standing in standings(self._course, self._assignment, question.name).items():
            cells = self._cells(self._course.graded_notebook(student, self._assignment))
            if question.name not in cells:
                missing += 1
                continue
            beside = tuple(cells[name].text for name in question.beside if name in cells)
            key = self._key(question.name, student)
            found.append(Answer(key, student, cells[question.name], beside, standing))
        return Answers(tuple(sorted(found, key=lambda answer: answer.key)), missing)

    def _key(self, question: str, student: str) -> str:
        names = "\n".join((self._assignment, question, student))
        return hmac.new(self._secret, names.encode(), hashlib.sha256).hexdigest()[:16]

    def _cells(self, notebook: Path) -> dict[str, Written]:
        """Return what the student wrote, by the names of the cells; nothing without a notebook."""
        try:
            status = notebook.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if self._read.get(notebook, ((), {}))[0] != stamp:
                # The grader itself has written the notebook, so it need not be validated again.
                found = _written(reader.reads(notebook.read_text(encoding="utf-8")))
                self._read[notebook] = stamp, found
        except (OSError, ValueError):  # none, or half of one
            return {}
        return self._read[notebook][1]


def _written(nb: NotebookNode) -> dict[str, Written]:
    digests = answer_digests(nb)
    found = {}
    for cell in nb.cells:
        if is_solution(cell):
            name = nbgrader_marks(cell)["grade_id"]
            found[name] = Written(cell.source, digests.get(name, ""), cell.get("attachments", {}))
    return found
