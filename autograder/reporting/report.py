"""Write what the instructor reads after grading: a report on the class, and a table of grades."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import StatisticsError, correlation, fmean, median
from urllib.parse import quote

from markupsafe import Markup

from autograder.course import Course
from autograder.grading.intake.names import no_formula
from autograder.grading.question_box import in_points, points_text, prose
from autograder.grading.trouble import disk_trouble_explained
from autograder.page_templates import page_templates
from autograder.reporting.copied_code import LONGEST_CODE
from autograder.reporting.copies import LookAlikes, look_alikes
from autograder.reporting.documents import HandedInDocument, documents_of
from autograder.reporting.histogram import Histogram, score_edges, time_edges
from autograder.reporting.results import ClassResults, GradedSubmission, Question, read_class
from helpers.files import replacing

__all__ = ["class_report", "grades_csv"]

_TEMPLATES = Path(__file__).parent / "templates"
FEWEST = 10
"""The fewest answers of which a correlation is shown; its standard error is a third then."""
# in the order of the bars, from left to right
_STATES = {
    "full": "with full points",
    "partial": "with part of the points",
    "none": "without points",
    "waiting": "waiting for manual grading",
}


@disk_trouble_explained()
def class_report(assignment: str, course: Course) -> Path:
    """Write the class report, a single self-contained HTML page.

    Returns
    -------
    Path
        ``<course>/report/<assignment>.html``; an older page there is replaced.

    Raises
    ------
    autograder.course.NoGradebook
        If there is no gradebook.
    NothingGraded
        If the assignment is not in it.
    """
    results = read_class(assignment, course)
    students = [submission.student for submission in results.submissions]
    alike = look_alikes(assignment, course, students)
    documents = {student: documents_of(course, assignment, student) for student in students}
    page = _render(results, alike, _pages(results, course), documents, made=datetime.now())
    return _write(page, course.class_report(assignment))


def _pages(results: ClassResults, course: Course) -> dict[str, str]:
    """Return the address of each student's feedback page, seen from the report."""
    report = course.class_report(results.assignment).parent
    pages = {
        s.student: course.feedback_page(s.student, results.assignment) for s in results.submissions
    }
    return {
        student: quote(os.path.relpath(page, report))
        for student, page in pages.items()
        if page.is_file()
    }


@disk_trouble_explained()
def grades_csv(assignment: str, course: Course) -> Path:
    """Write the grades, one row per student of the gradebook.

    The columns are the student, the time of the submission (empty without one), one column of
    points per question, ``late_penalty``, ``total`` (bonus included, penalty taken off), ``bonus``,
    ``maximum`` (without bonus) and ``needs_manual_grading`` (yes or no). Text that a spreadsheet
    would take for a formula gets an apostrophe in front.

    Returns
    -------
    Path
        ``<course>/report/<assignment>.csv`` in UTF-8; an older file there is replaced.

    Raises
    ------
    autograder.course.NoGradebook
        If there is no gradebook.
    NothingGraded
        If the assignment is not in it.
    """
    results = read_class(assignment, course)
    everyone = sorted([*results.submissions, *results.missing], key=lambda s: s.student)
    rows = [_grades(submission, results) for submission in everyone]
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=_columns(results), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return _write(table.getvalue(), course.grades_file(assignment))


def _columns(results: ClassResults) -> list[str]:
    questions = [question.name for question in results.questions]
    totals = ["late_penalty", "total", "bonus", "maximum", "needs_manual_grading"]
    return ["student", "name", "submitted", *questions, *totals]


def _grades(submission: GradedSubmission, results: ClassResults) -> dict[str, str]:
    points = {name: points_text(result.score) for name, result in submission.results.items()}
    return points | {
        "student": no_formula(submission.student),
        "name": no_formula(submission.name),
        "submitted": submission.submitted.isoformat(" ") if submission.submitted else "",
        "late_penalty": points_text(submission.late_penalty),
        "total": points_text(submission.score),
        "bonus": points_text(submission.bonus),
        "maximum": points_text(results.maximum),
        "needs_manual_grading": "yes" if submission.waiting else "no",
    }


def _render(
    results: ClassResults,
    alike: LookAlikes,
    pages: Mapping[str, str],
    documents: Mapping[str, Sequence[HandedInDocument]],
    made: datetime,
) -> str:
    environment = page_templates(_TEMPLATES)
    environment.filters["states"] = _states
    environment.filters["in_points"] = in_points
    environment.filters["prose"] = lambda text: Markup(prose(text))
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    seconds = [s.seconds for s in results.submissions if s.seconds is not None]
    totals = [submission.score for submission in results.submissions]
    possible = max([results.maximum + results.bonus, *totals])  # extra credit may go beyond
    return environment.get_template("report.html.j2").render(
        results=results,
        pages=pages,
        made=f"{made.day} {made:%B %Y, %H:%M}",
        scores=Histogram.of(totals, score_edges(results.maximum, possible)),
        times=Histogram.of(seconds, time_edges(seconds)) if seconds else None,
        median_seconds=round(median(seconds), 1) if seconds else None,
        untimed=len(totals) - len(seconds),
        answers_waiting=sum(len(submission.waiting) for submission in results.submissions),
        look=[(s, reasons) for s in results.submissions if (reasons := _reasons(s))],
        several=[s for s in results.submissions if s.attempts],
        documents=[(s, found) for s in results.submissions if (found := documents[s.student])],
        alike=alike,
        longest_code=LONGEST_CODE,
        questions=[_tally(question, results.submissions) for question in results.questions],
        misconceptions=results.misconceptions(),
        state_words=_STATES,
        style=(_TEMPLATES / "report.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=f"sha256-{digest}",
    )


@dataclass(frozen=True)
class _Tally:
    """How a class did in one question.

    Attributes
    ----------
    question
    states
        How many submissions are in each state.
    mean
        The mean of the points of graded answers; None if there are none.
    discrimination
        The correlation between the points in this question and those in all others; None if it
        means nothing: for fewer than `FEWEST` graded answers, or if all have the same points.
    """

    question: Question
    states: dict[str, int]
    mean: float | None
    discrimination: float | None


def _tally(question: Question, submissions: Sequence[GradedSubmission]) -> _Tally:
    answers = [submission.results[question.name] for submission in submissions]
    states = {state: sum(answer.state == state for answer in answers) for state in _STATES}
    graded = [s for s in submissions if not s.results[question.name].waiting]
    points = [s.results[question.name].score for s in graded]
    return _Tally(
        question, states, fmean(points) if points else None, _discrimination(question, graded)
    )


def _discrimination(question: Question, graded: Sequence[GradedSubmission]) -> float | None:
    if len(graded) < FEWEST:
        return None
    points = [s.results[question.name].score for s in graded]
    others = [
        sum(result.score for name, result in s.results.items() if name != question.name)
        for s in graded
    ]
    try:
        return correlation(points, others)
    except StatisticsError:  # all have the same
        return None


def _states(submission: GradedSubmission) -> str:
    """Say how many questions of a submission are in each state: ``12 with full points, ...``."""
    counted: Counter[str] = Counter(result.state for result in submission.results.values())
    return ", ".join(
        f"{counted[state]} {words}" for state, words in _STATES.items() if counted[state]
    )


def _reasons(submission: GradedSubmission) -> list[str]:
    reasons = list(submission.flags)
    if submission.sandboxed is False:
        reasons.append("graded without a sandbox: its code was not contained")
    return reasons


def _write(text: str, file: Path) -> Path:
    with replacing(file) as new:
        new.write_text(text, encoding="utf-8")
    return file
