"""The files of a hand-in: read without following a link, within limits, noted where left out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from autograder.errors import UserError
from autograder.grading.intake.names import printable

MAX_FILES_BYTES = 256 * 2**20
"""Of one submission. The artifacts of an assignment take about 10 MB."""

MAX_FILES = 1_000
"""Of one submission. An artifact is two files, and no assignment asks for 20 artifacts."""

MAX_DEPTH = 16
"""Folders in folders. Artifacts lie two deep; archives add a few folders around them."""

TOO_DEEP = f"it lies more than {MAX_DEPTH} folders deep"

MAX_PATH_BYTES = 1_000
"""Of a file's path in its submission. Linux bears 4,096 bytes, the folders above it included."""

MAX_NOTES = 20
"""Of one kind and one submission, so that 1,000 odd files do not fill the class report."""


@contextmanager
def opened(path: str | Path, flags: int = 0, dir_fd: int | None = None) -> Iterator[int]:
    """Open what a student may have put there, and give its descriptor.

    A link is not followed (OSError), and opening a FIFO does not wait for its other end.
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
        If it is anything else, a link included; `strerror` says what.
    """
    # Asked of the name first: opening a device may act on it, and a socket cannot be opened.
    _require_regular(os.stat(path, dir_fd=dir_fd, follow_symlinks=False))
    with opened(path, dir_fd=dir_fd) as descriptor:
        # Asked again of what was opened: the name may mean another file by now.
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


@dataclass(frozen=True)
class Found:
    """A file that `walk` found.

    Attributes
    ----------
    parts : tuple of str
        The folders that it lies in, from the one walked through, and its name.
    size : int
        In bytes.
    place : int
        Descriptor of the folder that it lies in, good until the next file is asked for.
    problem : str or None
        Why it cannot be taken, as in "it is a link"; None for a regular file.
    """

    parts: tuple[str, ...]
    size: int
    place: int
    problem: str | None


def walk(place: int, above: tuple[str, ...] = ()) -> Iterator[Found]:
    """Find the files in a folder: those of a folder come before those of the folders in it.

    Nothing but folders is opened, and no link is followed, also when files change meanwhile. A
    folder that is too deep or cannot be opened is found like a file, with that problem.

    Parameters
    ----------
    place : int
        The folder's descriptor.
    above : tuple of str, optional
        The folders that it lies in, as `Found.parts` shall name them.
    """
    folders = []
    # What tools leave (.git, __pycache__) comes last and takes no room from the student's own work.
    for name in sorted(os.listdir(place), key=lambda name: (name.startswith((".", "__")), name)):
        parts = (*above, name)
        try:
            status = os.stat(name, dir_fd=place, follow_symlinks=False)
        except FileNotFoundError:
            continue  # removed since it was listed
        if not stat.S_ISDIR(status.st_mode):
            yield Found(parts, status.st_size, place, not_regular(status.st_mode))
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
    """What one submission may still take up."""

    def __init__(self) -> None:
        self._bytes = MAX_FILES_BYTES
        self._files = MAX_FILES

    def take(self, parts: tuple[str, ...], size: int) -> str | None:
        """Take the room of a file of `size` bytes; return why it cannot have it, or None."""
        if len(parts) > MAX_DEPTH + 1:
            return TOO_DEEP
        if len("/".join(parts).encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
            return f"its path is longer than {MAX_PATH_BYTES:,} bytes"
        if self._files < 1:
            return f"a submission may have {MAX_FILES:,} files"
        if size > self._bytes:
            return f"the files of a submission may take {MAX_FILES_BYTES // 2**20} MB"
        self._files -= 1
        self._bytes -= size
        return None


class Intake:
    """A folder that the files of one hand-in are brought into, as far as there is room.

    Attributes
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._room = Room()
        self._notes: list[str] = []

    @property
    def notes(self) -> list[str]:
        """What a person should know."""
        return shortened(self._notes)

    def note(self, text: str) -> None:
        """Add to `notes`."""
        self._notes.append(text)

    def leave_out(self, parts: tuple[str, ...], reason: str) -> None:
        """Note that the file at `parts` was not brought in."""
        self.note(f"{shown(parts)} was left out: {reason}")

    def bring(
        self,
        parts: tuple[str, ...],
        size: int,
        source: Callable[[], AbstractContextManager[IO[bytes]]],
    ) -> None:
        """Write the file at `parts`, or note why not.

        Parameters
        ----------
        parts : tuple of str
            Where it belongs: folders and name, none of them ``..`` or absolute.
        size : int
            What it is said to take; more than that is never written.
        source : callable
            Opens what is to be written. Whatever it or the reading raises is the student's fault,
            and noted.

        Raises
        ------
        UserError
            If the disk cannot be written.
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
        except _CannotBeRead as error:
            target.unlink()
            self.leave_out(parts, str(error))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG):
                message = f"{self.folder} cannot be written: {error.strerror}."
                raise UserError(message) from error
            self.leave_out(parts, f"it has no place ({error.strerror})")


class _CannotBeRead(Exception):
    """A file of a hand-in cannot be read; the message says why."""


def _pieces(source: Callable[[], AbstractContextManager[IO[bytes]]], size: int) -> Iterator[bytes]:
    try:
        with source() as file:
            while piece := file.read(2**16):
                size -= len(piece)
                if size < 0:
                    raise _CannotBeRead("it holds more than it is said to")
                yield piece
    except _CannotBeRead:
        raise
    except OSError as error:
        raise _CannotBeRead(error.strerror or "it cannot be read") from error
    except Exception as error:
        # A decompressor meets arbitrary bytes with arbitrary exceptions.
        raise _CannotBeRead(f"it cannot be read ({printable(str(error))})") from error


def copy_files(source: Path, destination: Path) -> list[str]:
    """Copy a submission's files for its kernel: regular files, no notebooks, no links.

    The notebooks stay behind because the graded one holds hidden tests; links, because they can
    point at what the student must not see.

    Parameters
    ----------
    source, destination : Path

    Returns
    -------
    list of str
        What was left out and is worth a look.
    """
    intake = Intake(destination)
    with opened(source, os.O_DIRECTORY) as place:
        copy((found for found in walk(place) if not found.parts[-1].endswith(".ipynb")), intake)
    return intake.notes


def copy(files: Iterable[Found], intake: Intake) -> None:
    """Bring regular files in; the others are left out.

    Parameters
    ----------
    files : iterable of Found
        As `walk` finds them.
    intake : Intake

    Raises
    ------
    UserError
        If the disk cannot be written.
    """
    for found in files:
        if found.problem:
            intake.leave_out(found.parts, found.problem)
        else:
            opens = partial(regular_file, found.parts[-1], found.place)
            intake.bring(found.parts, found.size, opens)


def shown(parts: tuple[str, ...]) -> str:
    """Return a path as notes show it."""
    return printable(os.path.join(*parts))


def shortened(notes: list[str]) -> list[str]:
    """Return the first `MAX_NOTES`, and how many more there are."""
    if len(notes) <= MAX_NOTES:
        return notes
    return [*notes[:MAX_NOTES], f"and {len(notes) - MAX_NOTES:,} files more"]
