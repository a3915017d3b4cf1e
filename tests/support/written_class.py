"""A graded class with written answers, and the server on which they are marked."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from graded_course import ASSIGNMENT, GradedCourse
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from small_course import marks

from autograder.marking.server import serve

QUESTION, REASON = "rates_written", "batch_reason"
QUESTIONS = {
    QUESTION: ("1 Which rate works best?", 6, True),
    REASON: ("2 A larger batch", 2, True),
}
SOURCE = (
    new_markdown_cell("# Rates"),
    new_markdown_cell("## 1 Which rate works best? (6 points, at most 20 words)\n\nExplain $0.1$."),
    new_markdown_cell(
        "### BEGIN SOLUTION\nThe *middle* one.\n\n**Marking.** 6 points: the middle.\n"
        "### END SOLUTION",
        metadata=marks(QUESTION, solution=True, points=6),
    ),
    new_markdown_cell("## 2 A larger batch (2 points)\n\nTrue or false?"),
    new_code_cell("verdict = None", metadata=marks("batch_solution", solution=True)),
    new_markdown_cell("**Your reason**:"),
    new_markdown_cell("Because.", metadata=marks(REASON, solution=True, points=2)),
)
STARTS = 60
"""Seconds; generous, because other tests may be running on the same cores."""


class WrittenClass(GradedCourse):
    """A class of which only the written answers matter."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, QUESTIONS)
        source = self.paths.source_notebook(ASSIGNMENT)
        nbformat.write(new_notebook(cells=list(SOURCE)), source)

    def hand_in(self, student: str, answer: str, *, automatic: float | None = None) -> None:
        """Grade a submission with an answer to `QUESTION`."""
        self.submit(student, {QUESTION: automatic, REASON: None})
        self.write(student, answer)

    def write(self, student: str, answer: str) -> None:
        """Write the graded notebook anew, as if another answer had been graded."""
        cells = [
            new_markdown_cell(answer, metadata=marks(QUESTION, solution=True, points=6)),
            new_code_cell("verdict = 3", metadata=marks("batch_solution", solution=True)),
            new_markdown_cell("My reason.", metadata=marks(REASON, solution=True, points=2)),
        ]
        nbformat.write(new_notebook(cells=cells), self.paths.graded_notebook(student, ASSIGNMENT))

    def grade(self, student: str, question: str = QUESTION) -> tuple:
        """Return the points of a person, whether the answer waits, and the comment."""
        names = (question, ASSIGNMENT, ASSIGNMENT, student)
        with self.paths.gradebook() as gradebook:
            grade, comment = gradebook.find_grade(*names), gradebook.find_comment(*names)
            return grade.manual_score, bool(grade.needs_manual_grade), comment.manual_comment


@contextmanager
def served(course: WrittenClass) -> Iterator[str]:
    """Serve the pages in a process of its own; yield the address of the overview."""
    fork = multiprocessing.get_context("fork")
    addresses = fork.Queue()
    arguments = (ASSIGNMENT, course.paths, 0, addresses.put)
    server = fork.Process(target=serve, args=arguments, daemon=True)
    server.start()
    try:
        yield addresses.get(timeout=STARTS)
    finally:
        os.kill(server.pid, signal.SIGINT)
        server.join(STARTS)
    assert server.exitcode == 0
