"""Write the due dates and the students of a course from its settings into the gradebook."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path

from nbgrader.api import MissingEntry

from autograder.course import Course
from autograder.errors import UserError

COLUMNS = ("id", "first_name", "last_name", "email")


def apply_settings(course: Course) -> None:
    """Give the gradebook the due dates and the students that the settings name.

    What the settings do not name stays as it is, such as a due date that was entered in the
    formgrader. An assignment gets its due date as soon as it is in the gradebook.

    Raises
    ------
    UserError
        If the roster cannot be read.
    autograder.course.NoGradebook
        If the course has no gradebook.
    """
    settings = course.settings
    students = read_roster(settings.roster) if settings.roster else []
    with course.gradebook() as gradebook:
        # Where nothing changes, nothing is written, so that parallel graders need not wait.
        for name, moment in settings.due.items():
            with suppress(MissingEntry):  # not released yet
                assignment = gradebook.find_assignment(name)
                gradebook.update_or_create_assignment(assignment.name, duedate=moment)
        known = {student.id: student for student in gradebook.students}
        for student in students:
            entry = known.get(student["id"])
            if any(getattr(entry, name, None) != value for name, value in student.items()):
                details = {name: value for name, value in student.items() if name != "id"}
                gradebook.update_or_create_student(student["id"], **details)


def read_roster(file: Path) -> list[dict[str, str]]:
    """Read the table of students; empty fields are left out.

    Returns
    -------
    list of dict
        Each student's entries among `COLUMNS`; ``id`` is always there.

    Raises
    ------
    UserError
        If the file is missing, is not a table in UTF-8, lacks the column ``id``, or has a row
        without an id or two rows with the same.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as table:
            rows = list(csv.DictReader(table))
    except FileNotFoundError:
        raise UserError(f"There is no {file}, which course.toml names as the roster.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"The roster {file} cannot be read: {error}.") from error
    students: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, start=2):
        found = {name: (row.get(name) or "").strip() for name in COLUMNS}
        if not found["id"]:
            raise UserError(
                f"Line {number} of the roster {file} has no id: the table needs a column `id`, and "
                "in it the name of the folder in which the student's hand-in lies."
            )
        if found["id"] in students:
            raise UserError(f"The roster {file} has two students with the id {found['id']!r}.")
        students[found["id"]] = {name: value for name, value in found.items() if value}
    return list(students.values())
