"""A graded course in a folder, made with nbgrader's own gradebook, for the tests of reports."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning

from autograder.course import Course
from autograder.grading.record import NamedMisconception, QuestionRecord, Record

ASSIGNMENT = "quantization"

# grade_id -> (heading, points, whether the answer is written and graded by hand)
QUESTIONS: dict[str, tuple[str, float, bool]] = {
    "affine_quantize": ("1.1 `quantize` and `dequantize` (8 points)", 8, False),
    "affine_dequantize": ("1.1 `quantize` and `dequantize` (8 points)", 3, False),
    "stochastic_comparison": ("2.1 Which rounding is better? (2 points)", 2, True),
    "bonus_nonzero": ("Bonus: zeros stay zero", 3, False),
}


class GradedCourse:
    """Writes ``gradebook.db``, the source notebook and graded notebooks."""

    def __init__(self, folder: Path, questions: Mapping[str, tuple[str, float, bool]] = QUESTIONS):
        self.folder = folder
        self.questions = dict(questions)
        self.notebooks = folder / "source"
        self.paths = Course(folder, self.notebooks)
        folder.mkdir(parents=True, exist_ok=True)
        self.paths.database.write_bytes(_empty_gradebook())
        self.gradebook = Gradebook(self.paths.database_url)
        self.gradebook.add_assignment(ASSIGNMENT)
        self.gradebook.add_notebook(ASSIGNMENT, ASSIGNMENT)
        # in the reverse order of the notebook, because the report must follow the notebook's order
        for name, (_, points, written) in reversed(self.questions.items()):
            kind = "markdown" if written else "code"
            self.gradebook.add_grade_cell(
                name, ASSIGNMENT, ASSIGNMENT, max_score=points, cell_type=kind
            )
            if written:
                self.gradebook.add_solution_cell(name, ASSIGNMENT, ASSIGNMENT)
        self._write_source()

    def enrol(self, student: str, *, first_name: str = "", last_name: str = "") -> None:
        self.gradebook.update_or_create_student(
            student, first_name=first_name or None, last_name=last_name or None
        )

    def submit(
        self,
        student: str,
        scores: Mapping[str, float | None],
        *,
        manual: Mapping[str, float] | None = None,
        seconds: float = 20.0,
        sandbox: str = "bubblewrap",
        flags: tuple[str, ...] = (),
        misconceptions: Mapping[str, tuple[str, str]] | None = None,
        late_penalty: float | None = None,
        record: bool = True,
        **name: str,
    ) -> None:
        """Grade a submission; a score of None waits for manual grading."""
        self.enrol(student, **name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # raised by nbgrader's own code
            submission = self.gradebook.add_submission(
                ASSIGNMENT, student, timestamp=datetime(2025, 11, 20, 17, 30)
            )
        for grade in submission.notebooks[0].grades:
            grade.auto_score = scores.get(grade.name, 0.0)
            grade.manual_score = (manual or {}).get(grade.name)
            grade.needs_manual_grade = grade.auto_score is None and grade.manual_score is None
        submission.notebooks[0].late_submission_penalty = late_penalty
        self.gradebook.db.commit()
        notebook = new_notebook(cells=[])
        if record:
            got = {
                question: QuestionRecord(
                    score=scores.get(question, 0.0),
                    points=points,
                    misconceptions=[
                        NamedMisconception(*found)
                        for name, found in (misconceptions or {}).items()
                        if name == question
                    ],
                )
                for question, (_, points, written) in self.questions.items()
                if not written
            }
            Record(seconds, sandbox, list(flags), got).write(notebook)
        file = self.paths.graded_notebook(student, ASSIGNMENT)
        file.parent.mkdir(parents=True)
        nbformat.write(notebook, file)

    def _write_source(self) -> None:
        cells = [new_markdown_cell("# Quantization: fewer bits, the same answers\n\nText.")]
        heading = ""
        for name, (title, points, written) in self.questions.items():
            if title != heading:
                cells.append(new_markdown_cell(f"## {title}\n\nText."))
                heading = title
            new_cell = new_markdown_cell if written else new_code_cell
            nbgrader = {"grade_id": name, "grade": True, "points": points}
            cells.append(new_cell("", metadata={"nbgrader": nbgrader}))
        file = self.paths.source_notebook(ASSIGNMENT)
        file.parent.mkdir(parents=True)
        nbformat.write(new_notebook(cells=cells), file)


@functools.cache
def _empty_gradebook() -> bytes:
    """Make an empty gradebook; nbgrader calls the `alembic` command for this, which is slow."""
    tools = str(Path(sys.executable).parent)
    if tools not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gradebook.db"
        Gradebook(f"sqlite:///{file}").close()
        return file.read_bytes()
