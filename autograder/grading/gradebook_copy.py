"""A copy of the gradebook in a file, in which something can be graded without consequences."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import nbgrader.api
from nbgrader.api import Base, Gradebook
from sqlalchemy import delete, insert, select

from autograder.course import LOCK_SECONDS, Course


def copy_gradebook(course: Course, path: Path) -> str:
    """Copy the gradebook of a course into a new SQLite file; return the address of the copy."""
    url = f"sqlite:///{path}?timeout={LOCK_SECONDS}"
    if course.gradebook_in_file:
        with (
            closing(sqlite3.connect(course.database, timeout=LOCK_SECONDS)) as source,
            closing(sqlite3.connect(path)) as copy,
        ):
            source.backup(copy)
        return url
    with course.gradebook() as source, Gradebook(url) as copy:
        copy.db.execute(delete(nbgrader.api.Course))  # which a new gradebook has by itself
        for table in Base.metadata.sorted_tables:
            rows = [dict(row._mapping) for row in source.db.execute(select(table))]
            if rows:
                copy.db.execute(insert(table), rows)
        copy.db.commit()
    return url
