"""Take in the hand-ins of one student: the newest with a notebook, and what belongs to it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO

from autograder.grading.intake.choosing import Choice, choose_notebook, newest_first
from autograder.grading.intake.hand_in_files import (
    MAX_FILES_BYTES,
    SPECIAL,
    Fate,
    Found,
    Intake,
    copy,
    opened,
    regular_file,
    walk,
)
from autograder.grading.intake.kept_attempts import KeptAttempts
from autograder.grading.intake.known_files import (
    Parts,
    is_archive,
    is_made_by_a_tool,
    is_notebook,
)
from autograder.grading.intake.ledger import Ledger, What
from autograder.grading.intake.names import printable
from autograder.grading.intake.submission_folder import OWN_TIME, SIDE, SubmissionFolder
from autograder.grading.intake.systems import Sender, Senders, sakai_time
from autograder.grading.intake.unpacking import ASK, UnreadableArchive, opened_archive, unpack
from autograder.grading.intake.untouched import UNTOUCHED

MAX_ARCHIVES_IN_ARCHIVES = 3
"""How deep archives in a hand-in may be nested: one from `pack` in that of a system, and one more.
"""

MAX_ARCHIVES = 20
"""How many archives in a hand-in are opened; each may keep the grader busy for seconds."""

NO_NOTEBOOK = "there is no notebook in this hand-in: ask the student for the .ipynb file"


@dataclass
class Unit:
    """An entry of a class: what one student handed in at one time, or a part of it.

    Attributes
    ----------
    entry
        Its name.
    sender
        Who handed it in.
    folder
        Whether it is a folder.
    changed
        When the file was last changed, in seconds since 1970.
    label
        The path at which it came in.
    earlier
        What became of its files when the archive of the class was unpacked.
    link
        Whether it is a link, which is never followed.
    """

    entry: str
    sender: Sender
    folder: bool
    changed: float
    label: Parts
    earlier: Intake | None = None
    link: bool = False

    @property
    def may_hold_a_notebook(self) -> bool:
        """Whether it is a folder, an archive or a notebook (or a link), and not another file."""
        return self.folder or self.link or is_archive(self.entry) or is_notebook(self.entry)


@dataclass
class _Staged:
    """A unit whose files have been brought into a folder of their own."""

    unit: Unit
    intake: Intake
    choice: Choice | None

    @property
    def has_links(self) -> bool:
        """Whether there is a link or the like: without a notebook, it counts as an empty one."""
        return any(fate.reason in SPECIAL for fate in self.intake.fates)

    @property
    def changed(self) -> float:
        """When it was handed in, as far as the file system or the archive tells."""
        if self.unit.folder and self.choice:
            return self.choice.notebook.stat().st_mtime
        return self.unit.changed


class HandIns:
    """Takes in the hand-ins of one student after the other.

    Attributes
    ----------
    assignment
        The name of the assignment.
    submitted
        The course's folder of submissions.
    untouched
        Whether a notebook is the release, in which no answer was changed.
    ledger
        Where each file is entered.
    keep_attempts
        Whether all attempts are kept, because the best of them counts, and not the latest.
    work
        A folder for unfinished work, on the same disk as the submissions.
    """

    def __init__(
        self,
        assignment: str,
        submitted: Path,
        untouched: Callable[[Path], bool],
        ledger: Ledger,
        *,
        keep_attempts: bool = False,
    ) -> None:
        self.assignment = assignment
        self.submitted = submitted
        self.untouched = untouched
        self.ledger = ledger
        self.keep_attempts = keep_attempts
        self.work = submitted / SIDE / "unpacked"
        self.work.mkdir(exist_ok=True)

    def bring_in(
        self, student: str, units: list[Unit], place: int, who: Senders, notes: list[str]
    ) -> bool:
        """Import what a student handed in; return whether there was a notebook.

        Parameters
        ----------
        student
            The student's name in the course.
        units
            What came from the student.
        place
            Descriptor of the folder in which the units are.
        who
            Who handed in what.
        notes
            Notes from earlier steps.
        """
        staged = [self._staged(unit, place, who) for unit in units if unit.may_hold_a_notebook]
        others = [unit for unit in units if not unit.may_hold_a_notebook]
        ordered = self._newest_first(staged)
        if not ordered:
            self._leave_out_all(student, staged, others)
            self._remove(staged)
            return False
        attempts = self._attempts(ordered)
        for number, attempt in enumerate(attempts):
            chosen = attempt[0]
            found = [*notes, *self._leave_out_older(student, attempt)]
            for one in staged:
                if one not in ordered and _attempt_of(one.unit, attempts) is attempt:
                    found += self._add_or_leave_out(student, one, chosen, place, who)
            for unit in others:
                if unit.sender.attempt == chosen.unit.sender.attempt:
                    name = unit.sender.file or unit.entry
                    _copy_file(unit, place, name, chosen.intake.below((), unit.label[:-1]))
                elif _attempt_of(unit, attempts) is attempt:
                    self.ledger.add(unit.label, What.LEFT_OUT, student, "it is of another attempt")
            self._take(student, chosen, found, place, who, number)
        self._remove(staged)
        return True

    def unpack_in_place(self, folder: SubmissionFolder, notes: list[str]) -> bool:
        """Unpack a submission in the course that is only an archive; return whether it is one."""
        path = folder.path
        if path.is_symlink() or path.parent.is_symlink() or not path.is_dir():
            return False
        names = os.listdir(path)
        if not any(is_archive(name) for name in names) or any(is_notebook(name) for name in names):
            return False
        with opened(path.parent, os.O_DIRECTORY) as place:
            unit = Unit(path.name, Sender(folder.student), True, 0.0, (folder.student, path.name))
            staged = self._staged(unit, place, Senders())
            if staged.choice is None:
                return False
            self._fill(folder, staged, notes, place, Senders(), keep=True)
        return True

    def leave_out_of_nobody(self, unit: Unit, place: int, who: Senders) -> None:
        """Leave out what is named after the assignment, so that nothing says whose it is."""
        why = (
            "it is named after the assignment and not after a student; put it into a folder with "
            "the student's name"
        )
        if not unit.may_hold_a_notebook:
            self.ledger.add(unit.label, What.PERSON, why=_no_hand_in(unit))
            return
        staged = self._staged(unit, place, who)
        if staged.choice is None:
            why = "it is named after the assignment, and there is no notebook in it"
            why = next((fate.reason for fate in staged.intake.fates if fate.reason), why)
        self.ledger.add(unit.label, What.PERSON, why=why)
        self._remove([staged])

    def _staged(self, unit: Unit, place: int, who: Senders) -> _Staged:
        folder = Path(tempfile.mkdtemp(prefix="hand-in-", dir=self.work))
        intake = Intake(folder, unit.label)
        self._bring(unit, place, who, intake)
        return _Staged(unit, intake, choose_notebook(folder, self.assignment, self.untouched))

    def _bring(self, unit: Unit, place: int, who: Senders, intake: Intake) -> None:
        """Import the content of a unit, and of archives in it."""
        if unit.link:
            _refuse(unit, intake, "it is a link")
        elif unit.folder:
            try:
                with opened(unit.entry, os.O_DIRECTORY, place) as home:
                    copy(self._of_the_assignment(home, who, intake), intake)
            except OSError as error:
                _refuse(unit, intake, error.strerror or "it cannot be read")
        elif is_notebook(unit.entry):
            name = unit.sender.file or f"{self.assignment}.ipynb"
            _copy_file(unit, place, name, intake.below((), unit.label[:-1]))
        else:
            try:
                with regular_file(unit.entry, place) as archive:
                    if os.fstat(archive.fileno()).st_size > MAX_FILES_BYTES:
                        raise UnreadableArchive(f"it is larger than {MAX_FILES_BYTES // 2**20} MB")
                    self._unpack(archive, intake)
            except OSError as error:
                _refuse(unit, intake, error.strerror or "it cannot be read")
            except UnreadableArchive as error:
                _refuse(unit, intake, f"it cannot be unpacked: {error}")
        self._unpack_inner(intake)

    def _unpack(self, archive: IO[bytes], intake: Intake) -> None:
        with opened_archive(archive, self.work) as members:
            if not members:
                raise UnreadableArchive(f"there is no file in it; {ASK}")
            unpack(members, lambda parts: intake)

    def _of_the_assignment(self, home: int, who: Senders, intake: Intake) -> Iterator[Found]:
        """Return the files in a student's folder that belong to this assignment."""
        named = any(
            found.parts[:1] == (self.assignment,)
            and found.parts[1:]
            and (is_notebook(found.parts[-1]) or is_archive(found.parts[-1]))
            for found in walk(home)
        )
        for found in walk(home):
            if is_made_by_a_tool(found.parts):
                intake.skip(found.parts)
            elif who.is_own_file(found.parts):
                system = who.system.name if who.system else ""
                intake.set_aside(found.parts, f"it was written by {system}")
            elif named and found.parts[0] != self.assignment:
                why = f"it is not in the student's folder {self.assignment}"
                intake.set_aside(found.parts, why)
            else:
                yield found

    def _unpack_inner(self, intake: Intake) -> None:
        """Unpack the archives in a hand-in without a notebook, and those that hold artifacts.

        Some systems put an archive into a folder or into another archive. The files are the
        intake's own copies, and none of them is a link.
        """
        seen: set[Path] = set()
        for _ in range(MAX_ARCHIVES_IN_ARCHIVES):
            files = [path for path in sorted(intake.folder.rglob("*")) if path.is_file()]
            has_notebook = any(is_notebook(path.name) for path in files)
            for path in files:
                if is_archive(path.name) and path not in seen and len(seen) < MAX_ARCHIVES:
                    seen.add(path)
                    self._unpack_one(path, intake, has_notebook)

    def _unpack_one(self, path: Path, intake: Intake, has_notebook: bool) -> None:
        fate = _fate_of(path, intake)
        inner = intake.below(path.parent.relative_to(intake.folder).parts, fate.parts)
        try:
            with path.open("rb") as archive, opened_archive(archive, self.work) as members:
                names = [part for member in members for part in member.parts]
                if has_notebook and ("artifacts" not in names or any(map(is_notebook, names))):
                    return
                unpack(members, lambda parts: inner)
        except UnreadableArchive as error:
            if has_notebook:
                return
            fate.reason, fate.inode = f"it cannot be unpacked: {error}", None
            intake.note(f"{printable(path.name)} cannot be unpacked: {error}")
        else:
            intake.fates.remove(fate)
        path.unlink()

    def _newest_first(self, staged: list[_Staged]) -> list[_Staged]:
        """Return the hand-ins that have a notebook, the one to be graded first."""
        found = [one for one in staged if one.choice]
        ordered: list[_Staged] = []
        for attempt in sorted({one.unit.sender.attempt for one in found}, reverse=True):
            same = [one for one in found if one.unit.sender.attempt == attempt]
            untouched = [one for one in same if len(same) > 1 and self._is_untouched(one)]
            ordered += _ranked([one for one in same if one not in untouched])
            ordered += _ranked(untouched)
        return ordered or [one for one in staged if one.has_links][:1]

    def _attempts(self, ordered: list[_Staged]) -> list[list[_Staged]]:
        """Return the hand-ins of each attempt that is taken, the newest attempt last."""
        if not self.keep_attempts:
            return [ordered]
        found: dict[tuple[float, ...], list[_Staged]] = {}
        for one in ordered:
            found.setdefault(one.unit.sender.attempt, []).append(one)
        return list(found.values())[::-1]

    def _is_untouched(self, one: _Staged) -> bool:
        return one.choice is not None and self.untouched(one.choice.notebook)

    def _leave_out_older(self, student: str, ordered: list[_Staged]) -> list[str]:
        """Enter the hand-ins that are not graded into the ledger; return notes on them."""
        chosen, notes = ordered[0], []
        name = printable(chosen.unit.entry)
        for one in ordered[1:]:
            what = What.LEFT_OUT
            if _same_notebook(one, chosen):
                why = f"it holds the same notebook as {name}, which is graded"
            elif one.unit.sender.attempt != chosen.unit.sender.attempt:
                why = f"it is an earlier attempt; {name} is graded"
            elif self._is_untouched(one):
                why = f"it holds the release, in which nothing was changed; {name} is graded"
            else:
                what = What.PERSON
                why = f"{name}, another hand-in of {student}, is graded, being the newest"
                notes.append(f"{printable(one.unit.entry)} was left out: {why}")
            self._leave_out(student, one, what, why)
        return notes

    def _leave_out(self, student: str, one: _Staged, what: What, why: str) -> None:
        """Enter all files of a hand-in that is not graded into the ledger."""
        if not one.unit.folder:
            self.ledger.add(one.unit.label, what, student, why)
            return
        for fate in self._fates(one):
            if fate.tool:
                self.ledger.add(fate.parts, What.TOOL, student)
            else:
                mild = What.LEFT_OUT if fate.expected else what
                self.ledger.add(fate.parts, mild, student, fate.reason or why)

    def _fates(self, one: _Staged) -> list[Fate]:
        """Return what became of all files of a unit, and of those left in the class's archive."""
        earlier = one.unit.earlier.fates if one.unit.earlier else []
        return [*(fate for fate in earlier if fate.reason), *one.intake.fates]

    def _leave_out_all(self, student: str, staged: list[_Staged], others: list[Unit]) -> None:
        """Enter a student's files into the ledger, none of which is a notebook."""
        for one in staged:
            fates = self._fates(one)
            for fate in fates:
                if fate.tool:
                    self.ledger.add(fate.parts, What.TOOL, student)
                else:
                    what = What.LEFT_OUT if fate.expected else What.PERSON
                    why = fate.reason or NO_NOTEBOOK
                    if what == What.PERSON and "ask the student" not in why:
                        why += f"; {ASK}"
                    self.ledger.add(fate.parts, what, student, why)
            if not fates:
                self.ledger.add(one.unit.label, What.PERSON, student, "it is an empty folder")
        for unit in others:
            self.ledger.add(unit.label, What.PERSON, student, _no_hand_in(unit))

    def _add_or_leave_out(
        self, student: str, one: _Staged, chosen: _Staged, place: int, who: Senders
    ) -> list[str]:
        """Bring files without a notebook to the notebook of the same attempt; return notes."""
        reasons = [fate.reason for fate in one.intake.fates]
        unreadable = reasons[0] if not one.unit.folder and len(reasons) == 1 else None
        if unreadable or one.has_links:
            why = unreadable or "there is a link in it, and no notebook"
            self._leave_out(student, one, What.PERSON, why)
            return [f"{printable(one.unit.entry)} was left out: {why}"]
        if one.unit.sender.attempt != chosen.unit.sender.attempt:
            self._leave_out(student, one, What.LEFT_OUT, "it is of another attempt")
            return []
        self._bring(one.unit, place, who, chosen.intake.below((), one.unit.label))
        return []

    def _take(
        self,
        student: str,
        chosen: _Staged,
        notes: list[str],
        place: int,
        who: Senders,
        number: int,
    ) -> None:
        """Make the chosen hand-in the submission or, where attempts are kept, one of them."""
        folder = SubmissionFolder(self.submitted, student, self.assignment)
        if not self.keep_attempts:
            self._fill(folder, chosen, notes, place, who)
            return

        def fill(new: SubmissionFolder) -> None:
            self._fill(new, chosen, notes, place, who)
            if self.untouched(new.path / f"{self.assignment}.ipynb"):
                new.add_note(UNTOUCHED)

        kept, before = KeptAttempts(folder), len(self.ledger.entries)
        # The attempts of one download come in the order of their times.
        attempt = kept.keep(fill, time.time() + number / 1000)
        self.ledger.keep(before, attempt.key)
        if not os.path.lexists(folder.path):
            kept.place(attempt)  # until all attempts are graded

    def _fill(
        self,
        folder: SubmissionFolder,
        chosen: _Staged,
        notes: list[str],
        place: int,
        who: Senders,
        *,
        keep: bool = False,
    ) -> None:
        """Make the chosen hand-in the submission in a folder; enter its files into the ledger."""
        intake, choice, student = chosen.intake, chosen.choice, folder.student
        inodes: dict[int, str] = {}
        if choice:
            name = printable(choice.notebook.name)
            inodes = {path.stat().st_ino: f"{name} is graded" for path in choice.others}
            if choice.rivals:
                count = len(choice.rivals) + 1
                notes.append(f"there are {count} notebooks; {name} is graded, being the newest")
        rivals = {path.stat().st_ino for path in choice.rivals} if choice else set()
        earlier = chosen.unit.earlier.notes if chosen.unit.earlier else []
        folder.fill(
            partial(_move, intake),
            [*earlier, *notes],
            notebook=choice.notebook.stat().st_ino if choice else None,
            time=chosen.unit.sender.time or _sakai_time(chosen.unit, place, who),
            keep=keep,
        )
        notebook = folder.path / f"{self.assignment}.ipynb"
        graded, kept = notebook.stat().st_ino, _inodes(folder.path)
        for fate in self._fates(chosen):
            if fate.tool:
                self.ledger.add(fate.parts, What.TOOL, student)
            elif fate.reason:
                what = What.LEFT_OUT if fate.expected else What.PERSON
                self.ledger.add(fate.parts, what, student, fate.reason)
            elif fate.inode == graded:
                why = UNTOUCHED if self.untouched(notebook) else ""
                self.ledger.add(fate.parts, What.NOTEBOOK, student, why)
            elif fate.inode in inodes:
                what = What.PERSON if fate.inode in rivals else What.LEFT_OUT
                self.ledger.add(fate.parts, what, student, inodes[fate.inode])
            elif fate.inode in kept:
                self.ledger.add(fate.parts, What.BESIDE, student)
            elif fate.parts[-1] == "timestamp.txt":
                self.ledger.add(fate.parts, What.LEFT_OUT, student, OWN_TIME)
            else:
                why = "another file of the hand-in has its place"
                self.ledger.add(fate.parts, What.PERSON, student, why)

    def _remove(self, staged: list[_Staged]) -> None:
        for one in staged:
            shutil.rmtree(one.intake.folder, ignore_errors=True)


def _attempt_of(unit: Unit, attempts: list[list[_Staged]]) -> list[_Staged]:
    """Return the attempt to which a unit belongs; the newest if that attempt has no notebook."""
    same = [found for found in attempts if found[0].unit.sender.attempt == unit.sender.attempt]
    return (same or attempts)[-1]


def _ranked(staged: list[_Staged]) -> Sequence[_Staged]:
    """Sort hand-ins of one attempt, the newest first."""
    if any(one.unit.sender.user for one in staged):  # a system has counted them
        return sorted(staged, key=lambda one: (one.unit.sender.number, one.changed), reverse=True)
    return newest_first(
        staged, lambda one: one.changed, lambda one: (one.unit.sender.number, one.unit.folder)
    )


def _copy_file(unit: Unit, place: int, name: str, intake: Intake) -> None:
    """Copy a file under the name that it had before a system changed it."""
    try:
        status = os.stat(unit.entry, dir_fd=place, follow_symlinks=False)
    except OSError as error:
        _refuse(unit, intake, error.strerror or "it cannot be read")
        return
    name = unit.entry if name in (".", "..") else name
    intake.bring((name,), status.st_size, partial(regular_file, unit.entry, place), status.st_mtime)
    intake.fates[-1].parts = unit.label


def _refuse(unit: Unit, intake: Intake, reason: str) -> None:
    """Leave out a whole unit."""
    intake.note(f"{printable(unit.entry)} was left out: {reason}")
    intake.fates.append(Fate(unit.label, reason))


def _fate_of(path: Path, intake: Intake) -> Fate:
    inode = path.stat().st_ino
    return next(fate for fate in intake.fates if fate.inode == inode)


def _no_hand_in(unit: Unit) -> str:
    what = "it is neither a folder nor an archive nor a notebook"
    if unit.entry.lower().endswith((".html", ".htm", ".pdf", ".py")):
        what += ": ask the student for the .ipynb file"
    return what


def _same_notebook(one: _Staged, other: _Staged) -> bool:
    if not (one.choice and other.choice):
        return False
    return one.choice.notebook.read_bytes() == other.choice.notebook.read_bytes()


def _sakai_time(unit: Unit, place: int, who: Senders) -> datetime | None:
    """Return the time that Sakai wrote beside a student's files, out of the student's reach."""
    if not (unit.folder and who.is_own_file(("timestamp.txt",))):
        return None
    try:
        with (
            opened(unit.entry, os.O_DIRECTORY, place) as folder,
            regular_file("timestamp.txt", folder) as file,
        ):
            return sakai_time(file.read(100))
    except OSError:
        return None


def _move(staged: Intake, intake: Intake) -> None:
    """Move the files of a staged hand-in to their place, with the notes on them."""
    for path in sorted(staged.folder.iterdir()):
        path.rename(intake.folder / path.name)
    for note in staged.notes:
        intake.note(note)


def _inodes(folder: Path) -> set[int]:
    return {
        status.st_ino
        for path in folder.rglob("*")
        if stat.S_ISREG((status := path.lstat()).st_mode)
    }
