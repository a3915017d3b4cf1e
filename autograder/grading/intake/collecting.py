"""Import the hand-ins of a class from a folder or an archive. Nothing in them is trusted."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from autograder.errors import UserError
from autograder.grading.intake.class_layout import (
    MAX_WRAPPERS,
    folders_around_class,
    is_class,
    is_one_hand_in,
)
from autograder.grading.intake.hand_in_files import (
    CannotBeWritten,
    Intake,
    not_regular,
    opened,
    regular_file,
    walk,
)
from autograder.grading.intake.known_entries import remember_entries
from autograder.grading.intake.known_files import (
    Parts,
    is_archive,
    is_made_by_a_tool,
    is_notebook,
)
from autograder.grading.intake.known_users import memory_of, with_known_names
from autograder.grading.intake.ledger import Ledger, What
from autograder.grading.intake.names import printable, safe_name
from autograder.grading.intake.student_hand_ins import HandIns, Unit
from autograder.grading.intake.submission_folder import SIDE, SubmissionFolder
from autograder.grading.intake.systems import (
    METADATA,
    Senders,
    gradescope_metadata,
    senders,
    system_of,
)
from autograder.grading.intake.unpacking import (
    UnreadableArchive,
    free_for_a_tar,
    opened_archive,
    unpack,
    unpacked_size,
)
from autograder.grading.intake.untouched import UNTOUCHED, is_untouched

MAX_METADATA_BYTES = 16 * 2**20
"""Limit on the file in which Gradescope describes a class: 1 MB for each hundred submissions."""

EXPECTED = (
    "Give the download of Canvas, Moodle, Sakai, Gradescope, Blackboard or Brightspace, or a "
    "folder or an archive (zip, tar.gz) with one folder, archive or notebook per student, named "
    "after the student."
)

_DRIVE_PART = re.compile(r"drive-download-.*\.zip", re.IGNORECASE)
"""A part of what Google Drive gives out: it cuts a large folder into several zips."""


_OF_THE_DISK = frozenset(
    {errno.EACCES, errno.EDQUOT, errno.EIO, errno.ENOSPC, errno.EPERM, errno.EROFS}
)
"""Errors for which the disk or its permissions are to blame, and not this program."""


class NoHandIns(UserError):
    """There is nothing to import or to grade; the message says what was found instead."""


@dataclass
class Collected:
    """What `collect` imported into the course.

    Attributes
    ----------
    students
        The students, by the names that they have in the course.
    notes
        For each student, what the instructor should know about the import.
    ledger
        What became of every file that came in.
    """

    students: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def left_out(self) -> list[str]:
        """What was left out, with the reasons; what a person must look at comes first."""
        return [entry.line for entry in self.ledger.left_out()]


def collect(
    source: Path,
    assignment: str,
    submitted: Path,
    *,
    answers: Mapping[str, str] | None = None,
    keep_attempts: bool = False,
) -> Collected:
    """Import hand-ins into ``submitted/<student>/<assignment>/``.

    Whatever one hand-in contains, the others are imported. Of several hand-ins of a student, the
    newest that holds a notebook is imported. A student without one keeps what was imported before.
    A student whose name nbgrader cannot handle gets another (see
    `autograder.grading.intake.names.safe_name`), and a note says so.

    Parameters
    ----------
    source
        A folder or an archive with one folder, archive or notebook per student:
        ``<student>/<assignment>/``, ``<student>/``, ``<student>.zip`` or ``<student>.ipynb``. It
        may be what a learning management system gives out (see
        `autograder.grading.intake.systems`), and folders and an archive may lie around the class.
    assignment
        The name of the assignment.
    submitted
        The course's folder of submissions. A student's earlier submission is replaced. If this is
        the same folder as `source`, the submissions stay where they are, and files that must not be
        in them are moved to the folder ``.intake`` beside them.
    answers
        The text of each cell for an answer in the release, by its ``grade_id``, by which a notebook
        is recognised that was handed in as it was handed out.
    keep_attempts
        Keep every attempt of a student (see `autograder.grading.intake.kept_attempts`), because the
        best of them counts. An earlier submission then stays where it is.

    Raises
    ------
    NoHandIns
        If `source` does not exist or holds no submission.
    CannotBeWritten
        If the disk is full, or the folder of submissions read-only. Nothing that was there is lost.
    UserError
        If the archive of the class cannot be unpacked, if `source` is the hand-in of one student
        whose name it does not say, or if another command is importing hand-ins.
    """
    if not source.exists():
        raise NoHandIns(f"There is no {source}: name the folder or the archive of submissions.")
    collected = Collected()
    # Each notebook is asked about when it is chosen, entered into the ledger and noted.
    untouched = cache(partial(is_untouched, released=answers or {}))
    with _explained(source, submitted):
        submitted.mkdir(parents=True, exist_ok=True)
        with _alone(submitted):
            _clear_up(submitted, assignment)
            hand_ins = HandIns(
                assignment, submitted, untouched, collected.ledger, keep_attempts=keep_attempts
            )
            try:
                if source.is_dir() and source.resolve() == submitted.resolve():
                    _look_through(hand_ins, collected)
                else:
                    _Import(source, assignment, submitted, hand_ins, collected).run()
                collected.students.sort()
                _take_notes(assignment, submitted, untouched, collected)
            finally:
                shutil.rmtree(hand_ins.work, ignore_errors=True)
    if not collected.students:
        raise NoHandIns(_nothing_recognised(source, assignment, collected))
    return collected


def _nothing_recognised(source: Path, assignment: str, collected: Collected) -> str:
    what = collected.ledger.diagnosis()
    seen = f"This is what is in it:\n{what}\n" if what else "It is empty. "
    return (
        f"{source} holds no submission of {assignment}, so nothing was imported and nobody is "
        f"graded. {seen}{EXPECTED}"
    )


@contextmanager
def _explained(source: Path, submitted: Path) -> Iterator[None]:
    """Turn an error of the disk into one sentence."""
    try:
        yield
    except CannotBeWritten as error:
        raise CannotBeWritten(submitted, error.reason) from error
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise  # a fault of ours
        if error.filename is not None and Path(os.fsdecode(error.filename)) == source:
            raise NoHandIns(f"{source} cannot be read: {error.strerror}.") from error
        raise CannotBeWritten(submitted, error.strerror) from error


@contextmanager
def _alone(submitted: Path) -> Iterator[None]:
    """Prevent a second import at the same time, which would clear up the work of the first."""
    side = submitted / SIDE
    side.mkdir(exist_ok=True)
    with (side / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"Another command is importing submissions into {submitted}: try again once it has "
                "started to grade."
            ) from None
        yield


def _clear_up(submitted: Path, assignment: str) -> None:
    """Undo what an earlier import had begun when it was killed."""
    shutil.rmtree(submitted / SIDE / "unpacked", ignore_errors=True)
    side = submitted / SIDE / assignment
    for student in os.listdir(side) if side.exists() else []:
        folder = SubmissionFolder(submitted, student, assignment)
        with folder.alone():  # another command may be putting an attempt into its place
            folder.clear_up()


def _look_through(hand_ins: HandIns, collected: Collected) -> None:
    """Prepare the submissions that are in the course already."""
    submitted, assignment = hand_ins.submitted, hand_ins.assignment
    for name in sorted(os.listdir(submitted)):
        path, student = submitted / name, safe_name(name)
        if name.startswith(".") or is_made_by_a_tool([name]):
            continue
        if not os.path.lexists(path / assignment):
            if not path.is_dir():
                why = "it is not a folder; import hand-ins with --from"
                collected.ledger.add((name,), What.PERSON, why=why)
            continue
        notes = []
        if student != name:
            if os.path.lexists(submitted / student):
                why = f"nbgrader cannot handle its name, and {student} is there already"
                collected.ledger.add((name,), What.PERSON, why=why)
                continue
            path.rename(submitted / student)
            notes.append(f"the student's folder was called {printable(name)}")
        folder = SubmissionFolder(submitted, student, assignment)
        try:
            with folder.alone():
                if not hand_ins.unpack_in_place(folder, notes):
                    folder.prepare(notes)
        except PermissionError as error:
            collected.ledger.add((student,), What.PERSON, student, printable(str(error)))
            continue
        collected.students.append(student)


@dataclass
class _Import:
    """The import of a class from outside the course.

    Attributes
    ----------
    source, assignment, submitted
        The parameters of `collect`.
    hand_ins
        Takes in the hand-ins of one student after the other.
    collected
        The result.
    earlier
        By entry, what became of its files when the archive of the class was unpacked.
    """

    source: Path
    assignment: str
    submitted: Path
    hand_ins: HandIns
    collected: Collected
    earlier: dict[str, Intake] = field(default_factory=dict)

    def run(self) -> None:
        """Import the hand-ins."""
        if only := self._only_hand_in():
            self._bring_in(self.source.parent, (), [only])
            return
        home = self.source if self.source.is_dir() else self._unpacked((), self.source)
        label: Parts = ()
        for _ in range(MAX_WRAPPERS):
            files = _files(home)
            if around := folders_around_class(files, self.assignment):
                self._leave_tools(home, label, around)
                home, label = home.joinpath(*around), (*label, *around)
            entries = _entries(home)
            inner = [name for name in entries if self._is_archive_of_class(home, name, entries)]
            if not inner or inner != entries:
                break
            self._leave_tools(home, label, ())
            label = (*label, inner[0]) if len(inner) == 1 else label
            home = self._unpacked(label, *(home / name for name in inner))
        self._bring_in(home, label, _entries(home))

    def _only_hand_in(self) -> str | None:
        """Return the name of the source if it is the hand-in of one student; None if of a class.

        Raises
        ------
        UserError
            If nothing says whose hand-in it is.
        """
        if is_notebook(self.source.name):
            one = True
        elif self.source.is_dir():
            one = is_one_hand_in(_files(self.source), self.assignment)
        else:
            with self._members(self.source) as members:
                one = is_one_hand_in([member.parts for member in members], self.assignment)
        name = self.source.resolve().name
        if one and not system_of([name]):
            raise UserError(
                f"{self.source} is the hand-in of one student, and does not say whose: put it into "
                "a folder with the student's name, and give the folder around that one."
            )
        return name if one else None

    @contextmanager
    def _members(self, source: Path) -> Iterator[list]:
        """Open an archive of the class."""
        try:
            with (
                source.open("rb") as file,
                opened_archive(
                    file, self.hand_ins.work, tar_bytes=free_for_a_tar(self.submitted)
                ) as members,
            ):
                yield members
        except UnreadableArchive as error:
            raise UserError(f"{source} cannot be unpacked: {error}.") from error

    def _is_archive_of_class(self, home: Path, name: str, entries: list[str]) -> bool:
        """Whether the only entry is an archive of the class, or each of them is a part of one."""
        if not is_archive(name) or (home / name).is_symlink() or not (home / name).is_file():
            return False
        if _DRIVE_PART.fullmatch(name):
            return True
        if len(entries) > 1 or system_of([name]):
            return False
        try:
            with self._members(home / name) as members:
                return is_class([member.parts for member in members], self.assignment)
        except UserError:
            return False

    def _unpacked(self, label: Parts, *archives: Path) -> Path:
        """Unpack the archives of the class into one folder, and return it."""
        folder = Path(tempfile.mkdtemp(prefix="class-", dir=self.hand_ins.work))
        # Each hand-in has an intake of its own, with limits of its own.
        intakes: dict[str, Intake] = {}
        for archive in archives:
            with self._members(archive) as members:
                # The files exist twice for a while: unpacked, and copied to their places.
                needed, free = 2 * unpacked_size(members), shutil.disk_usage(self.submitted).free
                if needed > free:
                    raise UserError(
                        f"{archive} takes {needed / 2**30:.1f} GB to unpack, and there are "
                        f"{free / 2**30:.1f} GB free in {self.submitted.resolve()}."
                    )
                paths = [member.parts for member in members]
                depth = len(folders_around_class(paths, self.assignment))

                def intake_of(parts: Parts, depth: int = depth) -> Intake:
                    return intakes.setdefault(
                        parts[min(depth, len(parts) - 1)], Intake(folder, label)
                    )

                unpack(members, intake_of)
        self.earlier |= intakes
        return folder

    def _leave_tools(self, home: Path, label: Parts, around: Parts) -> None:
        """Enter what tools have left around the class into the ledger."""
        for parts in _files(home):
            if is_made_by_a_tool(parts) and (not around or parts[: len(around)] != around):
                self.collected.ledger.add((*label, *parts), What.TOOL)

    def _bring_in(self, home: Path, label: Parts, entries: list[str]) -> None:
        """Import the hand-ins in a folder."""
        ledger = self.collected.ledger
        with opened(home.resolve(), os.O_DIRECTORY) as place:
            metadata = {}
            if METADATA in entries:
                with suppress(OSError), regular_file(METADATA, place) as file:
                    metadata = gradescope_metadata(file.read(MAX_METADATA_BYTES))
            memory = memory_of(self.submitted, self.assignment)
            who = with_known_names(senders(entries, self.assignment, metadata), memory)
            remember_entries(who, self.submitted, self.assignment)
            students: dict[str, list[Unit]] = {}
            for entry in entries:
                for unit in self._units(entry, place, label, who):
                    students.setdefault(unit.sender.name, []).append(unit)
            nobody = students.pop("", [])
            if entries != [self.source.name]:
                self._leave_tools_beside(place, label)
            for called, units in sorted(students.items()):
                student = safe_name(called)
                notes = []
                if student != called:
                    first = printable(units[0].entry)
                    notes.append(f"the hand-in was called {first}")
                if self.hand_ins.bring_in(student, units, place, who, notes):
                    self.collected.students.append(student)
            for unit in nobody:
                self.hand_ins.leave_out_of_nobody(unit, place, who)
            for name in sorted(self.earlier.keys() - set(entries)):
                for fate in self.earlier[name].fates:
                    if fate.reason:
                        ledger.add(fate.parts, What.PERSON, why=fate.reason)

    def _units(self, entry: str, place: int, label: Parts, who: Senders) -> list[Unit]:
        """Return what an entry is for each student who handed it in; enter others in the ledger."""
        ledger, parts = self.collected.ledger, (*label, entry)
        try:
            status = os.stat(entry, dir_fd=place, follow_symlinks=False)
        except FileNotFoundError:
            ledger.add(parts, What.PERSON, why="it was removed while hand-ins were being imported")
            return []
        folder, link = stat.S_ISDIR(status.st_mode), stat.S_ISLNK(status.st_mode)
        if entry.startswith("."):
            ledger.add(parts, What.LEFT_OUT, why="its name begins with a dot")
        elif who.is_own_entry(entry):
            system = who.system.name if who.system else ""
            if not folder:
                ledger.add(parts, What.LEFT_OUT, why=f"it was written by {system}")
                return []
            for found in _files_below(place, entry):
                ledger.add((*parts, *found), What.LEFT_OUT, why=f"it was written by {system}")
        elif not folder and not link and (reason := not_regular(status.st_mode)):
            ledger.add(parts, What.PERSON, why=reason)
        else:
            earlier = self.earlier.get(entry)
            return [
                Unit(entry, sender, folder, status.st_mtime, parts, earlier, link)
                for sender in who.of[entry]
            ]
        return []

    def _leave_tools_beside(self, place: int, label: Parts) -> None:
        """Enter what tools have left beside the hand-ins into the ledger."""
        for found in walk(place):
            if is_made_by_a_tool(found.parts[:1]):
                self.collected.ledger.add((*label, *found.parts), What.TOOL)
        for intake in self.earlier.values():
            for fate in intake.fates:
                if fate.tool:
                    self.collected.ledger.add(fate.parts, What.TOOL)


def _entries(home: Path) -> list[str]:
    """Return the names in a folder, without those of tools."""
    return sorted(name for name in os.listdir(home) if not is_made_by_a_tool([name]))


def _files(home: Path) -> list[Parts]:
    with opened(home.resolve(), os.O_DIRECTORY) as place:
        return [found.parts for found in walk(place)]


def _files_below(place: int, folder: str) -> list[Parts]:
    with opened(folder, os.O_DIRECTORY, place) as inner:
        return [found.parts for found in walk(inner)]


def _take_notes(
    assignment: str, submitted: Path, untouched: Callable[[Path], bool], collected: Collected
) -> None:
    """Collect the notes on every submission, and add those on names and on untouched notebooks."""
    names: dict[str, list[str]] = {}
    for student in collected.students:
        names.setdefault(student.casefold(), []).append(student)
    for student in collected.students:
        folder = SubmissionFolder(submitted, student, assignment)
        for other in names[student.casefold()]:
            if other != student:
                folder.add_note(f"there is also a student {other}")
        if untouched(folder.path / f"{assignment}.ipynb"):
            folder.add_note(UNTOUCHED)
        collected.notes[student] = folder.notes
