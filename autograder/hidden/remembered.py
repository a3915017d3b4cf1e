"""What the grader has measured, remembered by all processes of a run and by later runs.

Measuring a network takes half a second on digits and 20 s on CIFAR-10. What is measured is either
the same for every submission, or belongs to the content of an artifact.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_folder: ContextVar[Path | None] = ContextVar("folder", default=None)
_here: dict[str, Any] = {}


@contextmanager
def remembering_in(folder: Path | None) -> Iterator[None]:
    """Let `remembered` keep in a folder, within the block, what it has measured.

    Parameters
    ----------
    folder
        One that only graders can write to, and all of whose users measure in the same way: with the
        same hidden tests, code and packages. None: only this process remembers.
    """
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def remembered(name: str, measure: Callable[[], T]) -> T:
    """Measure something, or return what was measured under this name before.

    If another process is measuring the same, this one waits for it.

    Parameters
    ----------
    name
        Stands for everything that the result depends on.
    measure
        Does the measurement. Its result reaches other processes if it consists of Python's numbers,
        texts, lists, tuples and dicts.
    """
    if name not in _here:
        folder = _folder.get()
        _here[name] = measure() if folder is None else _from_file(folder, name, measure)
    return _here[name]


def _from_file(folder: Path, name: str, measure: Callable[[], T]) -> T:
    file = None
    with suppress(OSError):  # without a disk to write to, nothing is remembered
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / hashlib.sha256(name.encode()).hexdigest()
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    if file is None:
        return measure()
    with file:
        with suppress(OSError):  # a file system without locks: it may then be measured twice
            fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(
            ValueError, SyntaxError, OSError
        ):  # empty, or half written by a killed grader
            return ast.literal_eval(file.read())
        found = measure()
        if _plain(found):
            with suppress(OSError):
                file.seek(0)
                file.truncate()
                file.write(repr(found))
                file.flush()
        return found


def _plain(found: Any) -> bool:
    """Return whether the text of `found` gives it back exactly."""
    try:
        return bool(ast.literal_eval(repr(found)) == found)
    except (ValueError, SyntaxError):
        return False
