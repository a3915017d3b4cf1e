"""What Gradescope is told about a graded submission: the content of ``results.json``."""

from __future__ import annotations

from collections import Counter
from typing import Any

from autograder.grading.question_box import in_points, points_text
from autograder.grading.record import Record
from autograder.reporting.results import ClassResults, GradedSubmission, Question

VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
"""When Gradescope may show students what it was told, in its own words."""


def results_of(results: ClassResults, record: Record, visibility: str) -> dict[str, Any]:
    """Return the results of the only submission of a class in Gradescope's form.

    A question that waits for a person is listed without points: Gradescope counts the points of its
    manually graded questions itself.

    Parameters
    ----------
    results
        The results.
    record
        What the grader noted about the submission. Of this, students are told what their feedback
        page tells them, and nothing else.
    visibility
        One of `VISIBILITIES`.
    """
    [submission] = results.submissions
    names = _names(results)
    return {
        "score": submission.score,
        "output": _summary(results, submission),
        "output_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "tests": [
            _test(question, names[question.name], submission, record, visibility)
            for question in results.questions
        ],
    }


def _test(
    question: Question, name: str, submission: GradedSubmission, record: Record, visibility: str
) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "visibility": visibility, "output_format": "text"}
    result = submission.results[question.name]
    if result.waiting:
        waits = f"A person grades this, out of {in_points(question.points)}."
        return found | {"output": waits}
    found |= {"score": result.score, "max_score": question.points}
    noted = record.questions.get(question.name)
    if noted is not None:
        explained = [named.explanation for named in noted.misconceptions]
        lines = dict.fromkeys([*noted.messages, *explained])
        if lines:
            found["output"] = "\n".join(lines)
    return found


def _names(results: ClassResults) -> dict[str, str]:
    """Return a name for each question; those under one heading are told apart."""
    count = Counter(question.title for question in results.questions)
    names = {}
    for question in results.questions:
        name = question.title
        if count[name] > 1:
            name = f"{name}: {question.name.replace('_', ' ')}"
        names[question.name] = f"{name} (bonus)" if question.bonus else name
    return names


def _summary(results: ClassResults, submission: GradedSubmission) -> str:
    waiting = [q for q in results.questions if submission.results[q.name].waiting]
    points = sum(q.points for q in results.questions if not q.bonus and q not in waiting)
    bonus = " (bonus points included)" if submission.bonus else ""
    text = f"{points_text(submission.score)} of {in_points(points)}{bonus}."
    if not waiting:
        return text
    answers = "One answer waits" if len(waiting) == 1 else f"{len(waiting)} answers wait"
    worth = points_text(sum(question.points for question in waiting))
    return f"{text} {answers} for a person and can earn {worth} more."
