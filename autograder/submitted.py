"""Submissions as they come: broken files, renamed notebooks, links, zips. Nothing is believed."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

MAX_NOTEBOOK_BYTES = 64 * 2**20
MAX_FILES_BYTES = 256 * 2**20
"""Of one submission. The artifacts of an assignment take about 10 MB."""


class UnreadableNotebook(ValueError):
    """The submitted file is no notebook; the message says why."""


def read_notebook(path: Path) -> NotebookNode:
    """Read a submitted notebook.

    Raises
    ------
    UnreadableNotebook
        If it is not a notebook in version 4 of the format, or larger than `MAX_NOTEBOOK_BYTES`.
    """
    if path.stat().st_size > MAX_NOTEBOOK_BYTES:
        raise UnreadableNotebook(f"larger than {MAX_NOTEBOOK_BYTES // 2**20} MB")
    try:
        nb = nbformat.read(path, as_version=4)
        _, nb = nbformat.validator.normalize(nb)
        nbformat.validate(nb)
    except UnicodeDecodeError as error:
        raise UnreadableNotebook("not a text file") from error
    except nbformat.reader.NotJSONError as error:
        raise UnreadableNotebook("not JSON") from error
    except RecursionError as error:
        raise UnreadableNotebook("nested too deeply") from error
    except Exception as error:
        # nbformat meets arbitrary JSON with arbitrary exceptions.
        raise UnreadableNotebook(f"not in the notebook format ({type(error).__name__})") from error
    return nb


def copy_files(source: Path, destination: Path) -> list[str]:
    """Copy a submission's files for its kernel: regular files, no notebooks, no links.

    The notebooks stay behind because the graded one holds hidden tests; links, because they can
    point at what the student must not see.

    Parameters
    ----------
    source, destination : Path

    Returns
    -------
    list of str
        What was left out and is worth a look.
    """
    notes = []
    room = MAX_FILES_BYTES
    for folder, folders, names in os.walk(source):
        place = Path(folder)
        for name in [*folders, *names]:
            path = place / name
            kind = path.lstat()
            if stat.S_ISDIR(kind.st_mode) or path.suffix == ".ipynb":
                continue
            relative = path.relative_to(source)
            if not stat.S_ISREG(kind.st_mode):
                notes.append(f"{relative} is a link or a special file; it was left out")
            elif kind.st_size > room:
                notes.append(f"{relative} was left out: more than {MAX_FILES_BYTES // 2**20} MB")
            else:
                room -= kind.st_size
                target = destination / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target, follow_symlinks=False)
    return notes


def remove_links(folder: Path) -> list[Path]:
    """Remove links from a submission folder, so that nbgrader does not copy what they point at.

    A link holds no work of the student's.

    Returns
    -------
    list of Path
        The links removed.
    """
    removed = []
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(place, name)
            if path.is_symlink():
                path.unlink()
                removed.append(path)
    return removed


@dataclass
class Collected:
    """What `collect` brought into the course.

    Attributes
    ----------
    students : list of str
    notes : dict of str to list of str
        Per student, what is worth a look.
    """

    students: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)


def collect(source: Path, assignment: str, submitted: Path) -> Collected:
    """Bring submissions into ``submitted/<student>/<assignment>/``.

    Parameters
    ----------
    source : Path
        A folder or a zip with one folder or one zip per student: ``<student>/<assignment>/``,
        ``<student>/`` or ``<student>.zip``.
    assignment : str
    submitted : Path
        The course's folder of submissions. What a student handed in before is replaced.

    Returns
    -------
    Collected

    Raises
    ------
    FileNotFoundError
        If `source` does not exist or holds no submission.
    """
    if not source.exists():
        raise FileNotFoundError(f"There is no {source}: give the folder or the zip of submissions.")
    collected = Collected()
    if source.is_dir() and source.resolve() == submitted.resolve():
        students = sorted(p.parent.name for p in submitted.glob(f"*/{assignment}") if p.is_dir())
        for student in students:
            collected.students.append(student)
            collected.notes[student] = _tidy(submitted / student / assignment, assignment)
    elif source.is_dir():
        for entry in sorted(source.iterdir()):
            if entry.name.startswith("."):
                continue
            _collect_one(entry, assignment, submitted, collected)
    else:
        unpacked = submitted.parent / f".{source.stem}-unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        try:
            _unzip(source, unpacked)
            return collect(unpacked, assignment, submitted)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
    if not collected.students:
        raise FileNotFoundError(
            f"{source} holds no submission of {assignment}: expected <student>/{assignment}/, "
            "<student>/ or <student>.zip."
        )
    return collected


def _collect_one(entry: Path, assignment: str, submitted: Path, collected: Collected) -> None:
    student = entry.stem if entry.suffix == ".zip" else entry.name
    target = submitted / student / assignment
    fresh = target.with_name(f".{assignment}-new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    notes: list[str] = []
    if entry.suffix == ".zip":
        try:
            _unzip(entry, fresh)
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            notes.append(f"the zip cannot be unpacked: {error}")
    elif entry.is_dir() and not entry.is_symlink():
        folder = entry / assignment if (entry / assignment).is_dir() else entry
        shutil.copytree(folder, fresh, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.rmtree(fresh)
        if not any(target.parent.iterdir()):
            target.parent.rmdir()
        return
    notes += _tidy(fresh, assignment)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    collected.students.append(student)
    collected.notes[student] = notes


def _tidy(folder: Path, assignment: str) -> list[str]:
    """Remove links and put the notebook where nbgrader looks for it."""
    notes = [f"{p.relative_to(folder)} was a link; removed" for p in remove_links(folder)]
    inner = [p for p in folder.iterdir() if not p.name.startswith((".", "__"))]
    if len(inner) == 1 and inner[0].is_dir() and list(inner[0].glob("*.ipynb")):
        # A zip of a folder: its content is the submission.
        for path in inner[0].iterdir():
            path.rename(folder / path.name)
        inner[0].rmdir()
    notebook = folder / f"{assignment}.ipynb"
    if not notebook.exists():
        others = sorted(folder.glob("*.ipynb"))
        if len(others) == 1:
            notes.append(f"the notebook was called {others[0].name}")
            others[0].rename(notebook)
        else:
            notes.append(f"there is no {assignment}.ipynb ({len(others)} notebooks)")
            # An empty file is graded like any other that is no notebook: zero, with the reason.
            notebook.touch()
    return notes


def _unzip(archive: Path, folder: Path) -> None:
    """Unpack regular files below `folder`; links and absolute or climbing names are refused."""
    with zipfile.ZipFile(archive) as files:
        total = 0
        for info in files.infolist():
            # Archives from Windows carry no file type at all.
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir() or kind not in (0, stat.S_IFREG):
                continue
            name = Path(info.filename)
            if name.is_absolute() or ".." in name.parts:
                raise ValueError(f"it holds the file name {info.filename!r}")
            total += info.file_size
            if total > 40 * MAX_FILES_BYTES:
                raise ValueError("it unpacks to too much")
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with files.open(info) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out)
