"""What a person gives an answer, and how it gets into nbgrader's gradebook."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    SolutionCell,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import Select, select, update

from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.question_box import in_points, points_text
from autograder.grading.trouble import disk_trouble_explained


class MarkedMeanwhile(UserError):
    """Somebody else has changed the mark since it was read; nothing was written."""


@dataclass(frozen=True)
class Mark:
    """Points and a comment; `points` is None as long as a person has given none."""

    points: float | None = None
    comment: str = ""

    @classmethod
    def read(cls, points: str, comment: str, most: float) -> Mark:
        """Return the mark that a person typed.

        Raises
        ------
        UserError
            If the points are not a number from 0 to `most`.
        """
        try:
            number = float(points.replace(",", ".")) if points.strip() else None
        except ValueError:
            number = math.nan
        if number is not None and not 0 <= number <= most:
            raise UserError(f"Points must be a number from 0 to {points_text(most)}.")
        return cls(number, comment.strip())


@dataclass(frozen=True)
class Standing:
    """What the gradebook has about an answer.

    Attributes
    ----------
    mark
        What a person gave.
    automatic
        The points that the grader gave, such as 0 for an answer that is as it was released; None if
        it gave none.
    waits
        Whether a person has to look at the answer.
    """

    mark: Mark
    automatic: float | None
    waits: bool


@dataclass(frozen=True)
class Change:
    """A new mark for a student's answer, in place of the one that was read before."""

    student: str
    before: Mark
    after: Mark


def standings(course: Course, assignment: str, question: str) -> dict[str, Standing]:
    """Return what the gradebook has about all answers to a question, by student."""
    with course.gradebook() as gradebook:
        comments = dict(gradebook.db.execute(_rows(Comment, assignment, question)).all())
        grades = gradebook.db.execute(_rows(Grade, assignment, question)).all()
        return {
            student: Standing(
                Mark(grade.manual_score, _text(comments.get(student))),
                grade.auto_score,
                bool(grade.needs_manual_grade),
            )
            for student, grade in grades
        }


@disk_trouble_explained()
def give(course: Course, assignment: str, question: str, changes: Iterable[Change]) -> None:
    """Write marks into the gradebook, as the formgrader does: all of them or none.

    Raises
    ------
    MarkedMeanwhile
        If a mark is no longer what it was before.
    autograder.grading.trouble.DiskTrouble
        If the gradebook is locked or damaged, or the disk full or read-only.
    """
    with course.gradebook() as gradebook:
        try:
            for change in changes:
                _give(gradebook, assignment, question, change)
        except BaseException:
            gradebook.db.rollback()
            raise
        gradebook.db.commit()


def _give(gradebook: Gradebook, assignment: str, question: str, change: Change) -> None:
    def row(table: type) -> Any:
        query = _rows(table, assignment, question)
        own = query.where(SubmittedAssignment.student_id == change.student)
        return gradebook.db.execute(own).one()[1]

    grade, comment = row(Grade), row(Comment)
    before, after = change.before, change.after
    points = update(Grade).where(
        Grade.id == grade.id, Grade.manual_score.is_not_distinct_from(before.points)
    )
    text = update(Comment).where(
        Comment.id == comment.id,
        Comment.manual_comment.is_not_distinct_from(before.comment or None),
    )
    # The condition and the new value are one statement, so that of two people who mark the same
    # answer at the same time, the second one is told.
    for statement in (
        points.values(
            manual_score=after.points,
            needs_manual_grade=Grade.auto_score.is_(None) if after.points is None else False,
        ),
        text.values(manual_comment=after.comment or None),
    ):
        alone = statement.execution_options(synchronize_session=False)
        if gradebook.db.execute(alone).rowcount != 1:
            raise MarkedMeanwhile(
                f"Somebody else has marked this answer meanwhile: {_words(grade, comment)}. Yours "
                "is not saved; press Enter to replace theirs."
            )


def _words(grade: Grade, comment: Comment) -> str:
    text = "no points" if grade.manual_score is None else in_points(grade.manual_score)
    return f"{text}, “{comment.manual_comment}”" if comment.manual_comment else text


def _rows(table: type, assignment: str, question: str) -> Select:
    """Return the query for the students and their grades or comments on a question."""
    cell = GradeCell if table is Grade else SolutionCell
    return (
        select(SubmittedAssignment.student_id, table)
        .join(SubmittedNotebook, SubmittedNotebook.id == table.notebook_id)  # type: ignore[attr-defined]
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(cell, cell.id == table.cell_id)  # type: ignore[attr-defined]
        .where(Assignment.name == assignment, cell.name == question)
    )


def _text(comment: Comment | None) -> str:
    return (comment.manual_comment or "") if comment is not None else ""
