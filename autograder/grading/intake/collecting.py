"""Import the hand-ins of a class from a folder or a zip. Nothing in them is trusted."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from autograder.errors import UserError
from autograder.grading.intake.class_layout import (
    folder_around_class,
    is_made_by_a_tool,
    is_one_hand_in,
    students,
)
from autograder.grading.intake.hand_in_files import (
    MAX_FILES_BYTES,
    Found,
    Intake,
    copy,
    not_regular,
    opened,
    regular_file,
    shortened,
    walk,
)
from autograder.grading.intake.names import printable, safe_name
from autograder.grading.intake.submission_folder import SIDE, SubmissionFolder
from autograder.grading.intake.unpacking import (
    UnreadableZip,
    opened_zip,
    paths,
    unpack,
    unpacked_size,
)

MAX_ZIPS_IN_ZIPS = 3
"""How deep zips in a hand-in may be nested: a zip from `pack` in that of a system, and one more."""


@dataclass
class Collected:
    """What `collect` imported into the course.

    Attributes
    ----------
    students
        The students, by the names that they have in the course.
    notes
        For each student, what the instructor should know about the import.
    left_out
        What was left out because it is not a hand-in, with the reasons.
    """

    students: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def collect(source: Path, assignment: str, submitted: Path) -> Collected:
    """Import hand-ins into ``submitted/<student>/<assignment>/``.

    Whatever one hand-in contains, the others are imported. A student whose name nbgrader cannot
    handle gets another (see `autograder.grading.intake.names.safe_name`), and a note says so.

    Parameters
    ----------
    source
        A folder or a zip with one folder, zip or notebook per student:
        ``<student>/<assignment>/``, ``<student>/``, ``<student>.zip`` or ``<student>.ipynb``. It
        may be what Canvas or Moodle gives out, and one folder may lie around the whole class.
    assignment
        The name of the assignment.
    submitted
        The course's folder of submissions. A student's earlier submission is replaced. If this is
        the same folder as `source`, the submissions stay where they are, and files that must not be
        in them are moved to the folder ``.intake`` beside them.

    Raises
    ------
    FileNotFoundError
        If `source` does not exist or holds no submission.
    UserError
        If the zip of the class cannot be unpacked, if `source` is the hand-in of one student whose
        name it does not say, or if another command is importing hand-ins.
    """
    if not source.exists():
        raise FileNotFoundError(f"There is no {source}: name the folder or the zip of submissions.")
    submitted.mkdir(parents=True, exist_ok=True)
    with _alone(submitted):
        _clear_up(submitted, assignment)
        collected = Collected()
        if source.is_dir() and source.resolve() == submitted.resolve():
            _look_through(assignment, submitted, collected)
        elif source.is_dir():
            with opened(source, os.O_DIRECTORY) as place:
                files = [found.parts for found in walk(place)]
            around = _folder_around(source, files, assignment)
            home = source if around is None else source / around
            _bring_in(home, assignment, submitted, collected)
        else:
            _bring_in_zip(source, assignment, submitted, collected)
        collected.students.sort()
        _take_notes(assignment, submitted, collected)
    if not collected.students:
        expected = (
            f"{source} holds no submission of {assignment}: expected <student>/{assignment}/, "
            "<student>/, <student>.zip or <student>.ipynb."
        )
        raise FileNotFoundError("\n".join([expected, *shortened(collected.left_out)]))
    return collected


def _folder_around(source: Path, files: list[tuple[str, ...]], assignment: str) -> str | None:
    """Return the folder around the hand-ins of the class; refuse the hand-in of one student.

    Raises
    ------
    UserError
        If nothing says whose hand-in it is.
    """
    if is_one_hand_in(files, assignment):
        raise UserError(
            f"{source} is the hand-in of one student, and does not say whose: put it into a folder "
            "with the student's name, and give the folder around that one."
        )
    return folder_around_class(files, assignment)


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
        SubmissionFolder(submitted, student, assignment).clear_up()


def _look_through(assignment: str, submitted: Path, collected: Collected) -> None:
    """Prepare the submissions that are in the course already."""
    for name in sorted(os.listdir(submitted)):
        path, student = submitted / name, safe_name(name)
        if name.startswith("."):
            continue
        if not os.path.lexists(path / assignment):
            if not path.is_dir():
                note = "it is not a folder; import hand-ins with --from"
                collected.left_out.append(f"{printable(name)} was left out: {note}")
            continue
        notes = []
        if student != name:
            if os.path.lexists(submitted / student):
                note = f"nbgrader cannot handle its name, and {student} is there already"
                collected.left_out.append(f"{printable(name)} was left out: {note}")
                continue
            path.rename(submitted / student)
            notes.append(f"the student's folder was called {printable(name)}")
        folder = SubmissionFolder(submitted, student, assignment)
        try:
            folder.prepare(notes)
        except PermissionError as error:
            collected.left_out.append(f"{student} was left out: {printable(str(error))}")
            continue
        collected.students.append(student)


def _bring_in_zip(source: Path, assignment: str, submitted: Path, collected: Collected) -> None:
    unpacked = submitted / SIDE / "unpacked"
    unpacked.mkdir()
    # Each folder or file at the top level has an intake of its own, with limits of its own.
    intakes: dict[str, Intake] = {}
    with source.open("rb") as archive:
        try:
            members = opened_zip(archive)
        except UnreadableZip as error:
            raise UserError(f"{source} cannot be unpacked: {error}.") from error
        # The files exist twice for a while: unpacked, and copied to their places.
        needed, free = 2 * unpacked_size(members), shutil.disk_usage(submitted).free
        if needed > free:
            raise UserError(
                f"{source} takes {needed / 2**30:.1f} GB to unpack, and there are "
                f"{free / 2**30:.1f} GB free in {submitted.resolve()}."
            )
        around = _folder_around(source, paths(members), assignment)
        depth = 0 if around is None else 1

        def intake_of(parts: tuple[str, ...]) -> Intake:
            return intakes.setdefault(parts[min(depth, len(parts) - 1)], Intake(unpacked))

        unpack(members, intake_of)
    notes = {name: intake.notes for name, intake in intakes.items()}
    home = unpacked if around is None else unpacked / around
    home.mkdir(exist_ok=True)  # nothing of it may have been taken
    for name in sorted(notes.keys() - set(os.listdir(home))):
        collected.left_out += notes[name]
    _bring_in(home, assignment, submitted, collected, notes)
    shutil.rmtree(unpacked)


def _bring_in(
    source: Path,
    assignment: str,
    submitted: Path,
    collected: Collected,
    earlier: Mapping[str, list[str]] | None = None,
) -> None:
    """Import the hand-ins in a folder; `earlier` holds the notes from unpacking each of them."""
    place = os.open(source, os.O_RDONLY | os.O_DIRECTORY)
    try:
        entries = sorted(name for name in os.listdir(place) if not is_made_by_a_tool(name))
        for name, called in students(entries).items():
            student = safe_name(called)
            notes = list((earlier or {}).get(name, []))
            if student != called:
                notes.append(f"the hand-in was called {printable(name)}")
            if reason := _no_hand_in(name, place, called, assignment):
                collected.left_out += [f"{printable(name)} was left out: {reason}", *notes]
                continue
            folder = SubmissionFolder(submitted, student, assignment)
            if student in collected.students:
                note = f"{printable(name)} was left out: {student} has another hand-in"
                collected.left_out.append(note)
                folder.add_note(note)
            else:
                folder.fill(partial(_bring, name, place, assignment), notes)
                collected.students.append(student)
    finally:
        os.close(place)


def _no_hand_in(name: str, place: int, student: str, assignment: str) -> str | None:
    """Return why the entry `name` is not a hand-in of `student`; None if it is one."""
    if name.startswith("."):
        return "its name begins with a dot"
    if student == assignment and name != assignment:
        return (
            "it is named after the assignment and not after a student; put it into a folder with "
            "the student's name"
        )
    try:
        mode = os.stat(name, dir_fd=place, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return "it was removed while hand-ins were being imported"
    # A link instead of a hand-in counts as an empty hand-in, with a note for the instructor.
    if stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
        return None
    if reason := not_regular(mode):
        return reason
    if name.lower().endswith((".zip", ".ipynb")):
        return None
    return "it is neither a folder nor a zip nor a notebook"


def _bring(name: str, place: int, assignment: str, intake: Intake) -> None:
    """Import the content of one hand-in."""
    try:
        if stat.S_ISDIR(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode):
            with opened(name, os.O_DIRECTORY, place) as home:
                content = assignment if _has_folder(home, assignment) else "."
                with opened(content, os.O_DIRECTORY, home) as folder:
                    copy(walk(folder), intake)
        elif name.lower().endswith(".ipynb"):
            with opened(".", os.O_DIRECTORY, place) as folder:
                file = Found((name,), os.stat(name, dir_fd=folder).st_size, folder, None)
                copy([file], intake)
        else:
            with regular_file(name, place) as archive:
                if os.fstat(archive.fileno()).st_size > MAX_FILES_BYTES:
                    raise UnreadableZip(f"it is larger than {MAX_FILES_BYTES // 2**20} MB")
                unpack(opened_zip(archive), lambda _: intake)
        _unpack_inner(intake)
    except OSError as error:
        intake.leave_out((name,), error.strerror or "it cannot be read")
    except UnreadableZip as error:
        intake.note(f"the zip cannot be unpacked: {error}")


def _unpack_inner(intake: Intake) -> None:
    """Unpack the zips in a hand-in without a notebook: some systems put a zip into a folder or zip.

    The files are the intake's own copies, and none of them is a link.
    """
    for _ in range(MAX_ZIPS_IN_ZIPS):
        files = [path for path in intake.folder.rglob("*") if path.is_file()]
        zips = sorted(path for path in files if path.suffix.lower() == ".zip")
        if not zips or any(path.suffix.lower() == ".ipynb" for path in files):
            return
        for path in zips:
            above = path.parent.relative_to(intake.folder).parts
            inner = intake.below(above)
            try:
                with path.open("rb") as archive:
                    unpack(opened_zip(archive), partial(_always, inner))
            except UnreadableZip as error:
                intake.note(f"{printable(path.name)} cannot be unpacked: {error}")
            path.unlink()


def _always(intake: Intake, parts: tuple[str, ...]) -> Intake:
    """Return `intake`, wherever a file lies."""
    return intake


def _has_folder(place: int, name: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _take_notes(assignment: str, submitted: Path, collected: Collected) -> None:
    """Collect the notes on every submission, and add notes on names that differ only in case."""
    names: dict[str, list[str]] = {}
    for student in collected.students:
        names.setdefault(student.casefold(), []).append(student)
    for student in collected.students:
        folder = SubmissionFolder(submitted, student, assignment)
        for other in names[student.casefold()]:
            if other != student:
                folder.add_note(f"there is also a student {other}")
        collected.notes[student] = folder.notes
