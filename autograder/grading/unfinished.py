"""A list of the unfinished submissions, kept on disk so that it survives a killed grader.

Each unfinished submission has a small file in the course folder. The file is written before grading
begins, and removed when the grades, the graded notebook and the feedback page are all there. It is
empty, or says why there is no grade.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograder.course import Course

INTERRUPTED = "grading was interrupted: grade it again"


def begin(assignment: str, course: Course, students: Iterable[str]) -> None:
    """Note that these submissions are to be graded."""
    folder = course.unfinished(assignment)
    folder.mkdir(parents=True, exist_ok=True)
    for student in students:
        (folder / student).write_bytes(b"")


def finish(assignment: str, course: Course, student: str, problem: str | None) -> None:
    """Note that this submission is finished or, if there is a `problem`, why it is not."""
    file = course.unfinished(assignment) / student
    if problem is None:
        file.unlink(missing_ok=True)
    else:
        file.write_text(problem, encoding="utf-8", errors="replace")


def unfinished(assignment: str, course: Course) -> dict[str, str]:
    """Return the students whose submissions are not finished, and the reason for each.

    Submissions that have since been removed from the course do not count.

    Returns
    -------
    dict of str to str
        Student to reason, in the order of the students' names.
    """
    folder = course.unfinished(assignment)
    if not folder.is_dir():
        return {}
    return {
        file.name: f"there is no grade: {reason}" if (reason := _text(file)) else INTERRUPTED
        for file in sorted(folder.iterdir())
        if course.submission(file.name, assignment).is_dir()
    }


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
