"""Grade the attempts of a student, and let the one with the most points count.

An attempt that competes with others is graded in a copy of the gradebook first. The gradebook
itself only ever sees the attempt that counts, and takes over what the sandbox gave for it, so that
every attempt is run once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor
from traitlets import Unicode
from traitlets.config import Config

from autograder.course import Course
from autograder.grading.apart import config_apart, folder_apart
from autograder.grading.attempt_choice import Choice, JudgedAttempt, attempts_of, best_of
from autograder.grading.by_hand import give_by_hand, keep_by_hand
from autograder.grading.converting import convert
from autograder.grading.intake.kept_attempts import Attempt, KeptAttempts
from autograder.grading.late import assign_penalty
from autograder.grading.nbgrader_steps import GradeInSandbox
from autograder.grading.record import Record
from helpers.files import replacing

POINTS = "points.json"
"""The file beside an attempt with its automatic points and a digest of the release."""

APART = ".attempts"
"""The folder in the course folder in which attempts are graded apart from the gradebook. Like the
course folder, it is out of the reach of student code."""


class TakeGraded(NbGraderPreprocessor):
    """Replaces `GradeInSandbox` for an attempt that was graded apart from the gradebook."""

    notebook = Unicode(help="The notebook as it was graded there.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the graded notebook; which answers have grades already is said in `nb`."""
        graded = nbformat.read(self.notebook, as_version=4)
        record = Record.read(graded)
        record.answers = Record.read(nb).answers
        record.write(graded)
        return graded, resources


def attempts_at_most(course: Course, assignment: str, students: Sequence[str]) -> int:
    """Return the largest number of attempts of one student."""
    return max((len(attempts_of(course, assignment, name).all()) for name in students), default=1)


def grade_best(
    assignment: str, student: str, course: Course, config: Config, *, again: bool = False
) -> None:
    """Grade the attempts that are new, and the best of all into the gradebook.

    Parameters
    ----------
    assignment, student, course
    config
        nbgrader's configuration of the course.
    again
        Whether to grade the attempt that counts once more, if it is graded already.

    Raises
    ------
    autograder.grading.converting.ConverterError
        If an attempt cannot be graded. What counted before still counts then.
    """
    kept = attempts_of(course, assignment, student)
    work = _Work(assignment, student, course, config, kept)
    with kept.graded_alone(), work.folder_apart() as folder:
        kept.keep_submission()
        work.note_what_counted()
        attempts = kept.all()
        graded = {}
        if len(attempts) > 1:
            for attempt in attempts:
                if work.points(attempt) is None:
                    graded[attempt.key] = work.grade_apart(attempt, folder)
        # When an attempt is graded again, its points may change, so that another becomes the best.
        tried: set[str] = set()
        while (best := work.best(attempts)).key not in tried:
            if not again and not work.must_grade(best):
                break
            work.grade(best, graded.get(best.key))
            tried.add(best.key)
            again = False
        work.write_choice(attempts)


class _Work:
    """What is done with the attempts of one student."""

    def __init__(
        self, assignment: str, student: str, course: Course, config: Config, kept: KeptAttempts
    ) -> None:
        self.assignment = assignment
        self.student = student
        self.course = course
        self.config = config
        self.kept = kept
        self.release = _release_digest(course, assignment)

    def folder_apart(self) -> AbstractContextManager[Path]:
        """Make a folder for grading the attempts of this student apart."""
        name = hashlib.sha256(f"{self.assignment}/{self.student}".encode()).hexdigest()[:16]
        return folder_apart(self.course.folder / APART / name)

    def note_what_counted(self) -> None:
        """Note what the gradebook holds if it was graded while the latest attempt counted."""
        graded = self.course.graded_notebook(self.student, self.assignment)
        standing = self.kept.counting()
        if standing and graded.is_file() and Choice.read(self.kept.folder) is None:
            Choice("", standing.key, ()).write(self.kept.folder)

    def points(self, attempt: Attempt) -> float | None:
        """Return the automatic points of an attempt; None if it must be graded for them."""
        try:
            found = json.loads((attempt.home / POINTS).read_text())
        except FileNotFoundError:
            return None
        return found["points"] if found["release"] == self.release else None

    def best(self, attempts: list[Attempt]) -> Attempt:
        """Return the attempt that should count; an attempt without competitors needs no points."""
        if len(attempts) == 1:
            return attempts[0]
        key = best_of(self._judged(attempts)).key
        return next(attempt for attempt in attempts if attempt.key == key)

    def must_grade(self, best: Attempt) -> bool:
        """Whether the gradebook does not hold this attempt, as it is graded by this release."""
        choice, standing = Choice.read(self.kept.folder), self.kept.counting()
        held = choice is not None and (choice.counts, choice.release) == (best.key, self.release)
        return not held or standing is None or standing.key != best.key

    def grade_apart(self, attempt: Attempt, folder: Path) -> Path:
        """Grade an attempt in a copy of the gradebook; return the graded notebook."""
        place = folder / attempt.key
        attempt.copy_to(place / "submitted")
        config = config_apart(self.course, self.config, place)
        submitted = place.relative_to(self.course.folder) / "submitted"
        config.CourseDirectory.submitted_directory = str(submitted)
        convert(Autograde, self.assignment, self.student, config)
        with Gradebook(config.CourseDirectory.db_url) as gradebook:
            self._keep_points(attempt, gradebook)
        return place / "autograded" / self.student / self.assignment / f"{self.assignment}.ipynb"

    def grade(self, best: Attempt, graded: Path | None) -> None:
        """Make an attempt the one that counts, and grade it into the gradebook.

        Parameters
        ----------
        best
            The attempt.
        graded
            The notebook as it was graded apart; None if it is graded now.
        """
        choice, standing = Choice.read(self.kept.folder), self.kept.counting()
        before = self.kept.folder / choice.counts if choice else None
        changes = before is not None and before != best.home
        if changes and standing is not None and standing.home == before:
            keep_by_hand(self.course, self.assignment, self.student, before)
        if standing is None or standing.key != best.key:
            self.kept.place(best)
        if changes and best.handed_in is None:
            self._forget_time()
        config = deepcopy(self.config)
        if graded is not None:
            config.TakeGraded.notebook = str(graded)
            config.Autograde.autograde_preprocessors = [
                TakeGraded if step is GradeInSandbox else step
                for step in config.Autograde.autograde_preprocessors
            ]
        convert(Autograde, self.assignment, self.student, config)
        if changes:
            give_by_hand(self.course, self.assignment, self.student, best.home, before)
            assign_penalty(self.assignment, self.student, self.config)
        with self.course.gradebook() as gradebook:
            self._keep_points(best, gradebook)
        Choice(self.release, best.key, ()).write(self.kept.folder)

    def write_choice(self, attempts: list[Attempt]) -> None:
        """Write which attempt counts, and the points of all of them."""
        choice = Choice.read(self.kept.folder)
        assert choice is not None  # at least one attempt has been graded
        judged = tuple(self._judged(attempts))
        Choice(self.release, choice.counts, judged).write(self.kept.folder)

    def _keep_points(self, attempt: Attempt, gradebook: Gradebook) -> None:
        notebook = gradebook.find_submission_notebook(
            self.assignment, self.assignment, self.student
        )
        points = sum(grade.auto_score or 0.0 for grade in notebook.grades)
        with replacing(attempt.home / POINTS) as path:
            path.write_text(json.dumps({"points": points, "release": self.release}))

    def _judged(self, attempts: list[Attempt]) -> list[JudgedAttempt]:
        """Return the attempts with their points and what is taken off for being late."""
        late = AssignLatePenalties(config=self.config)
        late.init_plugin()
        due, judged = self._due(), []
        for attempt in attempts:
            points, time = self.points(attempt) or 0.0, attempt.handed_in
            seconds = max(0.0, (time - due).total_seconds()) if time and due else 0.0
            penalty = 0.0
            if seconds > 0:
                penalty = late.plugin_inst.late_submission_penalty(self.student, points, seconds)
            penalty = min(max(penalty or 0.0, 0.0), points)
            judged.append(
                JudgedAttempt(attempt.key, time.isoformat() if time else "", points, penalty)
            )
        return judged

    def _due(self) -> datetime | None:
        """Return when the student's attempts are due, with an extension; None if at any time."""
        with self.course.gradebook() as gradebook:
            try:
                due = gradebook.find_submission(self.assignment, self.student).duedate
            except MissingEntry:
                due = gradebook.find_assignment(self.assignment).duedate
        return due.replace(tzinfo=UTC) if due else None

    def _forget_time(self) -> None:
        """Remove the time of the attempt that counted before, which nbgrader would keep."""
        with self.course.gradebook() as gradebook:
            try:
                gradebook.find_submission(self.assignment, self.student).timestamp = None
            except MissingEntry:
                return
            gradebook.db.commit()


def _release_digest(course: Course, assignment: str) -> str:
    """Return a digest of the cells and points in the gradebook by which attempts are graded."""
    with course.gradebook() as gradebook:
        notebook = gradebook.find_notebook(assignment, assignment)
        cells = sorted((cell.name, cell.cell_type, cell.source) for cell in notebook.source_cells)
        points = sorted((cell.name, cell.max_score) for cell in notebook.grade_cells)
    return hashlib.sha256(json.dumps([cells, points]).encode()).hexdigest()
