"""Remember which student a user of a learning management system is, from import to import.

Two users of one name are told apart by their numbers. A later import may hold only one of them, who
must then be the same student as before.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from autograder.grading.intake.submission_folder import SIDE
from autograder.grading.intake.systems import Sender, Senders
from helpers.files import replacing


def memory_of(submitted: Path, assignment: str) -> Path:
    """Return the file in which the names of an assignment's users are remembered."""
    return submitted / SIDE / f"{assignment}.users.json"


def known_users(submitted: Path, assignment: str) -> dict[str, str]:
    """Return the names that users had in the imports of an assignment.

    Returns
    -------
    dict of str to str
        From the system and the user, such as ``"Canvas 123"``, to the name.
    """
    return _read(memory_of(submitted, assignment))


def with_known_names(who: Senders, memory: Path) -> Senders:
    """Return who handed in what, with the names that users had in earlier imports.

    Parameters
    ----------
    who
        Who handed in what in this import.
    memory
        The file with the names by user, for one assignment: the numbers of Moodle's users differ
        from one assignment to the next. The users of this import are added to it.
    """
    if who.system is None:
        return who
    known = _read(memory)
    taken = set(known.values())
    named = {}
    for entry, people in sorted(who.of.items()):
        named[entry] = [
            replace(one, name=_name(f"{who.system.name} {one.user}", one, known, taken))
            if one.user and one.name
            else one
            for one in people
        ]
    with replacing(memory) as path:
        path.write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
    return replace(who, of=named)


def _name(user: str, one: Sender, known: dict[str, str], taken: set[str]) -> str:
    if user not in known:
        told_apart = f"{one.name.removesuffix(f'-{one.user}')}-{one.user}"
        known[user] = told_apart if one.name in taken else one.name
        taken.add(known[user])
    return known[user]


def _read(memory: Path) -> dict[str, str]:
    try:
        found = json.loads(memory.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
