"""A list of the unfinished submissions, kept on disk so that it survives a killed grader.

Each unfinished submission has a small file in the course folder. The file is written before grading
begins, and removed when the grades, the graded notebook and the feedback page are all there. It is
empty, or says why there is no grade. While these files are being made, a list beside their folder
names all of them: a grader that is killed meanwhile must not forget the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograder.course import Course
from helpers.files import replacing

INTERRUPTED = "grading was interrupted: grade it again"


def begin(assignment: str, course: Course, students: Iterable[str]) -> None:
    """Note that these submissions are to be graded."""
    folder = course.unfinished(assignment)
    folder.mkdir(parents=True, exist_ok=True)
    listed = _list_beside(folder)
    names = [*_listed(listed), *students]  # an earlier run may not have come to an end of its list
    with replacing(listed) as new:
        new.write_text("\0".join(names), encoding="utf-8", errors="surrogateescape")
    for student in names:
        (folder / student).write_bytes(b"")
    listed.unlink()


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
    reasons = dict.fromkeys(_listed(_list_beside(folder)), "")
    if folder.is_dir():
        reasons |= {file.name: _text(file) for file in folder.iterdir()}
    return {
        student: f"there is no grade: {reasons[student]}" if reasons[student] else INTERRUPTED
        for student in sorted(reasons)
        if course.submission(student, assignment).is_dir()
    }


def _list_beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.list")


def _listed(file: Path) -> list[str]:
    """Return the students in a list, which is there only while `begin` is at work."""
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return []
    return [name for name in text.split("\0") if name]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
