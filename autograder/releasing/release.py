"""Make the students' version of an assignment: notebook, wheel of `helpers`, and a zip of both.

The audit checks it before it replaces an earlier release.
"""

from __future__ import annotations

import copy
import hashlib
import os
import re
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
from traitlets.config import Config

from autograder.assignments import Assignment, NoSuchAssignment
from autograder.configuration import add_scripts_to_path, full_config
from autograder.course import Course
from autograder.errors import UserError
from autograder.gradebook_settings import apply_settings
from autograder.grading.converting import ConverterError, run_converter
from autograder.grading.trouble import disk_trouble_explained
from autograder.notebook.lint import lint
from autograder.releasing.addresses import colab_address, colab_badge, file_address
from autograder.releasing.audit import AuditFailed, audit
from autograder.releasing.changes import describe, remember
from autograder.releasing.student_build import build_wheel
from autograder.settings import Settings

SETUP_HEADING = "setup-heading"
"""The id of the cell that says what the setup cell does; every source notebook has one."""

SETUP = "setup"
"""The id of the setup cell."""

NO_ADDRESS = 'ADDRESS = ""'
"""The line of the setup cell that says where the wheel is downloaded from."""

FULL = re.compile(
    r'^# (os\.environ\["COURSE_PROFILE"\] = "full"  # )remove the first # for (.+)$', re.MULTILINE
)
"""The line of the setup cell that chooses the full profile, once its first # is removed."""

GPU = {"accelerator": "GPU", "colab": {"gpuType": "T4"}}
"""The metadata with which a notebook asks Google Colab for a GPU."""

ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip can hold, so that the same files give the same zip on any day."""


class ReleaseError(UserError):
    """A release cannot be made; the message says why."""


@dataclass(frozen=True)
class Release:
    """The files that students get.

    Attributes
    ----------
    assignment
        The name of the assignment.
    folder
        The folder of the release.
    notebook, wheel
        The files in the folder.
    archive
        The folder as a zip.
    changed
        Whether there was an earlier release, and it was another one.
    """

    assignment: str
    folder: Path
    notebook: Path
    wheel: Path
    archive: Path
    changed: bool = False


@disk_trouble_explained()
def make_release(assignment: str, course: Course) -> Release:
    """Make the students' version of an assignment and register it in the gradebook.

    The release is made and audited in a temporary folder, and replaces an earlier release only
    when it is complete.

    Parameters
    ----------
    assignment
    course
        The release goes to ``release/<assignment>/`` and ``release/<assignment>.zip`` in its
        folder, which is made if it does not exist.

    Returns
    -------
    Release

    Raises
    ------
    autograder.assignments.NoSuchAssignment
        If there is no source notebook of that name.
    autograder.releasing.audit.AuditFailed
        If the source notebook has a fault or the release gives something away.
    ReleaseError
        If nbgrader refuses (for example, to drop a question that has been graded), or if the
        notebook unlocks a reference module that does not exist.
    """
    add_scripts_to_path()
    config = full_config(course)
    source = course.source_notebook(assignment)
    if not source.exists():
        raise NoSuchAssignment(assignment, source)
    if faults := lint(source):
        raise AuditFailed(assignment, faults)
    unlocks = Assignment(assignment, source).unlocks

    course.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=course.folder, prefix=".release-") as temporary:
        # The temporary folder is in the course folder: a move within a file system is atomic.
        stage = Path(temporary)
        folder = _generate(assignment, config, stage / "new", register=False)
        wheel = _build_wheel(folder, assignment, unlocks, course.settings.mirror)
        added = _adapt(folder / f"{assignment}.ipynb", wheel, course.settings)
        archive = _write_zip(folder, stage / f"{assignment}.zip")
        if leaks := audit(archive, source, unlocks=unlocks, added=added):
            raise AuditFailed(assignment, leaks)
        # The gradebook is changed only once the release has passed the audit.
        _generate(assignment, config, stage / "registered", register=True)
        apply_settings(course)
        described = describe(folder, source)
        target = course.release(assignment)
        _replace(target, folder, stage / "old")
        os.replace(archive, target.with_suffix(".zip"))
        changed = remember(described, assignment, course)
    return Release(
        assignment=assignment,
        folder=target,
        notebook=course.released_notebook(assignment),
        wheel=target / wheel.name,
        archive=target.with_suffix(".zip"),
        changed=changed,
    )


def _generate(assignment: str, config: Config, target: Path, *, register: bool) -> Path:
    """Let nbgrader write the students' notebook to `target`; return its folder there."""
    config = copy.deepcopy(config)
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.release_directory = str(target)
    config.GenerateAssignment.exporter_class = NotebookExporter
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    if not register:
        converter.no_database = True
        steps = [step for step in converter.preprocessors if step is not SaveCells]
        converter.preprocessors = steps
    try:
        run_converter(converter)
    except ConverterError as error:
        text = f"nbgrader refused to release {assignment}: {error}"
        if "Cannot add or remove cells" in text:
            text += (
                f". Submissions were graded with the earlier questions of {assignment}, and "
                "their grades would be lost. Keep the names and the number of the graded cells; or "
                "release the new questions in a new course folder (`autograder init`), or under "
                "another name of the assignment."
            )
        raise ReleaseError(text) from error
    return target / assignment


def _build_wheel(folder: Path, assignment: str, unlocks: Sequence[str], mirror: str) -> Path:
    try:
        return build_wheel(folder, assignment, unlocks, mirror=mirror)
    except ValueError as error:
        raise ReleaseError(str(error)) from error


def _adapt(path: Path, wheel: Path, settings: Settings) -> list[str]:
    """Make a notebook of the course one for students, which also works without the files beside it.

    What only the course needs is left out. If the course has an address, the notebook says where
    its files are, knows the address and the digest of its wheel, and opens in Colab. It trains in
    the profile of the course, unless a student chooses the other one.

    Returns
    -------
    list of str
        The lines that were added.
    """
    notebook = nbformat.read(path, as_version=4)
    about = notebook.metadata.get("course", {})
    # Of the course's own metadata, students need only the names of the artifacts to hand in.
    about.pop("unlocks", None)
    if settings.profile == "full" and about.get("artifacts"):
        notebook.metadata.update(GPU)
    added = _add_addresses(notebook, path.stem, wheel, settings.releases)
    if settings.profile == "full":
        added += _choose_full(notebook)
    nbformat.write(notebook, path)
    return added


def _choose_full(notebook: NotebookNode) -> list[str]:
    """Choose the full profile in the setup cell, if it has the choice; return the new line."""
    for cell in notebook.cells:
        if cell.get("id") == SETUP and (found := FULL.search(cell.source)):
            line = f"{found[1]}{found[2]}; put a # in front for quick"
            cell.source = cell.source.replace(found[0], line, 1)
            return [line]
    return []


def _add_addresses(
    notebook: NotebookNode, assignment: str, wheel: Path, releases: str
) -> list[str]:
    """Write the addresses of a release into its notebook; return the lines that were added."""
    if not releases:
        return []
    archive = file_address(releases, f"{assignment}.zip")
    added = [f"All files of this assignment are in <{archive}>."]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    address = f"{file_address(releases, assignment, wheel.name)}#sha256={digest}"
    for cell in notebook.cells:
        if cell.get("id") == SETUP_HEADING:
            cell.source += f"\n\n{added[0]}"
        elif cell.get("id") == SETUP and NO_ADDRESS in cell.source.split("\n"):
            added.append(f'ADDRESS = "{address}"')
            cell.source = cell.source.replace(NO_ADDRESS, added[-1], 1)
    if colab := colab_address(releases, assignment, f"{assignment}.ipynb"):
        # There is such a cell: each source notebook has a heading of its setup.
        added.append(colab_badge(colab))
        title = next(cell for cell in notebook.cells if cell.cell_type == "markdown")
        heading, _, text = title.source.partition("\n")
        title.source = f"{heading}\n\n{added[-1]}\n{text}"
    return added


def _write_zip(folder: Path, archive: Path) -> Path:
    """Zip a folder under its own name; the same files always give the same bytes."""
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = Path(folder.name, path.relative_to(folder)).as_posix()
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return archive


def _replace(target: Path, new: Path, old: Path) -> None:
    """Put the folder `new` in the place of `target`; what was there goes to `old`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
