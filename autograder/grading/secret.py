"""The secret of a course, from which the inputs of hidden tests are drawn."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path

from autograder.errors import UserError

FILE = ".inputs_secret"
"""The file in the course folder. Without it, grading the same hand-in again asks something else."""

BYTES = 32
UNREAD = frozenset({"timestamp.txt"})
"""Submitted files that are not part of the work: nbgrader keeps the time of the hand-in in it."""


def course_secret(course: Path) -> bytes:
    """Return the secret of a course; it is made when it is first needed.

    Parameters
    ----------
    course
        The course folder, which student code cannot see.

    Raises
    ------
    autograder.errors.UserError
        If the file with the secret does not hold one.
    """
    path = course / FILE
    if not path.exists():
        # Written under another name and linked, so that nobody reads half of it, and the first of
        # two graders wins.
        with tempfile.NamedTemporaryFile(prefix=FILE, dir=course) as new:
            new.write(secrets.token_bytes(BYTES))
            new.flush()
            with contextlib.suppress(FileExistsError):
                os.link(new.name, path)
    found = path.read_bytes()
    if len(found) != BYTES:
        raise UserError(
            f"{path} should hold {BYTES} bytes and has {len(found)}. Remove it: the next run makes "
            "a new one, and asks other inputs when it grades a hand-in again."
        )
    return found


def submission_seed(secret: bytes, sources: Iterable[str], files: Path) -> bytes:
    """Return what the random inputs of a submission's hidden tests depend on.

    Parameters
    ----------
    secret
        The secret of the course.
    sources
        The cells that the student could write in.
    files
        The folder with the submitted files. Notebooks in it are left out, as their outputs and
        metadata are no answers.
    """
    code = hmac.new(secret, digestmod=hashlib.sha256)
    for source in sources:
        code.update(hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest())
    for path in sorted(path for path in files.rglob("*") if path.is_file()):
        if path.suffix != ".ipynb" and path.name not in UNREAD:
            with path.open("rb") as file:
                code.update(hashlib.file_digest(file, "sha256").digest())
    return code.digest()
