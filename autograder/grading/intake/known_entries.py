"""Remember under which name each student's hand-in came, because feedback goes back under it.

Canvas, Moodle and Sakai tell by the name of a file which student it is for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.grading.intake.names import safe_name
from autograder.grading.intake.submission_folder import SIDE
from autograder.grading.intake.systems import Senders
from helpers.files import replacing


@dataclass(frozen=True)
class KnownEntries:
    """What the last learning management system called the hand-ins of an assignment.

    Attributes
    ----------
    system
        Its name, as in `autograder.grading.intake.systems`; empty if none is known.
    of
        By student, the names of the entries of the last download that held any of this student.
    """

    system: str = ""
    of: Mapping[str, Sequence[str]] = field(default_factory=dict)


def known_entries(submitted: Path, assignment: str) -> KnownEntries:
    """Return the names that the hand-ins of an assignment had in the imports."""
    try:
        found = json.loads(_memory_of(submitted, assignment).read_text(encoding="utf-8"))
        entries = {str(student): list(map(str, names)) for student, names in found["of"].items()}
        return KnownEntries(str(found["system"]), entries)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return KnownEntries()


def remember_entries(who: Senders, submitted: Path, assignment: str) -> None:
    """Add the names of an import; those that another system gave are forgotten.

    Parameters
    ----------
    who
        Who handed in what, with the names that the students have in the course.
    submitted, assignment
    """
    if who.system is None:
        return
    known = known_entries(submitted, assignment)
    of = dict(known.of) if known.system == who.system.name else {}
    new: dict[str, list[str]] = {}
    for entry, people in sorted(who.of.items()):
        for one in people:
            if one.name and not one.own:
                new.setdefault(safe_name(one.name), []).append(entry)
    with replacing(_memory_of(submitted, assignment)) as path:
        content = {"system": who.system.name, "of": of | new}
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _memory_of(submitted: Path, assignment: str) -> Path:
    return submitted / SIDE / f"{assignment}.entries.json"
