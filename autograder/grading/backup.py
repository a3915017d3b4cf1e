"""A copy of the gradebook, made before each run: points given by hand are nowhere else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from autograder.course import Course
from helpers.files import replacing


def backup(course: Course) -> Path:
    """Copy a sound gradebook to ``.backups/gradebook.db`` in the course folder.

    A damaged one does not replace the copy of a sound one.

    Raises
    ------
    sqlite3.DatabaseError
        If the gradebook is damaged.
    """
    copy = course.folder / ".backups" / course.database.name
    # Not opened read-only: what a killed grader has left half done must first be rolled back.
    with closing(sqlite3.connect(course.database)) as gradebook:
        [found] = gradebook.execute("PRAGMA quick_check(1)").fetchone()
        empty = not gradebook.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if found != "ok" or empty:
            raise sqlite3.DatabaseError(f"database disk image is malformed: {found}")
        with replacing(copy) as new, closing(sqlite3.connect(new)) as target:
            gradebook.backup(target)
    return copy
