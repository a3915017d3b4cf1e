"""Read the files of a hand-in: within limits, without following links, noting what is left out."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from autograder.errors import UserError
from autograder.grading.intake.known_files import Parts
from autograder.grading.intake.names import printable

MAX_FILES_BYTES = 256 * 2**20
"""Limit on the size of one submission. The artifacts of an assignment take about 10 MB."""

MAX_FILES = 1_000
"""Limit on the files of one submission. An artifact is two files; no assignment asks for 20."""

MAX_DEPTH = 16
"""How deep folders may be nested. Artifacts lie two folders deep; archives add a few around them.
"""

TOO_DEEP = f"it lies more than {MAX_DEPTH} folders deep"

MAX_PATH_BYTES = 1_000
"""Longest path of a file in its submission. Linux allows 4,096 bytes for the whole path."""

MAX_NOTES = 20
"""Most notes of one kind on one submission, so that 1,000 bad files do not fill the class report.
"""


OLDEST = 315_619_200.0
"""The time of a file whose own is not known: 2 January 1980. A zip cannot hold an older one."""


class CannotBeWritten(UserError):
    """The disk or a folder refuses to be written to.

    Parameters
    ----------
    folder
        The folder.
    reason
        Why, in the words of the system.
    """

    def __init__(self, folder: Path, reason: str | None) -> None:
        self.reason = reason
        super().__init__(
            f"{folder} cannot be written: {reason}. Nothing that was there is lost: once this is "
            "repaired, run the same command again."
        )


DAY_SECONDS = 86_400.0
"""How far in the future a time may be: the clock of an archive may be in another time zone."""


@contextmanager
def opened(path: str | Path, flags: int = 0, dir_fd: int | None = None) -> Iterator[int]:
    """Open a path where a student may have put anything, and yield the descriptor.

    A link is not followed but raises OSError, and opening a FIFO does not wait for its other end.
    """
    safely = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, safely | flags, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def regular_file(path: str | Path, dir_fd: int | None = None) -> Iterator[IO[bytes]]:
    """Open a regular file.

    Raises
    ------
    OSError
        If it is anything else, such as a link; `strerror` says what.
    """
    # The name is checked first: opening a device may have effects, and a socket cannot be opened.
    _require_regular(os.stat(path, dir_fd=dir_fd, follow_symlinks=False))
    with opened(path, dir_fd=dir_fd) as descriptor:
        # The open file is checked again: by now, the name may refer to another file.
        _require_regular(os.fstat(descriptor))
        with open(descriptor, "rb", closefd=False) as file:
            yield file


def _require_regular(status: os.stat_result) -> None:
    if problem := not_regular(status.st_mode):
        raise OSError(0, problem)


def not_regular(mode: int) -> str | None:
    """Return what a file of that `mode` is, as in "it is a link"; None for a regular file."""
    if stat.S_ISREG(mode):
        return None
    kinds = [
        (stat.S_ISLNK, "a link"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
    ]
    return f"it is {next((kind for test, kind in kinds if test(mode)), 'a device')}"


SPECIAL = frozenset(
    f"it is {what}"
    for what in ("a link", "a named pipe", "a socket", "a device", "not a regular file")
)
"""Why a file is left out that is none, and can only have been made on purpose."""


@dataclass(frozen=True)
class Found:
    """A file that `walk` found.

    Attributes
    ----------
    parts
        Its path, relative to the folder that was searched: the folders and the file's name.
    size
        Size of the file in bytes.
    place
        Descriptor of the file's folder, valid until the next file is requested.
    problem
        Why the file cannot be taken, as in "it is a link"; None for a regular file.
    changed
        When it was last changed, in seconds since 1970.
    """

    parts: Parts
    size: int
    place: int
    problem: str | None
    changed: float = 0.0


def walk(place: int, above: Parts = ()) -> Iterator[Found]:
    """Find the files in a folder; its own files come before those of the folders in it.

    Only folders are opened, and no link is followed, even if files change in the meantime. A folder
    that is too deep or cannot be opened is reported like a file, with that problem.

    Parameters
    ----------
    place
        The folder's descriptor.
    above
        The folders above it, which are prepended to `Found.parts`. By default, there are none.
    """
    folders = []
    # What tools leave behind (.git, __pycache__) comes last, so that the student's work has room.
    for name in sorted(os.listdir(place), key=lambda name: (name.startswith((".", "__")), name)):
        parts = (*above, name)
        try:
            status = os.stat(name, dir_fd=place, follow_symlinks=False)
        except FileNotFoundError:
            continue  # removed since it was listed
        if not stat.S_ISDIR(status.st_mode):
            problem = not_regular(status.st_mode)
            yield Found(parts, status.st_size, place, problem, status.st_mtime)
        elif len(parts) > MAX_DEPTH:
            yield Found(parts, 0, place, TOO_DEEP)
        else:
            folders.append(parts)
    for parts in folders:
        try:
            with opened(parts[-1], os.O_DIRECTORY, place) as inner:
                yield from walk(inner, parts)
        except OSError as error:
            yield Found(parts, 0, place, f"it cannot be opened ({error.strerror})")


class Room:
    """How many more bytes and files one submission may have."""

    def __init__(self) -> None:
        self._bytes = MAX_FILES_BYTES
        self._files = MAX_FILES

    def take(self, parts: Parts, size: int) -> str | None:
        """Reserve room for a file of `size` bytes; return why that is impossible, or None."""
        if len(parts) > MAX_DEPTH + 1:
            return TOO_DEEP
        if len("/".join(parts).encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
            return f"its path is longer than {MAX_PATH_BYTES:,} bytes"
        if self._files < 1:
            return f"a submission may have at most {MAX_FILES:,} files"
        if size > self._bytes:
            return f"the files of a submission may take at most {MAX_FILES_BYTES // 2**20} MB"
        self._files -= 1
        self._bytes -= size
        return None


@dataclass
class Fate:
    """What became of a file that came in.

    Attributes
    ----------
    parts
        The path at which it came in. An archive counts as a folder.
    reason
        Why it was left out; None if it was taken or is a tool's.
    expected
        Whether it is no part of the hand-in, so that nobody need look at it.
    tool
        Whether a tool made it, so that nobody misses it.
    inode
        What identifies the copy that was taken, wherever it is moved; None if it was not taken.
    """

    parts: Parts
    reason: str | None = None
    expected: bool = False
    tool: bool = False
    inode: int | None = None


class Intake:
    """A folder into which the files of one hand-in are imported, as far as the limits allow.

    Attributes
    ----------
    folder
        The folder.
    label
        The path at which the hand-in came in. It is put in front of the paths in `fates`.
    fates
        What became of each file that came in.
    """

    def __init__(self, folder: Path, label: Parts = ()) -> None:
        self.folder = folder
        self.label = label
        self.fates: list[Fate] = []
        self._room = Room()
        self._notes: list[str] = []

    def below(self, parts: Parts, label: Parts) -> Intake:
        """Return an intake for a folder within this one, with the same limits and notes."""
        inner = Intake(self.folder.joinpath(*parts), label)
        inner.fates, inner._room, inner._notes = self.fates, self._room, self._notes
        return inner

    @property
    def notes(self) -> list[str]:
        """What the instructor should know about this hand-in."""
        return shortened(self._notes)

    def note(self, text: str) -> None:
        """Add to `notes`."""
        self._notes.append(text)

    def leave_out(self, parts: Parts, reason: str) -> None:
        """Note that the file at `parts` was left out."""
        self.note(f"{shown(parts)} was left out: {reason}")
        self.fates.append(Fate((*self.label, *parts), reason))

    def set_aside(self, parts: Parts, reason: str) -> None:
        """Leave out the file at `parts`, which is no part of the hand-in, without a note."""
        self.fates.append(Fate((*self.label, *parts), reason, expected=True))

    def skip(self, parts: Parts) -> None:
        """Leave out the file at `parts`, which a tool has made, without a note."""
        self.fates.append(Fate((*self.label, *parts), tool=True))

    def bring(
        self,
        parts: Parts,
        size: int,
        source: Callable[[], AbstractContextManager[IO[bytes]]],
        changed: float | None = None,
    ) -> None:
        """Write the file at `parts`, or note why it was left out.

        Parameters
        ----------
        parts
            Path of the file: its folders and its name, none of them ``..`` or absolute.
        size
            Declared size of the file in bytes; more than that is never written.
        source
            Opens the file to read from. Any exception from opening or reading it counts as a fault
            of the submission, and is noted.
        changed
            When the file was last changed, in seconds since 1970. A time that is not known, or lies
            in the future, becomes the oldest of all, so that it decides nothing.

        Raises
        ------
        CannotBeWritten
            If the disk cannot be written to.
        """
        if reason := self._room.take(parts, size):
            self.leave_out(parts, reason)
            return
        target = self.folder.joinpath(*parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                for piece in _pieces(source, size):
                    out.write(piece)
                inode = os.fstat(out.fileno()).st_ino
            _set_time(target, changed)
            self.fates.append(Fate((*self.label, *parts), inode=inode))
        except _CannotBeRead as error:
            target.unlink()
            self.leave_out(parts, str(error))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG):
                raise CannotBeWritten(self.folder, error.strerror) from error
            self.leave_out(parts, f"it cannot be stored ({error.strerror})")


def _set_time(file: Path, changed: float | None) -> None:
    if changed is None or not OLDEST <= changed <= time.time() + DAY_SECONDS:
        changed = OLDEST
    os.utime(file, (changed, changed))


class _CannotBeRead(Exception):
    """A file of a hand-in cannot be read; the message says why."""


def _pieces(source: Callable[[], AbstractContextManager[IO[bytes]]], size: int) -> Iterator[bytes]:
    try:
        with source() as file:
            while piece := file.read(2**16):
                size -= len(piece)
                if size < 0:
                    raise _CannotBeRead("it is larger than declared")
                yield piece
    except _CannotBeRead:
        raise
    except OSError as error:
        raise _CannotBeRead(error.strerror or "it cannot be read") from error
    except Exception as error:
        # Given arbitrary bytes, a decompressor may raise any exception.
        raise _CannotBeRead(f"it cannot be read ({printable(str(error))})") from error


def copy_files(source: Path, destination: Path) -> list[str]:
    """Copy a submission's files for its kernel: regular files, but no notebooks and no links.

    Notebooks are not copied, because the graded one holds hidden tests. Links are not copied,
    because they can point at something that the student must not see.

    Returns
    -------
    list of str
        Notes on what was left out.
    """
    intake = Intake(destination)
    with opened(source, os.O_DIRECTORY) as place:
        copy((found for found in walk(place) if not found.parts[-1].endswith(".ipynb")), intake)
    return intake.notes


def copy(files: Iterable[Found], intake: Intake) -> None:
    """Import the regular files, and leave the others out.

    Parameters
    ----------
    files
        The files, as `walk` finds them.
    intake
        Where the files are imported.

    Raises
    ------
    UserError
        If the disk cannot be written to.
    """
    for found in files:
        if found.problem:
            intake.leave_out(found.parts, found.problem)
        else:
            opens = partial(regular_file, found.parts[-1], found.place)
            intake.bring(found.parts, found.size, opens, found.changed)


def shown(parts: Parts) -> str:
    """Return a path as notes show it."""
    return printable(os.path.join("", *parts))


def shortened(notes: list[str]) -> list[str]:
    """Return the first `MAX_NOTES` notes, and a line that says how many more there are."""
    if len(notes) <= MAX_NOTES:
        return notes
    return [*notes[:MAX_NOTES], f"and {len(notes) - MAX_NOTES:,} more"]
