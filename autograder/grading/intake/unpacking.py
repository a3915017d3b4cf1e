"""Unpack submitted zips member by member, within the limits of a submission."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from autograder.errors import UserError
from autograder.grading.intake.hand_in_files import MAX_FILES_BYTES, Intake
from autograder.grading.intake.names import printable

MAX_MEMBERS = 200_000
"""Limit on the members of a zip, so that a class of 1,000 may have 200 files per student.

Python takes 0.5 kB for each member as soon as it opens the zip: 100 MB for this many.
"""

_MEMBER = b"PK\x01\x02"
"""The first bytes of every entry in a zip's list of members."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The methods of compression that are accepted.

The others (bzip2, LZMA) can expand a few bytes to gigabytes at once; no tool uses them by default.
"""


class UnreadableZip(UserError):
    """A zip cannot be unpacked; the message says why."""


def opened_zip(archive: IO[bytes]) -> zipfile.ZipFile:
    """Open a zip.

    Parameters
    ----------
    archive
        A seekable file. It stays open when the zip is closed.

    Raises
    ------
    UnreadableZip
        If it is not a zip, or its list of members is damaged or longer than `MAX_MEMBERS`.
    """
    try:
        if _has_too_many_members(archive):
            raise UnreadableZip(f"it has more than {MAX_MEMBERS:,} files")
        return zipfile.ZipFile(archive)
    except UnreadableZip:
        raise
    except Exception as error:
        # A damaged list of members may raise any exception.
        raise UnreadableZip(printable(str(error)) or type(error).__name__) from error


def unpack(members: zipfile.ZipFile, intake_of: Callable[[tuple[str, ...]], Intake]) -> None:
    """Import the regular files of a zip, and note those that are left out.

    Files outside of folders come first, so that there is room for the notebook.

    Parameters
    ----------
    members
        The opened zip.
    intake_of
        Called with a member's path, as folders and name; returns the intake that it goes to.

    Raises
    ------
    UserError
        If the disk cannot be written to.
    """
    files = [info for info in members.infolist() if not info.is_dir()]
    last = {_path(info): info for info in files}
    for info in sorted(files, key=_own_first):
        path = _path(info)
        if not path.parts:
            continue
        intake = intake_of(path.parts)
        if info is not last[path]:
            intake.leave_out(path.parts, "the zip has a later file of this name")
        elif reason := _refusal(info):
            intake.leave_out(path.parts, reason)
        else:
            intake.bring(path.parts, info.file_size, partial(members.open, info))


def paths(members: zipfile.ZipFile) -> list[tuple[str, ...]]:
    """Return the paths of the files in a zip."""
    found = (_path(info).parts for info in members.infolist() if not info.is_dir())
    return [parts for parts in found if parts]


def unpacked_size(members: zipfile.ZipFile) -> int:
    """Return the most bytes that `unpack` can write, with an intake for each top-level folder."""
    sizes: dict[tuple[str, ...], int] = {}
    for info in members.infolist():
        first = _path(info).parts[:1]
        sizes[first] = min(sizes.get(first, 0) + info.file_size, MAX_FILES_BYTES)
    return sum(sizes.values())


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


def _path(info: zipfile.ZipInfo) -> PurePosixPath:
    """Return the path of a member. Some tools on Windows separate folders by backslashes."""
    return PurePosixPath(info.filename.replace("\\", "/"))


def _own_first(info: zipfile.ZipInfo) -> tuple[bool, int]:
    folders = _path(info).parts
    return any(name.startswith((".", "__")) for name in folders), len(folders)


def _refusal(info: zipfile.ZipInfo) -> str | None:
    path = _path(info)
    if path.is_absolute() or ".." in path.parts:
        return "its path leads out of the submission"
    # Archives from Windows carry no file type at all.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "it is a link"
    if kind not in (0, stat.S_IFREG):
        return "it is not a regular file"
    if info.flag_bits & 0x1:
        return "it is encrypted"
    if info.compress_type not in _METHODS:
        return "it is compressed in an unusual way; zip it with the default setting (Deflate)"
    return None
