"""Which submissions are not graded to the end, written down so that it outlives a killed grader.

Each has a small file in the course, from before its grading begins until its grades, its graded
notebook and its feedback page are all there. The file is empty, or says why there is no grade.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

INTERRUPTED = "grading was interrupted: grade it again"


def begin(assignment: str, course: Path, students: Iterable[str]) -> None:
    """Note that these submissions are to be graded."""
    folder = _folder(assignment, course)
    folder.mkdir(parents=True, exist_ok=True)
    for student in students:
        (folder / student).write_bytes(b"")


def finish(assignment: str, course: Path, student: str, problem: str | None) -> None:
    """Note that this submission is graded to the end, or with `problem` why it is not."""
    file = _folder(assignment, course) / student
    if problem is None:
        file.unlink(missing_ok=True)
    else:
        file.write_text(problem, encoding="utf-8", errors="replace")


def unfinished(assignment: str, course: Path) -> dict[str, str]:
    """Return who has a submission that is not graded to the end, and for each the reason.

    Submissions that were taken out of the course since do not count.

    Parameters
    ----------
    assignment : str
    course : Path
        The course folder.

    Returns
    -------
    dict of str to str
        From the student to the reason, in the students' order.
    """
    folder = _folder(assignment, course)
    if not folder.is_dir():
        return {}
    return {
        file.name: f"there is no grade: {reason}" if (reason := _text(file)) else INTERRUPTED
        for file in sorted(folder.iterdir())
        if (course / "submitted" / file.name / assignment).is_dir()
    }


def _folder(assignment: str, course: Path) -> Path:
    return course / ".unfinished" / assignment


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
