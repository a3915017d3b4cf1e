"""Digests of files and folders, by which the grader sees whether anything has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from autograder.grading.own_places import PACKAGES


def stamps(places: Iterable[Path]) -> str:
    """Return a digest of the names, sizes and times of files.

    The time of the last change of a file's state is among them, which no program can set.
    """
    digest = hashlib.sha256()
    for place in places:
        for path in _files(place):
            status = path.stat()
            stamp = (path.relative_to(place).as_posix(), status.st_size, status.st_mtime_ns)
            digest.update(repr((*stamp, status.st_ctime_ns, status.st_ino)).encode())
    return digest.hexdigest()


def contents(folder: Path) -> str:
    """Return a digest of the names and contents of the files in a folder."""
    digest = hashlib.sha256()
    for path in _files(folder):
        digest.update(path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape"))
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


@cache
def kit_digest() -> str:
    """Return a digest of the course kit itself: its code, references and networks."""
    return hashlib.sha256("".join(map(contents, PACKAGES)).encode()).hexdigest()


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    found = (path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path for path in found if "__pycache__" not in path.parts)
