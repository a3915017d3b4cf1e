"""Temporary folders that are cleaned up even if their process is killed.

The process that makes a folder holds a lock on it (flock, on the folder itself). The system frees
the lock when the process ends, even if it is killed, so a folder without a lock is no longer in use
and the next run removes it. systemd-tmpfiles respects the same locks.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "autograder-temporary-"
"""The start of the name of every folder that `sweep` may remove."""


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Make a folder that exists for the duration of a ``with`` block.

    Parameters
    ----------
    prefix
        What the folder is for, e.g. ``"grading-"``; it becomes part of the name.

    Yields
    ------
    Path
        An empty folder in the system's folder for temporary files; only this user may enter it.
        What cannot be removed at the end of the block is left to `sweep`.
    """
    folder, lock = _locked_folder(prefix)
    try:
        yield folder
    finally:
        # Removed while it is still locked, so that a `sweep` of another grader leaves it alone.
        _remove(folder)
        os.close(lock)


def sweep() -> list[Path]:
    """Remove the temporary folders whose process has ended.

    It is safe to call while other graders run: the folders of living processes stay, and so do
    those of other users.

    Returns
    -------
    list of Path
        The folders removed.
    """
    removed = []
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
        # Another grader may remove a folder of its own at this moment.
        with suppress(FileNotFoundError):
            kind = folder.lstat()
            if not stat.S_ISDIR(kind.st_mode) or kind.st_uid != os.geteuid():
                continue
            if _remove_unlocked(folder):
                removed.append(folder)
    return removed


def _locked_folder(prefix: str) -> tuple[Path, int]:
    """Return a new folder and the open descriptor that holds its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{prefix}"))
        # Before the folder is locked, a `sweep` of another grader may take it for an abandoned one.
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            # A shared lock is enough to stop `sweep`, and NFS grants no other kind on a folder. On
            # a file system without locks, `sweep` cannot get one either and removes nothing.
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_SH)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _remove_unlocked(folder: Path) -> bool:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # its process is alive, or this file system has no locks
        return False
    else:
        _remove(folder)
        return not folder.exists()
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Remove `folder`, even if code that ran in it has removed permissions on its own folders."""
    for place, names, _ in os.walk(folder):
        for name in names:
            inner = Path(place, name)
            with suppress(OSError):
                if not inner.is_symlink():
                    inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
