"""Make the zip that Gradescope takes for an autograder.

It holds the course kit, and a course of one assignment without any student. It must stay with the
instructors, because the solutions and the hidden tests are in it.
"""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.errors import UserError
from autograder.gradebook_settings import apply_settings
from autograder.grading.grade import released_answers
from autograder.grading.gradebook_copy import copy_gradebook
from autograder.grading.own_places import PACKAGES
from autograder.grading.secret import FILE as SECRET
from autograder.grading.secret import course_secret
from autograder.reporting.results import read_class
from autograder.settings import NAME as SETTINGS
from autograder.settings import Settings
from autograder.temporary import temporary_folder
from helpers.files import replacing

FILES = Path(__file__).parent / "files"
PROJECT = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
"""The files of the checkout that installing it takes."""


@dataclass(frozen=True)
class Autograder:
    """A zip for Gradescope.

    Attributes
    ----------
    path
        The file.
    points
        The points of the questions that are graded automatically, without the bonus.
    by_hand
        The points of the questions that a person grades.
    """

    path: Path
    points: float
    by_hand: float


def write_autograder(assignment: str, course: Course, archive: Path, visibility: str) -> Autograder:
    """Write the zip with which Gradescope grades an assignment as `autograder grade` does.

    Parameters
    ----------
    assignment
    course
        The assignment must have been released in it. Its hidden tests, limits, profile, secret and
        configuration go into the zip; students, what is taken off for late hand-ins, the roster and
        the address of the gradebook do not.
    archive
        The zip. It is replaced if it is there.
    visibility
        When students see their results; one of `autograder.gradescope.results.VISIBILITIES`.

    Raises
    ------
    autograder.course.NotReleased
        If the assignment was not released in this course.
    UserError
        If the zip cannot be written.
    """
    released_answers(assignment, course)
    apply_settings(course)
    about = {"assignment": assignment, "visibility": visibility}
    try:
        with replacing(archive) as new, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as packed:
            for script in sorted(FILES.iterdir()):
                info = zipfile.ZipInfo(script.name, (1980, 1, 1, 0, 0, 0))
                info.external_attr = 0o755 << 16
                packed.writestr(info, script.read_bytes(), zipfile.ZIP_DEFLATED)
            packed.writestr("gradescope.json", json.dumps(about))
            for name, path in _kit(assignment, course):
                packed.write(path, f"kit/{name}")
            for name, content in _course_of_one(assignment, course).items():
                packed.writestr(f"course/{name}", content)
    except OSError as error:
        raise UserError(f"{archive} cannot be written: {error.strerror}.") from error
    questions = read_class(assignment, course).questions
    return Autograder(
        archive,
        points=sum(q.points for q in questions if not q.written and not q.bonus),
        by_hand=sum(q.points for q in questions if q.written and not q.bonus),
    )


def _kit(assignment: str, course: Course) -> Iterator[tuple[str, Path]]:
    """Yield the files that grading an assignment takes, and their places in the kit."""
    project = PACKAGES[0].parent
    for name in PROJECT:
        yield name, project / name
    for package in PACKAGES:
        for path in sorted(package.rglob("*")):
            place = path.relative_to(project)
            if path.is_file() and _is_needed(place, assignment):
                yield place.as_posix(), path
    notebook = course.source_notebook(assignment)
    yield f"notebooks/{assignment}/{notebook.name}", notebook


def _is_needed(place: Path, assignment: str) -> bool:
    """Whether grading an assignment may take a file of the kit.

    Other assignments' trained networks are much larger than all the rest. Their figures are needed,
    because bars follow from them.
    """
    if "__pycache__" in place.parts:
        return False
    network = place.suffix == ".safetensors" and place.parts[:2] == ("autograder", "references")
    return not network or place.parent.name in (assignment, "starting_networks")


def _course_of_one(assignment: str, course: Course) -> dict[str, bytes]:
    """Return the files of a course that has this assignment and nobody in it."""
    files = {
        SETTINGS: _settings(course.settings).encode(),
        SECRET: course_secret(course.folder),
        "gradebook.db": _gradebook_of_one(assignment, course),
    }
    configuration = course.folder / "nbgrader_config.py"
    if configuration.is_file():
        files[configuration.name] = configuration.read_bytes()
    return files


def _settings(settings: Settings) -> str:
    """Return the settings on which points depend as a ``course.toml``.

    What is taken off for late hand-ins is left to Gradescope, which knows extensions.
    """
    lines = [
        f"profile = {json.dumps(settings.profile)}",
        f"other_profile = {json.dumps(settings.other_profile)}",
        "[limits]",
        *(f"{name} = {value}" for name, value in settings.limits.items()),
    ]
    return "\n".join([*lines, ""])


def _gradebook_of_one(assignment: str, course: Course) -> bytes:
    with temporary_folder("gradebook-") as folder:
        path = folder / "gradebook.db"
        with Gradebook(copy_gradebook(course, path)) as gradebook:
            for student in gradebook.students:
                gradebook.remove_student(student.id)
            for other in gradebook.assignments:
                if other.name != assignment:
                    gradebook.remove_assignment(other.name)
        with closing(sqlite3.connect(path)) as database:
            database.execute("VACUUM")  # what was removed would still be in the file
        return path.read_bytes()
