"""How the hand-ins of a class are laid out: folders around it, and whose hand-in an entry is.

References
----------
Canvas names a downloaded file ``<name>[_LATE]_<user>_<submission>_<file>``, Moodle a folder or file
``<name>_<user>_assignsubmission_file[_<file>]``; both tell two people of one name apart by the
number of the user.
"""

from __future__ import annotations

import re
from collections.abc import Collection

Parts = tuple[str, ...]
"""The path of a file: folders and name."""

_SYSTEMS = (
    re.compile(r"(?P<name>[^_]+)(_LATE)?_(?P<user>\d+)_\d+_.+", re.IGNORECASE),
    re.compile(r"(?P<name>.+?)_(?P<user>\d+)_assignsubmission_\w+.*"),
)


def is_made_by_a_tool(name: str) -> bool:
    """Whether an entry is what macOS adds to folders and zips."""
    return name in ("__MACOSX", ".DS_Store") or name.startswith("._")


def folder_around_class(files: Collection[Parts], assignment: str) -> str | None:
    """Return the folder that holds the hand-ins of the whole class, if there is one around them.

    It is the only entry, has no notebook of its own, and holds at least two hand-ins, or one in a
    folder named after the assignment.

    Parameters
    ----------
    files
        The paths of all files that were handed in.
    assignment
        The name of the assignment.
    """
    paths = [path for path in files if not any(map(is_made_by_a_tool, path))]
    around = {path[0] for path in paths}
    inner = [path[1:] for path in paths]
    if len(around) != 1 or any(not path for path in inner):
        return None
    if any(path[0] == assignment if path[1:] else _is_notebook(path) for path in inner):
        return None  # the hand-in of one student
    hand_ins = {path[0] for path in inner if _is_notebook(path) or _is_zip(path)}
    named = any(path[1:2] == (assignment,) and path[2:] for path in inner)
    return around.pop() if len(hand_ins) > 1 or (hand_ins and named) else None


def is_one_hand_in(files: Collection[Parts], assignment: str) -> bool:
    """Whether these are the files of a single student: the notebook is not in any folder."""
    return (f"{assignment}.ipynb",) in files


def _is_notebook(path: Parts) -> bool:
    return path[-1].lower().endswith(".ipynb")


def _is_zip(path: Parts) -> bool:
    return path[-1].lower().endswith(".zip")


def students(entries: Collection[str]) -> dict[str, str]:
    """Return the student of each entry, from the name that a learning management system gave it.

    Parameters
    ----------
    entries
        The names of the folders, zips and notebooks of a class.

    Returns
    -------
    dict
        For each entry the name of the student. Where two users have the same name, the number of
        the user is added. An entry that no system has named stands for the student of its own name,
        without ``.zip`` or ``.ipynb``.
    """
    found = {entry: _named(entry) for entry in entries}
    users: dict[str, set[str]] = {}
    for name, user in found.values():
        users.setdefault(name, set()).add(user)
    return {
        entry: f"{name}-{user}" if user and len(users[name]) > 1 else name
        for entry, (name, user) in found.items()
    }


def _named(entry: str) -> tuple[str, str]:
    """Return the name and the number of the student; no number if no system gave one."""
    stem = re.sub(r"\.(zip|ipynb)$", "", entry, flags=re.IGNORECASE)
    for pattern in _SYSTEMS:
        if match := pattern.fullmatch(stem):
            return match["name"], match["user"]
    return stem, ""
