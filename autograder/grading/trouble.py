"""Say in one sentence what the gradebook or the disk refuses, and what to do."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from autograder.errors import UserError

_GRADEBOOK = r"(?:OperationalError|DatabaseError)\b.*"
_GOES_ON = "Nothing is lost; {command} goes on from here"


@dataclass(frozen=True)
class _Sentence:
    """What to tell the user about an exception of the gradebook or the disk.

    Attributes
    ----------
    pattern
        What the exception says.
    advice
        What it means, and what to do.
    everybody
        Whether it concerns all submissions, and not perhaps the files of one.
    ending
        How to go on.
    """

    pattern: str
    advice: str
    everybody: bool = True
    ending: str = _GOES_ON


_SENTENCES = (
    _Sentence(
        rf"{_GRADEBOOK}database is locked",
        "the gradebook is in use by another program, such as the formgrader or another "
        "`autograder grade`: wait until it has ended, or close it",
    ),
    _Sentence(
        rf"{_GRADEBOOK}(?:readonly database|unable to open database file)",
        "the gradebook cannot be written: make gradebook.db and its folder writable",
    ),
    _Sentence(
        rf"{_GRADEBOOK}database or disk is full|No space left on device|Disk quota exceeded",
        "the disk is full: make room on it",
    ),
    _Sentence(
        rf"{_GRADEBOOK}disk I/O error|OSError: \[Errno 5\]",
        "the disk reports an error: look whether it is still connected and sound",
    ),
    _Sentence(
        rf"{_GRADEBOOK}(?:file is not a database|disk image is malformed)",
        "the gradebook is damaged: keep gradebook.db under another name, and put the last copy in "
        "its place that the grader made (`.backups/gradebook.db` in the course folder) or that you "
        "have",
        ending="Then {command} goes on from there",
    ),
    _Sentence(
        rf"{_GRADEBOOK}(?:connection to server|server closed the connection|could not translate)",
        "the server of the gradebook, which course.toml names, does not answer or does not let you "
        "in: look whether it runs, and whether the address and the password in ~/.pgpass are right",
    ),
    _Sentence(
        rf"{_GRADEBOOK}no such (?:column|table)",
        "the gradebook was made by another version of nbgrader: run `nbgrader db upgrade` in the "
        "course folder, which keeps a copy of it",
    ),
    _Sentence(
        r"OSError: \[Errno 30\]|PermissionError: \[Errno \d+\]",
        "a file or folder of the course cannot be written: make the course folder writable",
        everybody=False,
    ),
)


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
    sentence = _sentence(problem)
    if sentence is None:
        return problem
    return f"{sentence.advice}. {sentence.ending.format(command=command)}"


def concerns_everybody(problem: str) -> bool:
    """Return whether all other submissions would fail for the same reason."""
    sentence = _sentence(problem)
    return sentence is not None and sentence.everybody


def _sentence(problem: str) -> _Sentence | None:
    found = (s for s in _SENTENCES if re.search(s.pattern, problem, re.DOTALL))
    return next(found, None)


@contextmanager
def disk_trouble_explained() -> Iterator[None]:
    """Turn an exception of the gradebook or the disk into one sentence.

    Raises
    ------
    DiskTrouble
        If the gradebook is locked, read-only or damaged, or the disk full, read-only or broken.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        problem = f"{type(error).__name__}: {error}"
        text = explained(problem, "the same command")
        if text == problem:
            raise  # a fault of ours
        raise DiskTrouble(f"{text[0].upper()}{text[1:]}.") from error
