"""What a person gave an attempt stays with that attempt when another one takes its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry, SubmittedNotebook

from autograder.course import Course
from autograder.grading.record import NoRecord, Record
from helpers.files import replacing

FILE = "by-hand.json"

ByHand = dict[str, dict[str, Any]]
"""By ``grade_id``: the points and the comment of a person, and the answer that they belong to."""


def keep_by_hand(course: Course, assignment: str, student: str, home: Path) -> None:
    """Write what a person gave the attempt in the gradebook into the folder of that attempt."""
    answers = _answers(course, assignment, student)
    kept: ByHand = {}
    with course.gradebook() as gradebook:
        if notebook := _submitted(gradebook, assignment, student):
            for grade in notebook.grades:
                if grade.manual_score is not None or grade.extra_credit is not None:
                    kept[grade.name] = {
                        "points": grade.manual_score,
                        "extra": grade.extra_credit,
                        "automatic": grade.auto_score,
                        "waits": bool(grade.needs_manual_grade),
                    }
            for comment in notebook.comments:
                if comment.manual_comment is not None:
                    kept.setdefault(comment.name, {})["comment"] = comment.manual_comment
    for name, given in kept.items():
        given["answer"] = answers.get(name)
    with replacing(home / FILE) as path:
        path.write_text(json.dumps(kept), encoding="utf-8")


def give_by_hand(
    course: Course, assignment: str, student: str, home: Path, before: Path | None
) -> None:
    """Enter what a person gave an attempt into the gradebook, in which that attempt now is.

    Parameters
    ----------
    course, assignment, student
    home
        The folder of the attempt.
    before
        The folder of the attempt that counted before. An answer that is the same in both keeps what
        a person gave it there; of any other answer, nothing is kept.
    """
    answers = _answers(course, assignment, student)
    given = {
        name: there
        for name, there in (_read(before) if before else {}).items()
        if there["answer"] is not None and there["answer"] == answers.get(name)
    } | _read(home)
    with course.gradebook() as gradebook:
        notebook = _submitted(gradebook, assignment, student)
        assert notebook is not None  # it has just been graded
        for grade in notebook.grades:
            own = given.get(grade.name, {})
            grade.manual_score, grade.extra_credit = own.get("points"), own.get("extra")
            if grade.manual_score is None:
                grade.needs_manual_grade = grade.auto_score is None
            else:
                changed = own["automatic"] != grade.auto_score
                grade.needs_manual_grade = own["waits"] or changed
        for comment in notebook.comments:
            comment.manual_comment = given.get(comment.name, {}).get("comment")
        gradebook.db.commit()


def _answers(course: Course, assignment: str, student: str) -> dict[str, str]:
    graded = course.graded_notebook(student, assignment)
    try:
        return Record.read(nbformat.read(graded, as_version=nbformat.NO_CONVERT)).answers
    except (OSError, NoRecord, ValueError):
        return {}


def _submitted(gradebook: Gradebook, assignment: str, student: str) -> SubmittedNotebook | None:
    try:
        return gradebook.find_submission_notebook(assignment, assignment, student)
    except MissingEntry:
        return None


def _read(home: Path) -> ByHand:
    try:
        return json.loads((home / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
