"""Say in one sentence what the gradebook or the disk refuses, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from autograder.errors import UserError

_GRADEBOOK = r"(?:OperationalError|DatabaseError)\b.*"
_SENTENCES = (
    (
        rf"{_GRADEBOOK}database is locked",
        "the gradebook is in use by another program, such as the formgrader or another "
        "`autograder grade`: wait until it has ended, or close it",
    ),
    (
        rf"{_GRADEBOOK}(?:readonly database|unable to open database file)",
        "the gradebook cannot be written: make gradebook.db and its folder writable",
    ),
    (
        rf"{_GRADEBOOK}database or disk is full|No space left on device|Disk quota exceeded",
        "the disk is full: make room on it",
    ),
    (
        rf"{_GRADEBOOK}disk I/O error|OSError: \[Errno 5\]",
        "the disk reports an error: look whether it is still connected and sound",
    ),
    (
        r"OSError: \[Errno 30\]|PermissionError: \[Errno \d+\]",
        "a file or folder of the course cannot be written: make the course folder writable",
    ),
)
"""What an exception of the gradebook or the disk says, and what to tell the user."""


class DiskTrouble(UserError):
    """The gradebook or the disk refuses to be used; the message says what to do."""


def explained(problem: str, command: str) -> str:
    """Return a problem in the user's words if the gradebook or the disk is to blame.

    Parameters
    ----------
    problem
        The name and the message of an exception.
    command
        The command that goes on where this one has ended.

    Returns
    -------
    str
        `problem` itself if something else is to blame.
    """
    for pattern, sentence in _SENTENCES:
        if re.search(pattern, problem, re.DOTALL):
            return f"{sentence}. Nothing is lost; {command} goes on from here"
    return problem


@contextmanager
def disk_trouble_explained() -> Iterator[None]:
    """Turn an exception of the gradebook or the disk into one sentence.

    Raises
    ------
    DiskTrouble
        If the gradebook is locked or read-only, or the disk is full, read-only or broken.
    """
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        problem = f"{type(error).__name__}: {error}"
        sentence = explained(problem, "the same command")
        if sentence == problem:
            raise  # a fault of ours
        raise DiskTrouble(f"{sentence[0].upper()}{sentence[1:]}.") from error
