"""Unpack submitted zips and tars member by member, within the limits of a submission."""

from __future__ import annotations

import gzip
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from autograder.errors import UserError
from autograder.grading.intake.hand_in_files import MAX_FILES_BYTES, CannotBeWritten, Intake
from autograder.grading.intake.known_files import Parts, is_made_by_a_tool
from autograder.grading.intake.names import printable
from autograder.grading.intake.zip_names import decoded

MAX_MEMBERS = 200_000
"""Limit on the members of an archive, so that a class of 1,000 may have 200 files per student.

Python takes 0.5 kB for each member as soon as it opens the zip: 100 MB for this many.
"""

MAX_TAR_BYTES = MAX_FILES_BYTES + 64 * 2**20
"""Limit on a hand-in's tar once it is decompressed: its files and their headers."""

MAX_HEADER_BYTES = 2**20
"""Limit on a header of a tar, which Python reads at once. A long name takes a few hundred bytes."""

_MEMBER = b"PK\x01\x02"
"""The first bytes of every entry in a zip's list of members."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The methods of compression that are accepted.

The others (bzip2, LZMA) can expand a few bytes to gigabytes at once; no tool uses them by default.
"""

ASK = "ask the student for the notebook itself, or for the zip that `pack` makes"
"""What to do about an archive that cannot be opened."""

_REFUSED = (
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ\x00", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
)
"""The first bytes of archives that cannot be opened, and what they are."""


class UnreadableArchive(UserError):
    """An archive cannot be unpacked; the message says why."""


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes
    ----------
    parts
        Its path: folders and name.
    size
        Its declared size in bytes.
    opens
        Opens it to be read.
    changed
        When it was last changed, in seconds since 1970; None if the archive does not say.
    refusal
        Why it must not be unpacked, as in "it is a link"; None if it may be.
    """

    parts: Parts
    size: int
    opens: Callable[[], AbstractContextManager[IO[bytes]]]
    changed: float | None = None
    refusal: str | None = None


@contextmanager
def opened_archive(
    archive: IO[bytes], work: Path, *, tar_bytes: int | None = None
) -> Iterator[list[Member]]:
    """Open a zip, a tar or a compressed tar, whatever its name; yield the files in it.

    Parameters
    ----------
    archive
        A seekable file.
    work
        A folder in which a compressed tar may be decompressed.
    tar_bytes
        Limit on the size of a decompressed tar. By default, `MAX_TAR_BYTES`.

    Raises
    ------
    UnreadableArchive
        If it is none of these, is damaged, or has more files than `MAX_MEMBERS`.
    """
    limit = MAX_TAR_BYTES if tar_bytes is None else tar_bytes
    archive.seek(0)
    start = archive.read(265)
    for magic, kind in _REFUSED:
        if start.startswith(magic):
            raise UnreadableArchive(f"it is {kind}, which cannot be opened here: {ASK}")
    archive.seek(0)
    try:
        if start.startswith(b"\x1f\x8b"):
            with _decompressed(archive, work, limit) as plain:
                yield _tar_members(plain)
        elif start[257:262] == b"ustar":
            yield _tar_members(archive)
        else:
            yield _zip_members(archive)
    except UnreadableArchive:
        raise
    except tarfile.TarError as error:
        raise UnreadableArchive(f"it is damaged ({printable(str(error))}): {ASK}") from error


@contextmanager
def _decompressed(archive: IO[bytes], work: Path, limit: int) -> Iterator[IO[bytes]]:
    """Decompress a gzip file into a temporary one, as far as the limit allows."""
    with ExitStack() as stack:
        try:
            plain = stack.enter_context(tempfile.TemporaryFile(dir=work))
        except OSError as error:
            raise CannotBeWritten(work, error.strerror) from error
        for piece in _decompressed_pieces(archive, limit):
            try:
                plain.write(piece)
            except OSError as error:
                raise CannotBeWritten(work, error.strerror) from error
        plain.seek(0)
        yield plain


def _decompressed_pieces(archive: IO[bytes], limit: int) -> Iterator[bytes]:
    pieces = iter(partial(gzip.GzipFile(fileobj=archive).read, 2**16), b"")
    size = 0
    while True:
        try:
            piece = next(pieces, b"")
        except Exception as error:
            # Given arbitrary bytes, a decompressor may raise any exception.
            raise UnreadableArchive(f"it is damaged ({printable(str(error))}): {ASK}") from error
        if not piece:
            return
        size += len(piece)
        if size > limit:
            raise UnreadableArchive(f"it takes more than {limit // 2**20} MB to unpack")
        yield piece


def _zip_members(archive: IO[bytes]) -> list[Member]:
    try:
        if _has_too_many_members(archive):
            raise UnreadableArchive(f"it has more than {MAX_MEMBERS:,} files")
        opened = zipfile.ZipFile(archive)
    except UnreadableArchive:
        raise
    except Exception as error:
        # A damaged list of members may raise any exception.
        why = printable(str(error)) or type(error).__name__
        raise UnreadableArchive(f"{why}; {ASK}") from error
    infos = [info for info in opened.infolist() if not info.is_dir()]
    found = []
    for info, name in zip(infos, decoded(infos), strict=True):
        path, opens = _path(name), partial(opened.open, info)
        if path.parts:
            refusal = _refusal(info, path)
            found.append(Member(path.parts, info.file_size, opens, _time(info), refusal))
    return _without_older(found, "zip")


def _tar_members(archive: IO[bytes]) -> list[Member]:
    """Return the files of a plain tar."""
    try:
        opened = tarfile.TarFile(fileobj=cast(Any, _Careful(archive)))
        infos = list(islice(iter(opened.next, None), MAX_MEMBERS + 1))
    except UnreadableArchive:
        raise
    except Exception as error:
        # A damaged header may raise any exception.
        raise UnreadableArchive(f"it is damaged ({printable(str(error))}): {ASK}") from error
    if len(infos) > MAX_MEMBERS:
        raise UnreadableArchive(f"it has more than {MAX_MEMBERS:,} files")
    archive.seek(opened.offset)
    if any(archive.read(tarfile.BLOCKSIZE)):
        # Python takes a damaged header for the end of the archive.
        raise UnreadableArchive(f"it is damaged, so that not all of its files are found: {ASK}")
    found = []
    for info in infos:
        path = _path(info.name)
        if info.isdir() or not path.parts:
            continue
        refusal = _outside(path)
        if info.issym() or info.islnk():
            refusal = "it is a link"
        elif not info.isreg() or info.issparse():
            refusal = "it is not a regular file"
        opens = partial(_opened_member, opened, info)
        found.append(Member(path.parts, info.size, opens, float(info.mtime), refusal))
    return _without_older(found, "tar")


def _opened_member(opened: tarfile.TarFile, info: tarfile.TarInfo) -> AbstractContextManager:
    file = opened.extractfile(info)
    assert file is not None  # only links and devices have no content
    return closing(file)


class _Careful:
    """A file that refuses to read much at once, which only a forged header of a tar asks for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        if size > MAX_HEADER_BYTES:
            raise UnreadableArchive("a header in it is too large")
        return self._file.read(size)


def _without_older(members: list[Member], kind: str) -> list[Member]:
    """Let a file that another of the same name follows be left out."""
    last = {member.parts: member for member in members}
    why = f"the {kind} has a later file of this name"
    return [m if last[m.parts] is m else replace(m, refusal=why) for m in members]


def unpack(members: list[Member], intake_of: Callable[[Parts], Intake]) -> None:
    """Import the regular files of an archive, and note those that are left out.

    Files outside of folders come first, so that there is room for the notebook. What tools leave
    behind is skipped.

    Parameters
    ----------
    members
        The files of an archive that is still open.
    intake_of
        Called with a member's path, as folders and name; returns the intake that it goes to.

    Raises
    ------
    UserError
        If the disk cannot be written to.
    """
    for member in sorted(members, key=_own_first):
        intake = intake_of(member.parts)
        if is_made_by_a_tool(member.parts):
            intake.skip(member.parts)
        elif member.refusal:
            intake.leave_out(member.parts, member.refusal)
        else:
            intake.bring(member.parts, member.size, member.opens, member.changed)


def unpacked_size(members: list[Member]) -> int:
    """Return the most bytes that `unpack` can write, with an intake for each top-level folder."""
    sizes: dict[Parts, int] = {}
    for member in members:
        first = member.parts[:1]
        sizes[first] = min(sizes.get(first, 0) + member.size, MAX_FILES_BYTES)
    return sum(sizes.values())


def free_for_a_tar(folder: Path) -> int:
    """Return how large the tar of a class may be: it exists three times while it is imported."""
    return shutil.disk_usage(folder).free // 3


def _has_too_many_members(archive: IO[bytes]) -> bool:
    """Count the members before their list is read: each entry begins with the same four bytes.

    The bytes may occur elsewhere too, in a zip within the zip; those are counted as well.
    """
    count, tail = 0, b""
    archive.seek(0)
    while piece := archive.read(2**20):
        count += (tail + piece).count(_MEMBER)
        tail = piece[1 - len(_MEMBER) :]
    return count > MAX_MEMBERS


def _path(name: str) -> PurePosixPath:
    """Return the path of a member. Some tools on Windows separate folders by backslashes."""
    return PurePosixPath(name.replace("\\", "/"))


def _own_first(member: Member) -> tuple[bool, int]:
    return any(name.startswith((".", "__")) for name in member.parts), len(member.parts)


def _time(info: zipfile.ZipInfo) -> float | None:
    """Return when a member of a zip was changed; the zip has the local time of some computer."""
    try:
        return datetime(*info.date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _outside(path: PurePosixPath) -> str | None:
    if path.is_absolute() or ".." in path.parts:
        return "its path leads out of the submission"
    return None


def _refusal(info: zipfile.ZipInfo, path: PurePosixPath) -> str | None:
    if reason := _outside(path):
        return reason
    # Archives from Windows carry no file type at all.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "it is a link"
    if kind not in (0, stat.S_IFREG):
        return "it is not a regular file"
    if info.flag_bits & 0x1:
        return f"it is encrypted: {ASK}"
    if info.compress_type not in _METHODS:
        return "it is compressed in an unusual way; zip it with the default setting (Deflate)"
    return None
