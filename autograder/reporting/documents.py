"""The write-ups and AI logs of a class, which `pack` puts beside the notebook."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from autograder.course import Course
from helpers.documents import DOCUMENTS

__all__ = ["HandedInDocument", "documents_of"]

_NAMES = re.compile(r"(write_up|ai_log(_\d{1,3})?)\.(pdf|html|txt|md|json)")
"""The names that `pack` gives. Other files in the folder are in the ledger, like all files."""
_ACTS = ".html"


@dataclass(frozen=True)
class HandedInDocument:
    """A document of a student.

    Attributes
    ----------
    path
        Where it is, seen from the course folder.
    address
        Its address for a link, seen from the class report. None if a browser would run what a
        student has written into it.
    """

    path: str
    address: str | None


def documents_of(course: Course, assignment: str, student: str) -> list[HandedInDocument]:
    """Return the documents that a student has handed in with a submission."""
    folder = course.submission(student, assignment) / DOCUMENTS
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [
        _document(course, path, course.class_report(assignment).parent)
        for path in sorted(folder.iterdir())
        if _NAMES.fullmatch(path.name) and path.is_file() and not path.is_symlink()
    ]


def _document(course: Course, path: Path, report: Path) -> HandedInDocument:
    address = None if path.suffix == _ACTS else quote(os.path.relpath(path, report))
    return HandedInDocument(os.path.relpath(path, course.folder), address)
