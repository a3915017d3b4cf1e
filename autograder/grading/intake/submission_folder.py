"""Make the folder of one submission safe to read, put it in order, and keep notes on it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.utils import parse_utc

from autograder.grading.intake.choosing import choose_notebook, notebooks_in
from autograder.grading.intake.hand_in_files import (
    Found,
    Intake,
    Room,
    not_regular,
    opened,
    regular_file,
    shortened,
    shown,
    walk,
)
from autograder.grading.intake.names import printable
from helpers.files import replacing

SIDE = ".intake"
"""The folder in ``submitted/`` for what is not part of a submission: unfinished work, notes, and
files taken out of submissions. nbgrader ignores hidden folders."""

OWN_TIME = "a hand-in cannot set its own time of submission"
"""Why a file that says when it was handed in is taken away."""

TIMESTAMP = "timestamp.txt"
"""The file in a submission in which nbgrader finds when it was handed in."""

WRAPPER = ".unwrapped"
"""The name of a folder in a submission while its content is moved up."""

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?( [A-Z]{1,5}| [+-]\d{4})?\s*", re.ASCII
)
"""What nbgrader writes into timestamp.txt.

When it reads that file, it accepts more forms than this one, and opens any file that is named in
place of the time zone.
"""


@dataclass(frozen=True)
class SubmissionFolder:
    """The folder ``submitted/<student>/<assignment>/``.

    Attributes
    ----------
    submitted
        The course's folder of submissions.
    student, assignment
        The names of the student, which must be safe (`autograder.grading.intake.names`), and of the
        assignment.
    """

    submitted: Path
    student: str
    assignment: str

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.submitted / self.student / self.assignment

    @property
    def notes(self) -> list[str]:
        """What the instructor should know about how this submission was imported.

        The notes are dropped when their notebook is replaced by another.
        """
        try:
            found = json.loads(self._notes.read_text())
            return found["notes"] if found["notebook"] == self._notebook() else []
        except FileNotFoundError:
            return []

    def fill(
        self,
        bring: Callable[[Intake], None],
        notes: list[str],
        *,
        notebook: int | None = None,
        time: datetime | None = None,
        keep: bool = False,
    ) -> None:
        """Replace the submission with another, completely or not at all.

        Parameters
        ----------
        bring
            Writes the new files into the intake that it is given.
        notes
            Notes from earlier steps.
        notebook
            The inode of the notebook to be graded. By default, it is chosen.
        time
            When it was handed in, if a learning management system says so. nbgrader finds it in
            ``timestamp.txt``.
        keep
            Whether the earlier submission is moved to the side, instead of removed.
        """
        new = self._side / "new"
        self._remove(new)
        new.mkdir(parents=True)
        intake = Intake(new)
        bring(intake)
        notes = [*notes, *intake.notes, *self._secure(new), *self._put_in_order(new, notebook)]
        timestamp = new / TIMESTAMP
        if timestamp.exists():
            self._take_away(timestamp)
            notes.append(f"timestamp.txt was taken away: {OWN_TIME}")
        if time is not None:
            timestamp.write_text(f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
        notes += self._make_way()
        old = self._side / "old"
        if self.path.exists():
            self.path.rename(old)
        new.rename(self.path)
        self._remember(notes)
        if keep and old.exists():
            self._take_away(old)
        self._remove(old)

    def prepare(self, notes: Sequence[str] = ()) -> list[str]:
        """Make the submission safe to read, and put it in order, without moving it.

        Links and other files that must not be there are moved to the side, so that nothing is lost.

        Parameters
        ----------
        notes
            Notes from earlier steps, to be kept together with the new ones.

        Returns
        -------
        list of str
            The given notes and the new ones; the attribute `notes` has the older ones too.
        """
        new = [*notes, *self._make_way()]
        self.path.mkdir(exist_ok=True)
        new += [*self._secure(self.path), *self._put_in_order(self.path, None)]
        if new:
            self._remember([*self.notes, *new])
        return new

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process is replacing this submission, and prevent it for the block.

        A block must not contain another one of the same submission, which would wait for ever.
        """
        self._side.mkdir(parents=True, exist_ok=True)
        with (self._side / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def add_note(self, text: str) -> None:
        """Add a note on the submission that is there now."""
        self._remember([*self.notes, text])

    def clear_up(self) -> None:
        """Undo what `fill` had begun when it was killed."""
        self._remove(self._side / "new")
        old = self._side / "old"
        if old.exists() and not os.path.lexists(self.path):
            old.rename(self.path)
        self._remove(old)

    @property
    def _side(self) -> Path:
        return self.submitted / SIDE / self.assignment / self.student

    @property
    def _notes(self) -> Path:
        return self._side / "notes.json"

    def _remember(self, notes: list[str]) -> None:
        if not notes:
            self._notes.unlink(missing_ok=True)
            return
        with replacing(self._notes) as path:
            kept = {"notes": list(dict.fromkeys(notes)), "notebook": self._notebook()}
            path.write_text(json.dumps(kept))

    def _notebook(self) -> list[int]:
        """Return what distinguishes the notebook from one that replaces it."""
        status = (self.path / f"{self.assignment}.ipynb").lstat()
        return [status.st_mtime_ns, status.st_size]

    def _make_way(self) -> list[str]:
        """Move away what is not a folder at the path of this folder or of the student's folder."""
        notes = []
        for path in (self.path.parent, self.path):
            if os.path.lexists(path) and not stat.S_ISDIR(mode := path.lstat().st_mode):
                self._take_away(path)
                what = not_regular(mode) or "it is a file"
                notes.append(f"{path.relative_to(self.submitted)} was taken away: {what}")
        self.path.parent.mkdir(exist_ok=True)
        return notes

    def _secure(self, folder: Path) -> list[str]:
        """Move files out of `folder` that must not be there; rename those with unsafe names."""
        notes = []
        left: set[Path] = set()
        room = Room()
        with opened(folder, os.O_DIRECTORY) as place:
            for found in walk(place):
                problem = found.problem or room.take(found.parts, found.size)
                if problem:
                    self._take_away(found.parts[-1], found.place)
                    notes.append(f"{shown(found.parts)} was taken away: {problem}")
                elif shown(found.parts) != os.path.join(*found.parts):
                    notes.append(self._rename(found, folder))
                    depths = range(1, len(found.parts))
                    left.update(folder.joinpath(*found.parts[:depth]) for depth in depths)
        for emptied in sorted(left, reverse=True):
            with suppress(OSError):  # not empty
                emptied.rmdir()
        return shortened(notes)

    def _rename(self, found: Found, folder: Path) -> str:
        """Give a file a name that can be shown; return a note."""
        name = shown(found.parts)
        target = folder / name
        try:
            if target.exists():
                raise FileExistsError
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(found.parts[-1], target, src_dir_fd=found.place)
        except OSError:
            # Another file has that name already, or it has become too long.
            self._take_away(found.parts[-1], found.place)
            return f"{name} was taken away: its name cannot be shown"
        return f"{name} came with a name that cannot be shown"

    def _put_in_order(self, folder: Path, inode: int | None) -> list[str]:
        """Put the notebook where nbgrader looks for it; move away what nbgrader cannot read."""
        notes = self._unwrap(folder, folder) if (folder / WRAPPER).is_dir() else []
        notebook = folder / f"{self.assignment}.ipynb"
        if notebook.is_dir():
            self._take_away(notebook)
            notes.append(f"{notebook.name} was taken away: it is a folder")
        chosen = self._chosen(folder, inode)
        if chosen is None:
            count = len(notebooks_in(folder))
            notes.append(f"there is no {notebook.name} ({count} notebooks)")
            # An empty file is graded like any file that is not a notebook: with zero points.
            notebook.touch()
        else:
            if chosen.parent != folder:
                notes += self._unwrap(folder, chosen.parent, keep=chosen.name)
                chosen = folder / chosen.name
            if chosen != notebook and chosen.exists():
                if notebook.exists():
                    self._take_away(notebook)
                    notes.append(f"one of two notebooks was taken away: {notebook.name}")
                notes.append(f"the notebook was called {printable(chosen.name)}")
                chosen.rename(notebook)
        time = folder / TIMESTAMP
        if os.path.lexists(time) and not _is_time(time):
            self._take_away(time)
            notes.append("timestamp.txt was taken away: nbgrader cannot read it")
        return notes

    def _chosen(self, folder: Path, inode: int | None) -> Path | None:
        """Return the notebook to be graded; None if there is none."""
        found = notebooks_in(folder)
        if inode is not None:
            return next((path for path in found if path.stat().st_ino == inode), None)
        if (folder / f"{self.assignment}.ipynb") in found:
            return folder / f"{self.assignment}.ipynb"  # it is in its place already
        choice = choose_notebook(folder, self.assignment)
        return choice.notebook if choice else None

    def _unwrap(self, folder: Path, inner: Path, keep: str = "") -> list[str]:
        """Move the content of a folder in a submission up to the submission.

        Where two files or folders have the same name, the outer one stays, unless it is `keep`.
        """
        # The folder is renamed first, because it may contain a file of its own name. Under the new
        # name, it is found again if the grader is killed.
        wrapper = folder / WRAPPER
        notes = []
        if not wrapper.is_dir():
            if wrapper.exists():
                self._take_away(wrapper)
                notes.append(f"the file {WRAPPER} was taken away: it was in the way")
            inner.rename(wrapper)
        for path in sorted(wrapper.iterdir()):
            target = folder / path.name
            if target.exists():
                self._take_away(target if path.name == keep else path)
                notes.append(f"one of two {printable(path.name)} was taken away")
            if path.exists():
                path.rename(target)
        wrapper.rmdir()
        return notes

    def _take_away(self, name: str | Path, place: int | None = None) -> None:
        away = self._side / "taken-away"
        away.mkdir(parents=True, exist_ok=True)
        # The new name has at most 250 bytes and is not taken.
        new = f"{uuid.uuid4().hex[:8]} {printable(Path(name).name)[:60]}"
        os.rename(name, away / new, src_dir_fd=place)

    def _remove(self, folder: Path) -> None:
        # The folders of a submission may be nested too deeply for Python, or be read-only.
        with suppress(RecursionError):
            shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            self._take_away(folder)


def _is_time(path: Path) -> bool:
    try:
        with regular_file(path) as file:
            text = file.read(100).decode()
        return bool(_TIME.fullmatch(text)) and parse_utc(text.strip()) is not None
    except (OSError, ValueError, OverflowError):
        return False
