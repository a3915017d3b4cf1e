"""The settings of a course, which its file ``course.toml`` holds and every command reads."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from autograder.errors import UserError
from helpers.profile import PROFILES

NAME = "course.toml"

TEMPLATE = """\
# The settings of this course, which every command reads: `autograder`, `nbgrader`, the formgrader.
# A line that begins with # has no effect; it shows the default, or an example.

# What students train: "quick" (handwritten digits, on any computer) or "full" (CIFAR-10).
# profile = "quick"

# What happens to a hand-in whose networks were trained in the other profile: "grade" grades it in
# its own profile, "flag" grades it in the profile of the course. The report names it in both cases.
# other_profile = "grade"

# Which attempt of a student counts: the "latest", or the "best", which is the one with the most
# points after what is taken off for being late (the earlier one of two with as many). Written
# answers, which wait for a person, do not decide: attempts are compared by the points that the
# hidden tests give, and points that a person gives later do not change which of them counts.
# attempts = "latest"

# The assignments of this course; by default, all of them.
# assignments = ["pruning", "quantization"]

# A table of all students, in which those who hand in nothing are listed, too: a CSV file with the
# columns id, first_name, last_name and email, of which only id is needed.
# roster = "roster.csv"

# The gradebook; by default, the file gradebook.db in this folder. On a PostgreSQL server, it can be
# used from several computers at a time, and needs a package: `pip install "psycopg[binary]"`. The
# password belongs in ~/.pgpass, not here.
# gradebook = "postgresql://grader@db.example.edu/course"

# The folder on this computer that holds cifar10.npz; by default, the one that COURSE_DATA names.
# data = "/srv/data"

# The public address at which you put what is in the folder `release`. With it, a notebook alone is
# enough: its first cell downloads the package that belongs to it and compares the digest. Leave
# earlier packages (.whl) there, because notebooks that students have begun ask for theirs. The
# address may be the page of a folder on GitHub; then notebooks have a badge that opens them in
# Google Colab, which opens notebooks by their address from GitHub only.
# releases = "https://www.example.edu/course"

# The address of a folder with the archive of CIFAR-10, from which students download it.
# mirror = "https://www.example.edu/data"

# The time zone of due dates that do not name one.
# timezone = "UTC"

# A date alone means the end of that day.
[due]
# pruning = 2027-02-15
# quantization = 2027-03-01T18:00:00

# What is taken off for a late hand-in: "none"; "zero", which leaves no points; or "daily", which
# takes a percentage of the points earned for every day that has begun. Nothing is taken off within
# the hours of grace. Extensions of single students, in nbgrader's gradebook, count.
[late]
# penalty = "none"
# percent_per_day = 10
# grace_hours = 0

# The limits for one submission: the processor time of a cell, the time for the whole notebook, and
# the memory.
[limits]
# cell_seconds = 60
# total_seconds = 900
# memory_mib = 4096
"""
"""What `autograder init` writes. As it stands, it changes nothing."""

_POSITIVE = {"type": "number", "exclusiveMinimum": 0}
_ADDRESS = {"type": "string", "pattern": "^(https?://.*)?$"}
_SCHEMA = {
    "type": "object",
    "properties": {
        "profile": {"enum": list(PROFILES)},
        "other_profile": {"enum": ["grade", "flag"]},
        "attempts": {"enum": ["latest", "best"]},
        "assignments": {"type": "array", "items": {"type": "string"}},
        "roster": {"type": "string", "minLength": 1},
        "gradebook": {"type": "string", "pattern": "^postgresql://"},
        "data": {"type": "string", "minLength": 1},
        "releases": _ADDRESS,
        "mirror": _ADDRESS,
        "timezone": {"type": "string"},
        "due": {"type": "object", "additionalProperties": {"type": "date"}},
        "late": {
            "type": "object",
            "properties": {
                "penalty": {"enum": ["none", "zero", "daily"]},
                "percent_per_day": {"type": "number", "minimum": 0, "maximum": 100},
                "grace_hours": {"type": "number", "minimum": 0},
            },
            "additionalProperties": False,
        },
        "limits": {
            "type": "object",
            "properties": {
                "cell_seconds": _POSITIVE,
                "total_seconds": _POSITIVE,
                "memory_mib": {"type": "integer", "exclusiveMinimum": 0},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
# TOML has dates, which JSON and its schemas do not have.
_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "date", lambda checker, value: isinstance(value, date)
    ),
)


@dataclass(frozen=True)
class Late:
    """What is taken off for a late hand-in.

    Attributes
    ----------
    penalty
        ``"none"``, ``"zero"`` or ``"daily"``.
    percent_per_day
        With ``"daily"``: the percentage of the points earned that every day begun takes off.
    grace_hours
        How long after the due date nothing is taken off.
    """

    penalty: str = "none"
    percent_per_day: float = 10.0
    grace_hours: float = 0.0


@dataclass(frozen=True)
class Settings:
    """The settings of a course; `TEMPLATE` explains each of them.

    Attributes
    ----------
    profile
        ``"quick"`` or ``"full"``.
    other_profile
        ``"grade"`` or ``"flag"``.
    attempts
        ``"latest"`` or ``"best"``.
    assignments
        The names of the assignments; empty if the course has all of them.
    roster
        The table of students, or None.
    gradebook
        The address of a PostgreSQL database, or empty for a file in the course folder.
    data
        The folder with CIFAR-10, or None.
    releases, mirror
        Addresses, which may be empty.
    due
        The due date of each assignment that has one, in UTC.
    late
        What is taken off for a late hand-in.
    limits
        Those of the limits ``cell_seconds``, ``total_seconds`` and ``memory_mib`` that are set.
    """

    profile: str = "quick"
    other_profile: str = "grade"
    attempts: str = "latest"
    assignments: tuple[str, ...] = ()
    roster: Path | None = None
    gradebook: str = ""
    data: Path | None = None
    releases: str = ""
    mirror: str = ""
    due: Mapping[str, datetime] = field(default_factory=dict)
    late: Late = Late()
    limits: Mapping[str, float] = field(default_factory=dict)


def read_settings(folder: Path) -> Settings:
    """Read the settings of the course in a folder.

    Returns
    -------
    Settings
        The defaults if the folder has no ``course.toml``. Paths are relative to the folder.

    Raises
    ------
    UserError
        If the file is not TOML, if a setting is unknown or has a value that it cannot have, or if
        it needs a package that is not installed.
    """
    file = folder / NAME
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{file} is not valid TOML: {error}.") from error
    if fault := best_match(_Validator(_SCHEMA).iter_errors(found)):
        where = ".".join(map(str, fault.absolute_path))
        raise UserError(f"{file}: {where + ': ' if where else ''}{fault.message}.")
    try:
        zone = ZoneInfo(found.pop("timezone", "UTC"))
    except (KeyError, ValueError, OSError) as error:
        raise UserError(f"{file}: there is no such time zone: {error}.") from error
    due = {name: _in_utc(day, zone) for name, day in found.pop("due", {}).items()}
    paths = {name: folder / found.pop(name) for name in ("roster", "data") if name in found}
    if "gradebook" in found:
        found["gradebook"] = _with_driver(found["gradebook"], file)
    late = Late(**found.pop("late", {}))
    assignments = tuple(found.pop("assignments", ()))
    return Settings(due=due, late=late, assignments=assignments, **paths, **found)


def _with_driver(address: str, file: Path) -> str:
    """Return the address of a database with the package that talks to it, which must be there."""
    if find_spec("psycopg") is None:
        raise UserError(
            f"{file} names a PostgreSQL server as the gradebook, which needs another package: "
            'pip install "psycopg[binary]".'
        )
    # Versions of SQLAlchemy differ in which package they choose by themselves.
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


def _in_utc(day: date, zone: tzinfo) -> datetime:
    """Return a due date in UTC; a date alone means the end of the day."""
    moment = day if isinstance(day, datetime) else datetime.combine(day, time(23, 59, 59))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)
