"""The names that learning management systems give to the hand-ins of a class.

References
----------
Canvas
    ``<name>[_LATE]_<user>_<file>_<file's name>``, with the name in lower case and without spaces; a
    text or a link as ``<name>_<user>_text.html`` (`add_upload_submission` and `get_filename` in
    lib/content_zipper.rb of instructure/canvas-lms). The second number grows with each upload. A
    download holds all files of a student's last attempt.
Moodle
    ``<name>_<user>_assignsubmission_<kind>/`` or, without folders,
    ``<name>_<user>_assignsubmission_<kind>_<file's name>``; a group without a number has none
    (mod/assign/classes/downloader.php of moodle/moodle). Older versions end a folder with ``_``.
Sakai
    ``<Last, First(user)>/Submission attachment(s)/``, beside which are ``timestamp.txt``,
    ``comments.txt`` and the instructor's own files (`zipSubmissions` in AssignmentServiceImpl.java
    of sakaiproject/sakai); without folders, ``<Last, First(user)>_<attachments>_<file's name>``.
Gradescope
    ``submission_<number>/``, and beside them ``submission_metadata.yml`` with the submitters.
Blackboard
    ``<assignment>_<user>_attempt_<time>[_<file's name>]``; the one without a file's name is written
    by Blackboard (README.md of kwurst/bb-file-cleanup).
Brightspace
    ``<user>-<folder> - <First Last> - <Mar 29, 2018 1205 PM>/`` or ``... - <file's name>``, and an
    ``index.html``.
nbgrader
    ``<user>+<assignment>+<time>[+<random>]/`` in the exchange's folder ``inbound``
    (nbgrader/exchange/default/submit.py).
Google Drive
    gives nothing but ``Copy of`` and ``(1)``; Classroom's copies for each student begin with
    the student's name and `` - ``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import yaml

from autograder.grading.intake.known_files import Parts, stem

METADATA = "submission_metadata.yml"
"""The file in which Gradescope says who handed in what."""


@dataclass(frozen=True)
class Sender:
    """Who handed something in, as a system says it in a name.

    Attributes
    ----------
    name
        The name of the student; empty if nothing says it.
    user
        What tells the student from others of the same name; empty if there is nothing.
    attempt
        Grows from one attempt of a student to the next; empty if the system does not say. Entries
        of one attempt have the same.
    number
        Grows from one upload to the next within an attempt.
    time
        When it was handed in, if the system says so.
    file
        The name that the file had before the system put others in front; empty if it is not known.
    own
        Whether the system has written the file itself.
    """

    name: str
    user: str = ""
    attempt: tuple[float, ...] = ()
    number: int = 0
    time: datetime | None = None
    file: str = ""
    own: bool = False


@dataclass(frozen=True)
class System:
    """A learning management system.

    Attributes
    ----------
    name
    pattern
        Matches the names of entries that it makes.
    sender
        Returns who handed in an entry, given the match of its name.
    own_files
        Matches what it writes itself: the paths of files within the folder of a student.
    own_entries
        Matches what it writes itself beside the hand-ins.
    """

    name: str
    pattern: re.Pattern[str]
    sender: Callable[[re.Match[str]], Sender]
    own_files: re.Pattern[str] | None = None
    own_entries: re.Pattern[str] | None = None


def _canvas(match: re.Match[str]) -> Sender:
    name = match["name"] or match["user"]
    return Sender(name, match["user"], number=int(match["number"] or 0), own=not match["number"])


def _moodle(match: re.Match[str]) -> Sender:
    return Sender(match["name"], match["user"] or "", own=match["kind"] != "file")


def _sakai(match: re.Match[str]) -> Sender:
    return Sender(match["name"], match["user"])


def _gradescope(match: re.Match[str]) -> Sender:
    return Sender(match[0], attempt=(float(match["number"]),))


def _blackboard(match: re.Match[str]) -> Sender:
    time = _local_time(match["time"], "%Y-%m-%d-%H-%M-%S")
    return _timed(match["name"], "", time, own=match["file"] is None)


def _brightspace(match: re.Match[str]) -> Sender:
    return _timed(match["name"], match["user"], _local_time(match["time"], "%b %d, %Y %I%M %p"))


def _exchange(match: re.Match[str]) -> Sender:
    text = match["time"].partition(".")[0].removesuffix(" UTC")
    time = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return _timed(match["name"], "", time)


def _timed(name: str, user: str, time: datetime | None, *, own: bool = False) -> Sender:
    return Sender(name, user, (time.timestamp(),) if time else (), time=time, own=own)


def _local_time(text: str, form: str) -> datetime | None:
    """Return a time as the system shows it, in the time zone of this computer."""
    try:
        return datetime.strptime(re.sub(r" (\d{3} [AP]M)$", r" 0\1", text), form).astimezone()
    except (ValueError, OverflowError):
        return None


SYSTEMS = (
    System(
        "Canvas",
        re.compile(
            r"(?:(?P<name>(?!LATE_|anon_)\w+?)_)?(?:LATE_)?(?P<user>\d+|anon_[^\W_]+)"
            r"_(?:(?P<number>\d+)_(?P<file>.+)|text\.html|link\.html)",
            re.DOTALL,
        ),
        _canvas,
    ),
    System(
        "Moodle",
        re.compile(
            r"(?P<name>.+?)(?:_(?P<user>\d+))?_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?",
            re.DOTALL,
        ),
        _moodle,
    ),
    System(
        "Sakai",
        re.compile(
            r"(?P<name>[^()]+, ?[^()]*[^() ])\((?P<user>[^()\s]+)\)"
            r"(?:_(?!submissionText)[^_]+_(?P<file>.+))?",
            re.DOTALL,
        ),
        _sakai,
        re.compile(
            r"Feedback Attachment\(s\)/.*|timestamp\.txt|comments\.txt|feedbackText\.html"
            r"|[^/]*_submissionText\.html",
            re.DOTALL,
        ),
        re.compile(r"grades\.(csv|xlsx?)"),
    ),
    System(
        "Gradescope",
        re.compile(r"submission_(?P<number>\d+)"),
        _gradescope,
        own_entries=re.compile(re.escape(METADATA)),
    ),
    System(
        "Blackboard",
        re.compile(
            r"(?P<name>.+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)", re.DOTALL
        ),
        _blackboard,
    ),
    System(
        "Brightspace",
        re.compile(
            r"(?P<user>\d+)-\d+ - (?P<name>.+?) - (?P<time>[^-]*\d{4} \d{3,4} [AP]M)"
            r"(?: - (?P<file>.+))?",
            re.DOTALL,
        ),
        _brightspace,
        own_entries=re.compile(r"index\.html"),
    ),
    System(
        "nbgrader",
        re.compile(
            r"(?P<name>.+?)\+[^+]+\+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? UTC)"
            r"(?:\+.*)?",
            re.DOTALL,
        ),
        _exchange,
    ),
)


@dataclass(frozen=True)
class Senders:
    """Who handed in each entry of a class.

    Attributes
    ----------
    of
        By entry, the people: one or, for the hand-in of a group, several, each with a safe place of
        their own in `students`.
    system
        The system that gave the names; None if people gave them.
    """

    of: Mapping[str, list[Sender]] = field(default_factory=dict)
    system: System | None = None

    def is_own_file(self, parts: Parts) -> bool:
        """Whether the system wrote the file at `parts` in the folder of a student."""
        pattern = self.system.own_files if self.system else None
        return bool(pattern and pattern.fullmatch("/".join(parts)))

    def is_own_entry(self, entry: str) -> bool:
        """Whether the system wrote an entry, which is nobody's hand-in."""
        pattern = self.system.own_entries if self.system else None
        found = self.of.get(entry, [])
        return bool(pattern and pattern.fullmatch(entry)) or any(who.own for who in found)


def system_of(entries: Iterable[str]) -> System | None:
    """Return the system that named most of the entries; None if it named less than half of them.

    A student can choose the last part of a name, but not all names of a class.
    """
    entries = set(entries)
    counts = {system.name: _people(system, entries) for system in SYSTEMS}
    best = max(SYSTEMS, key=lambda system: counts[system.name])
    named = counts[best.name][0]
    return best if named and 2 * named >= len(entries) else None


def _people(system: System, entries: Collection[str]) -> tuple[int, int]:
    """Return how many entries a system would have named, and of how many people."""
    found = [who for entry in entries if (who := _sender(system, entry))]
    return len(found), len({(who.name, who.user) for who in found})


def _sender(system: System, entry: str) -> Sender | None:
    if not (match := system.pattern.fullmatch(entry)):
        return None
    return replace(system.sender(match), file=match.groupdict().get("file") or "")


def senders(
    entries: Collection[str], assignment: str, metadata: Mapping[str, Any] | None = None
) -> Senders:
    """Return who handed in each entry.

    Parameters
    ----------
    entries
        The names of the folders, archives, notebooks and other files of a class.
    assignment
        The name of the assignment, which is not part of a student's name.
    metadata
        What Gradescope says about the submissions (see `gradescope_metadata`).

    Returns
    -------
    Senders
        Where two users have the same name, the number of the user is added. An entry that no system
        has named comes from the student of its own name, without the ending, the assignment's name
        and what marks a copy.
    """
    system = system_of(entries)
    found = {entry: _entry_senders(entry, system, assignment, metadata or {}) for entry in entries}
    if system and system.name == "Blackboard":
        found = _without_the_same_beginning(found)
    users: dict[str, set[str]] = {}
    for who in (who for people in found.values() for who in people):
        users.setdefault(who.name, set()).add(who.user)
    told_apart = {
        entry: [
            replace(who, name=f"{who.name}-{who.user}")
            if who.user and len(users[who.name]) > 1
            else who
            for who in people
        ]
        for entry, people in found.items()
    }
    return Senders(told_apart, system)


def _entry_senders(
    entry: str, system: System | None, assignment: str, metadata: Mapping[str, Any]
) -> list[Sender]:
    who = _sender(system, entry) if system else None
    if who is None:
        return [plain_sender(entry, assignment)]
    if people := _submitters(metadata.get(entry), who):
        return people
    return [replace(who, name=unicodedata.normalize("NFC", who.name))]


def _without_the_same_beginning(found: dict[str, list[Sender]]) -> dict[str, list[Sender]]:
    """Take the assignment's name, which Blackboard writes first, from the students' names."""
    names = {who.name for people in found.values() for who in people if who.time}
    short = {name: name.rpartition("_")[2] for name in names}
    if len(set(short.values())) < len(names):  # there are underscores in the students' names
        first, last = min(names), max(names)
        same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
        length = first.rfind("_", 0, same) + 1
        short = {name: name[length:] for name in names}
    return {
        entry: [replace(who, name=short.get(who.name, who.name)) for who in people]
        for entry, people in found.items()
    }


_COPY_OF = re.compile(r"(?:Copy of|Kopie von|Copie de|Copia de|Cópia de) ", re.IGNORECASE)
"""What Drive puts in front of the name of a copy, in some languages."""
_COPY = re.compile(
    r"(?: - Copy(?: \((?P<windows>\d+)\))?| copy(?: (?P<finder>\d+))?| ?\((?P<browser>\d{1,2})\))$"
)
"""What Windows, Finder and browsers put after the name of a copy."""


def plain_sender(entry: str, assignment: str) -> Sender:
    """Return the sender of an entry that people named.

    Examples
    --------
    >>> plain_sender("Ada Lovelace - pruning (1).ipynb", "pruning")
    Sender(name='Ada Lovelace', user='', attempt=(), number=1, time=None, file='', own=False)
    >>> plain_sender("Copy of pruning.ipynb", "pruning").name
    ''
    """
    name, copy = without_copy_marks(stem(entry))
    words = re.escape(assignment).replace("_", "[ _-]")
    around = rf"{words}(?: - |[ _-])(?P<after>.+)|(?P<before>.+?)(?: - |[ _-]){words}|{words}"
    if match := re.fullmatch(around, name, re.IGNORECASE | re.DOTALL):
        name = match["before"] or match["after"] or ""
    return Sender(unicodedata.normalize("NFC", name), number=copy)


def without_copy_marks(name: str) -> tuple[str, int]:
    """Return a name without what marks a copy, and the number of the copy."""
    number = 0
    name = _COPY_OF.sub("", name, count=1) if _COPY_OF.match(name) else name
    while match := _COPY.search(name, 1):
        number = max(number, *(int(found or 1) for found in match.groups()))
        name = name[: match.start()]
    return name, number


def gradescope_metadata(content: bytes) -> dict[str, Any]:
    """Return what Gradescope's file says, by the name of the folder; nothing if it is damaged."""
    try:
        found = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return {str(k): v for k, v in found.items()} if isinstance(found, dict) else {}


def _submitters(found: Any, who: Sender) -> list[Sender]:
    """Return the people that Gradescope names for a submission: all members of a group."""
    people = found.get(":submitters") if isinstance(found, dict) else None
    time = found.get(":created_at") if people else None
    if isinstance(time, datetime):
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        who = replace(who, attempt=(time.timestamp(),), time=time)
    senders = []
    for person in people if isinstance(people, list) else []:
        if not isinstance(person, dict):
            continue
        user = str(person.get(":sid") or person.get(":email") or "")
        if name := str(person.get(":name") or user):
            senders.append(replace(who, name=unicodedata.normalize("NFC", name), user=user))
    return senders


def sakai_time(content: bytes) -> datetime | None:
    """Return the time in the ``timestamp.txt`` that Sakai writes beside a student's files."""
    try:
        digits = re.fullmatch(r"\s*(\d{14})\d{3}\s*", content.decode("ascii"))
        if digits:
            return datetime.strptime(digits[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        pass
    return None
