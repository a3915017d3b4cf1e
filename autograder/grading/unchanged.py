"""Which submissions need not be graded again: those of which nothing has changed since they were.

A grade depends on the submission, on the assignment as the gradebook has it (its hidden tests above
all), on the settings and the secret of the course, and on the code, the references and the packages
that are installed. A digest of all this is kept for each graded submission, with one of what the
grader wrote: the graded notebook, the feedback page, and the student's rows in the gradebook, which
a person may have changed since.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path

import nbformat
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from traitlets.config import Config

from autograder.course import Course
from autograder.grading.digests import contents, kit_digest, stamps
from autograder.grading.record import Record
from autograder.grading.secret import course_secret
from helpers.files import replacing

PLACES = ("cache", "modules", "reuse", "scheduler", "template", "warm")
"""The traits of `GradeInSandbox` that say where and how it works, which changes no grade."""


@dataclass(frozen=True)
class _Kept:
    """The digests that are kept for a graded submission.

    Attributes
    ----------
    common
        Of what the grades of all submissions depend on.
    files
        Of the submission's files: names, sizes and times.
    content
        Of the submission's files: names and contents.
    written
        Of the names, sizes and times of the files that the grader wrote.
    gradebook
        Of the student's rows in the gradebook.
    """

    common: str
    files: str
    content: str
    written: str
    gradebook: str


class Unchanged:
    """Keeps what the grades of a class were computed from.

    Parameters
    ----------
    assignment
    course
    config
        The configuration of the run.
    """

    def __init__(self, assignment: str, course: Course, config: Config) -> None:
        self._assignment = assignment
        self._course = course
        self._config = config
        self._folder = course.folder / ".graded" / assignment

    def cache_folder(self) -> Path:
        """Return the folder in which results are kept as long as what they depend on stays.

        What was kept before something changed is removed.
        """
        folder = self._course.folder / ".cache" / self._assignment
        for place in folder.glob("*"):
            if place.name != self.common:
                shutil.rmtree(place, ignore_errors=True)
        return folder / self.common

    def among(self, students: Iterable[str]) -> list[str]:
        """Return those of the students whose submissions need not be graded again."""
        kept = {student: found for student in students if (found := self._read(student))}
        if not kept:
            return []
        rows = self._rows()
        return [
            student
            for student, found in kept.items()
            if found.common == self.common
            and found.gradebook == rows.get(student)
            and found.written == stamps(self._written(student))
            and self._same_files(student, found)
        ]

    def inputs(self, student: str) -> dict[str, str]:
        """Return the digests of a submission that is about to be graded."""
        folder = self._course.submission(student, self._assignment)
        return {"files": stamps([folder]), "content": contents(folder)}

    def keep(self, student: str, inputs: Mapping[str, str]) -> None:
        """Note that a submission is graded, given its digests from before.

        One with a question that waits for a person, because its hidden test reached no result, is
        graded again by the next run.
        """
        path = self._course.graded_notebook(student, self._assignment)
        record = Record.read(nbformat.read(path, as_version=nbformat.NO_CONVERT))
        if not all(question.judged for question in record.questions.values()):
            return
        kept = _Kept(
            common=self.common,
            written=stamps(self._written(student)),
            gradebook=self._rows(student)[student],
            files=inputs["files"],
            content=inputs["content"],
        )
        self._write(student, kept)

    @contextmanager
    def rewriting(self, student: str) -> Iterator[None]:
        """Do not take for a change what the block writes into a page and into the gradebook.

        What had been changed before the block still counts as changed.
        """
        kept = self._read(student)
        if kept is None:
            yield
            return
        same_pages = kept.written == stamps(self._written(student))
        same_rows = kept.gradebook == self._rows(student).get(student)
        yield
        if same_pages:
            kept = replace(kept, written=stamps(self._written(student)))
        if same_rows:
            kept = replace(kept, gradebook=self._rows(student)[student])
        self._write(student, kept)

    def _write(self, student: str, kept: _Kept) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with replacing(self._folder / student) as new:
            new.write_text(json.dumps(asdict(kept)))

    def _read(self, student: str) -> _Kept | None:
        try:
            return _Kept(**json.loads((self._folder / student).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _same_files(self, student: str, kept: _Kept) -> bool:
        folder = self._course.submission(student, self._assignment)
        return kept.files == stamps([folder]) or kept.content == contents(folder)

    def _written(self, student: str) -> list[Path]:
        page = self._course.feedback_page(student, self._assignment)
        return [self._course.graded_notebook(student, self._assignment), page]

    @cached_property
    def common(self) -> str:
        """A digest of what the grades of all submissions depend on."""
        grading = dict(self._config.GradeInSandbox)
        for name in PLACES:
            grading.pop(name, None)
        digest = hashlib.sha256(json.dumps([grading, platform.platform()]).encode())
        # A package can be found in several places, which depend on how the process was started.
        packages = {f"{found.name} {found.version}" for found in distributions()}
        digest.update("\n".join(sorted(packages)).encode())
        digest.update(course_secret(self._course.folder))
        course = self._course.folder
        files = [course / "course.toml", course / "nbgrader_config.py"]
        files.append(self._course.source_notebook(self._assignment))
        for file in filter(Path.is_file, files):
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        digest.update(kit_digest().encode())
        with self._course.gradebook() as gradebook:
            for row in self._released(gradebook):
                digest.update(repr(row).encode())
        return digest.hexdigest()

    def _released(self, gradebook: Gradebook) -> Iterator[tuple]:
        """Yield what the gradebook says about the assignment itself."""
        of_this = (Assignment.name == self._assignment, Notebook.assignment_id == Assignment.id)
        yield from gradebook.db.query(Assignment.duedate).filter(
            Assignment.name == self._assignment
        )
        cells = (SourceCell.name, SourceCell.cell_type, SourceCell.locked, SourceCell.source)
        yield from (
            gradebook.db.query(*cells)
            .filter(SourceCell.notebook_id == Notebook.id, *of_this)
            .order_by(SourceCell.name)
        )
        notebook = gradebook.find_notebook(self._assignment, self._assignment)
        yield from sorted((cell.name, cell.max_score) for cell in notebook.grade_cells)

    def _rows(self, student: str | None = None) -> dict[str, str]:
        """Return a digest of each student's rows in the gradebook."""
        rows: dict[str, list[str]] = {}
        with self._course.gradebook() as gradebook:
            for name, *row in self._grades(gradebook, student):
                rows.setdefault(name, []).append(repr(row))
        return {
            name: hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
            for name, found in rows.items()
        }

    def _grades(self, gradebook: Gradebook, student: str | None) -> Iterator[tuple]:
        submitted = [
            Assignment.name == self._assignment,
            SubmittedAssignment.assignment_id == Assignment.id,
            SubmittedAssignment.student_id == Student.id,
        ]
        if student is not None:
            submitted.append(Student.id == student)
        yield from gradebook.db.query(
            Student.id, SubmittedAssignment.timestamp, SubmittedAssignment.extension
        ).filter(*submitted)
        submitted.append(SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        yield from gradebook.db.query(
            Student.id, SubmittedNotebook.late_submission_penalty, SubmittedNotebook.flagged
        ).filter(*submitted)
        grades = (Grade.auto_score, Grade.manual_score, Grade.extra_credit)
        yield from gradebook.db.query(
            Student.id, BaseCell.name, *grades, Grade.needs_manual_grade
        ).filter(
            *submitted, Grade.notebook_id == SubmittedNotebook.id, Grade.cell_id == BaseCell.id
        )
        yield from gradebook.db.query(
            Student.id, BaseCell.name, Comment.auto_comment, Comment.manual_comment
        ).filter(
            *submitted, Comment.notebook_id == SubmittedNotebook.id, Comment.cell_id == BaseCell.id
        )
