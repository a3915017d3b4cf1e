"""Read the results of a class: scores from the gradebook, the rest from the graded notebooks.

Scores come only from nbgrader's gradebook, so that what an instructor enters in the formgrader
counts at once. Times, flags and misconceptions come from the record that the grader leaves in the
metadata of each graded notebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal

import nbformat
from nbformat.v4 import new_notebook
from nbgrader.api import Grade, MissingEntry, SubmittedNotebook

from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.attempt_choice import attempt_lines
from autograder.grading.record import NoRecord, Record
from autograder.grading.unfinished import unfinished
from autograder.notebook.questions import headings, is_bonus, title, words

__all__ = [
    "ClassResults",
    "FoundMisconception",
    "GradedSubmission",
    "NothingGraded",
    "Question",
    "Result",
    "read_class",
]

State = Literal["full", "partial", "none", "waiting"]


class NothingGraded(UserError):
    """There is nothing to report on yet; the message says what to do first."""


@dataclass(frozen=True)
class Question:
    """One graded question of the assignment; ``name`` is its nbgrader ``grade_id``."""

    name: str
    title: str
    points: float
    written: bool

    @property
    def bonus(self) -> bool:
        """Whether its points come on top of the assignment's maximum."""
        return is_bonus(self.name)


@dataclass(frozen=True)
class Result:
    """The result of one submission in one question."""

    score: float
    points: float
    waiting: bool

    @property
    def state(self) -> State:
        """Full, partial or no credit; ``waiting`` until a person has graded it."""
        if self.waiting:
            return "waiting"
        if self.score >= self.points:
            return "full"
        return "partial" if self.score > 0 else "none"


@dataclass(frozen=True, order=True)
class FoundMisconception:
    """A known wrong solution that gave the same answers as a student's."""

    question: str
    name: str
    explanation: str

    @property
    def title(self) -> str:
        """The function's name as words."""
        return words(self.name)


@dataclass(frozen=True)
class GradedSubmission:
    """One student's submission, graded."""

    student: str
    name: str
    results: Mapping[str, Result]
    submitted: datetime | None = None
    late_penalty: float = 0.0
    seconds: float | None = None
    sandboxed: bool | None = None
    flags: tuple[str, ...] = ()
    misconceptions: tuple[FoundMisconception, ...] = ()
    attempts: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """Points earned so far, with the bonus and minus the late penalty; never below zero."""
        return max(0.0, sum(r.score for r in self.results.values()) - self.late_penalty)

    @property
    def bonus(self) -> float:
        """The points earned in bonus questions."""
        return sum(result.score for name, result in self.results.items() if is_bonus(name))

    @property
    def waiting(self) -> tuple[str, ...]:
        """The questions that wait for manual grading."""
        return tuple(name for name, result in self.results.items() if result.waiting)


@dataclass(frozen=True)
class ClassResults:
    """All submissions of one assignment, sorted by name, and the students who did not submit."""

    assignment: str
    title: str
    questions: tuple[Question, ...]
    submissions: tuple[GradedSubmission, ...]
    missing: tuple[GradedSubmission, ...] = field(default=())

    @property
    def maximum(self) -> float:
        """Points of all questions except the bonus questions."""
        return sum(q.points for q in self.questions if not q.bonus)

    @property
    def bonus(self) -> float:
        """Points of the bonus questions."""
        return sum(q.points for q in self.questions if q.bonus)

    @property
    def median(self) -> float:
        """Median score; there must be a submission."""
        return median(submission.score for submission in self.submissions)

    @property
    def best(self) -> float:
        """Highest score; there must be a submission."""
        return max(submission.score for submission in self.submissions)

    @property
    def waiting(self) -> tuple[GradedSubmission, ...]:
        """Submissions with a question that waits for manual grading."""
        return tuple(s for s in self.submissions if s.waiting)

    def misconceptions(self) -> list[tuple[FoundMisconception, list[GradedSubmission]]]:
        """Each misconception with the submissions that hold it, the commonest first."""
        held: dict[FoundMisconception, list[GradedSubmission]] = {}
        for submission in self.submissions:
            for misconception in dict.fromkeys(submission.misconceptions):
                held.setdefault(misconception, []).append(submission)
        return sorted(held.items(), key=lambda item: (-len(item[1]), item[0]))


def read_class(assignment: str, course: Course) -> ClassResults:
    """Read the results of an assignment.

    Returns
    -------
    ClassResults
        Everything that the class report and the grades file show. The source notebook gives the
        questions their order and headings.

    Raises
    ------
    autograder.course.NoGradebook
        If there is no gradebook.
    NothingGraded
        If the assignment is not in it.
    """
    source = course.source_notebook(assignment)
    # headings are not taken from a submission, because the student may have changed them
    known = nbformat.read(source, as_version=4) if source.is_file() else new_notebook()
    under = headings(known)
    with course.gradebook() as gradebook:
        try:
            notebook = gradebook.find_notebook(assignment, assignment)
        except MissingEntry:
            raise NothingGraded(
                f"The gradebook in {course.folder} does not know the assignment {assignment!r}: "
                f"grade its submissions first, with `autograder grade {assignment}`."
            ) from None
        cells = [*notebook.grade_cells, *notebook.task_cells]
        order = {name: place for place, name in enumerate(under)}
        questions = tuple(
            Question(
                name=cell.name,
                title=under.get(cell.name) or words(cell.name),
                points=cell.max_score,
                written=cell.cell_type == "markdown",
            )
            for cell in sorted(cells, key=lambda cell: order.get(cell.name, len(order)))
        )
        submitted = {
            submission.assignment.student_id: submission
            for submission in gradebook.notebook_submissions(assignment, assignment)
        }
        submissions, missing = [], []
        left = unfinished(assignment, course)
        students = {
            student.id: ", ".join(part for part in (student.last_name, student.first_name) if part)
            for student in gradebook.students
        }
        students = dict.fromkeys(left, "") | students
        for student, name in sorted(students.items(), key=_by_name):
            if submission := submitted.get(student):
                file = course.graded_notebook(student, assignment)
                graded = _submission(student, name, submission, questions, file)
                flags = (left[student],) if student in left else ()
                attempts = tuple(attempt_lines(course, assignment, student))
                submissions.append(replace(graded, flags=flags + graded.flags, attempts=attempts))
            elif student in left:
                results = {q.name: Result(0.0, q.points, waiting=True) for q in questions}
                submissions.append(GradedSubmission(student, name, results, flags=(left[student],)))
            else:
                missing.append(GradedSubmission(student, name, results={}))
    return ClassResults(
        assignment, title(known) or words(assignment), questions, tuple(submissions), tuple(missing)
    )


def _by_name(student: tuple[str, str]) -> tuple[str, str]:
    identifier, name = student
    return (name or identifier).casefold(), identifier


def _submission(
    student: str,
    name: str,
    notebook: SubmittedNotebook,
    questions: tuple[Question, ...],
    file: Path,
) -> GradedSubmission:
    grades = {grade.name: grade for grade in notebook.grades}
    results = {
        question.name: Result(
            score=grades[question.name].score,
            points=question.points,
            waiting=_waits(grades[question.name]),
        )
        if question.name in grades
        else Result(score=0.0, points=question.points, waiting=False)
        for question in questions
    }
    return GradedSubmission(
        student=student,
        name=name,
        results=results,
        submitted=notebook.assignment.timestamp,
        late_penalty=notebook.late_submission_penalty or 0.0,
        **_record(file),
    )


def _waits(grade: Grade) -> bool:
    """Return whether a question has no score yet, neither from the grader nor from a person."""
    ungraded = grade.auto_score is None and grade.manual_score is None
    return ungraded or bool(grade.needs_manual_grade)


def _record(file: Path) -> dict[str, Any]:
    """Return what the grader wrote into a graded notebook, as keywords of a `GradedSubmission`."""
    try:
        record = Record.read(nbformat.read(file, as_version=nbformat.NO_CONVERT))
    except FileNotFoundError:
        return {"flags": ("there is no graded notebook: grade it again",)}
    except (nbformat.reader.NotJSONError, NoRecord, AttributeError, KeyError, ValueError):
        return {"flags": ("the graded notebook holds no record of our grader: grade it again",)}
    return {
        "seconds": record.seconds,
        "sandboxed": record.sandbox != "none",
        "flags": tuple(record.flags),
        "misconceptions": tuple(
            FoundMisconception(question, named.name, named.explanation)
            for question, got in record.questions.items()
            for named in got.misconceptions
        ),
    }
