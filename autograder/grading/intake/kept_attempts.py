"""Keep every attempt of a student, where the best of them counts and not the latest.

Each attempt lies in ``submitted/.intake/<assignment>/<student>/attempts/<key>/``, which is laid out
like the folder of all submissions. What counts is copied from there into ``submitted/``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from nbgrader.utils import parse_utc

from autograder.grading.intake.hand_in_files import Intake
from autograder.grading.intake.submission_folder import SIDE, TIMESTAMP, SubmissionFolder

KEY_LENGTH = 32
"""Hexadecimal digits in a key: enough that no two attempts share one by chance or by design."""

ARRIVED, NEW = "arrived.json", "new-"


@dataclass(frozen=True)
class Attempt:
    """An attempt that is kept.

    Attributes
    ----------
    key
        A digest of its files, and of the time at which it was handed in, if that is known.
    submission
        Its files.
    arrived
        When it was handed in or, if no system says so, imported; in seconds since 1970.
    """

    key: str
    submission: SubmissionFolder
    arrived: float

    @property
    def home(self) -> Path:
        """The folder of everything that is known about it."""
        return self.submission.submitted

    @property
    def handed_in(self) -> datetime | None:
        """When it was handed in, in UTC; None if no system says so."""
        return _handed_in(self.submission.path)

    def copy_to(self, submitted: Path) -> None:
        """Make it the student's submission in a folder of submissions, completely or not at all."""
        folder = self.submission
        there = SubmissionFolder(submitted, folder.student, folder.assignment)
        there.fill(partial(_copy, folder.path), folder.notes, time=self.handed_in)


@dataclass(frozen=True)
class KeptAttempts:
    """The attempts of a student at an assignment.

    Attributes
    ----------
    submission
        What counts, in the course's folder of submissions.
    """

    submission: SubmissionFolder
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        at = self.submission
        folder = at.submitted / SIDE / at.assignment / at.student / "attempts"
        object.__setattr__(self, "folder", folder)

    def all(self) -> list[Attempt]:
        """Return the attempts, the earliest first."""
        homes = self.folder.iterdir() if self.folder.is_dir() else []
        found = [self._attempt(home) for home in homes if len(home.name) == KEY_LENGTH]
        return sorted(found, key=lambda attempt: (attempt.arrived, attempt.key))

    def keep(self, fill: Callable[[SubmissionFolder], object], arrived: float) -> Attempt:
        """Keep an attempt, and return it; if the same one is kept already, return that one.

        Parameters
        ----------
        fill
            Writes the attempt into the folder that it is given.
        arrived
            When it was imported, in seconds since 1970.
        """
        at = self.submission
        with at.alone():
            for left in self.folder.glob(f"{NEW}*"):  # by an import that was killed
                shutil.rmtree(left, ignore_errors=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            new = Path(tempfile.mkdtemp(prefix=NEW, dir=self.folder))
            staged = SubmissionFolder(new, at.student, at.assignment)
            fill(staged)
            if time := _handed_in(staged.path):
                arrived = time.timestamp()
            (new / ARRIVED).write_text(json.dumps(arrived))
            home = self.folder / digest(staged.path)
            if home.exists():
                shutil.rmtree(new, ignore_errors=True)
            else:
                new.rename(home)
        return self._attempt(home)

    def keep_submission(self) -> None:
        """Keep what is in ``submitted/``, if that is none of the attempts already.

        A person may have put it there, or it was imported while the latest attempt counted.
        """
        path = self.submission.path
        if not path.is_dir():
            return
        with self.submission.alone():
            self.submission.prepare()
        if not (self.folder / digest(path)).exists():
            notes, time = self.submission.notes, _handed_in(path)
            self.keep(
                lambda folder: folder.fill(partial(_copy, path), notes, time=time),
                path.stat().st_mtime,
            )

    def counting(self) -> Attempt | None:
        """Return the attempt that lies in ``submitted/``; None if it holds none of them."""
        path = self.submission.path
        key = digest(path) if path.is_dir() else ""
        return next((attempt for attempt in self.all() if attempt.key == key), None)

    def place(self, attempt: Attempt) -> None:
        """Make an attempt the one that lies in ``submitted/``."""
        with self.submission.alone():
            attempt.copy_to(self.submission.submitted)

    @contextmanager
    def graded_alone(self) -> Iterator[None]:
        """Wait until no other process grades these attempts, and prevent it for the block."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _attempt(self, home: Path) -> Attempt:
        at = self.submission
        arrived = json.loads((home / ARRIVED).read_text())
        return Attempt(home.name, SubmissionFolder(home, at.student, at.assignment), arrived)


def digest(folder: Path) -> str:
    """Return a digest of a submission that is in order: of its files, and of when it came."""
    found = hashlib.sha256(f"{_handed_in(folder)}\0".encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path != folder / TIMESTAMP:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            found.update(f"{content} {path.relative_to(folder)}\0".encode())
    return found.hexdigest()[:KEY_LENGTH]


def _handed_in(folder: Path) -> datetime | None:
    try:
        time = parse_utc((folder / TIMESTAMP).read_text().strip())
    except FileNotFoundError:
        return None
    return time.replace(microsecond=0, tzinfo=UTC)


def _copy(folder: Path, intake: Intake) -> None:
    """Copy the files of a submission that is in order, but for the file that says when it came."""

    def left_out(place: str, names: list[str]) -> list[str]:
        return [TIMESTAMP] if Path(place) == folder else []

    shutil.copytree(folder, intake.folder, dirs_exist_ok=True, ignore=left_out)
