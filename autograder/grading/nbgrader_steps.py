"""Our steps in nbgrader's conversion: repair what was submitted, then grade it in the sandbox.

`autograder.course.course_config` uses them instead of nbgrader's own, so that
`nbgrader autograde`, the formgrader's button and `autograder grade` all do the same.
"""

from __future__ import annotations

import glob
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Integer, List, Unicode

from autograder.assignments import Assignment
from autograder.course import Course
from autograder.gradebook_settings import apply_settings
from autograder.grading.answers import keep_digests, kept_digests
from autograder.grading.intake.course_cells import CourseCell, repair
from autograder.grading.intake.hand_in_files import copy_files
from autograder.grading.intake.names import printable, safe_name
from autograder.grading.intake.pictures import pictures_in
from autograder.grading.intake.submission_folder import SubmissionFolder
from autograder.grading.intake.submitted_notebook import UnreadableNotebook, read_notebook
from autograder.grading.marking_notes import add_marking_notes
from autograder.grading.own_places import private_places
from autograder.grading.record import KEY, Record
from autograder.grading.secret import course_secret, submission_seed
from autograder.grading.submission_profile import profile_of
from autograder.notebook.source import nbgrader_marks
from autograder.sandbox import bubblewrap
from autograder.sandbox.account import make_readable
from autograder.sandbox.limits import MIB, Limits
from autograder.sandbox.shown import programs, require_hidden
from autograder.sandbox.template import Template
from autograder.settings import read_settings
from autograder.temporary import temporary_folder

if TYPE_CHECKING:
    from autograder.grading.job import Job

Resources = dict[str, Any]

IMAGES = frozenset({".gif", ".jpeg", ".jpg", ".png", ".webp"})
"""The images that a written answer may show. SVG is excluded, because it may contain scripts."""


class SubmissionExporter(NotebookExporter):
    """Reads a submitted notebook, or returns an empty one if it is unreadable.

    The empty notebook then gets its test cells back and is graded like any other: it earns no
    points, the report gives the reason, and the grading of other submissions goes on.
    """

    settings_applied = Bool(
        False, help="Whether the gradebook has the settings of the course already."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._earlier: dict[str, dict[str, str]] = {}
        # nbgrader makes its exporter after it has searched for notebooks and before it opens any
        # file. Its own hook comes too late (timestamp.txt has been read by then), and exceptions
        # from that hook are ignored.
        if isinstance(self.parent, Autograde):
            if not self.settings_applied:
                apply_settings(Course(Path(self.parent.coursedir.root)))
            for folder in _prepare_submissions(self.parent):
                self._earlier[folder.parent.name] = _earlier_answers(self.parent, folder)

    def from_filename(  # type: ignore[override]  # its own hint names another exporter's result
        self, filename: str, resources: Resources | None = None, **kwargs: Any
    ) -> tuple[str, Resources]:
        """Convert the notebook at `filename`."""
        path = Path(filename)
        resources = resources or {}
        resources["metadata"] = {"path": str(path.parent)}
        resources["autograder_flags"] = submission_folder(path.parent).notes
        submitted = self._is_submitted(path)
        if submitted:
            self._keep_images(resources["nbgrader"])
            student = resources["nbgrader"]["student"]
            resources["autograder_answers"] = self._earlier.get(student, {})
        try:
            nb = read_notebook(path, submitted=submitted)
        except UnreadableNotebook as error:
            if not submitted:
                raise  # the grader itself has written this file
            resources["autograder_flags"].append(f"the submitted file is not a notebook: {error}")
            resources["autograder_unreadable"] = str(error)
            nb = nbformat.v4.new_notebook()
        return self.from_notebook_node(nb, resources, **kwargs)

    def _is_submitted(self, path: Path) -> bool:
        converter: Any = self.parent
        course = converter.coursedir
        return path.is_relative_to(Path(course.root, course.submitted_directory))

    def _keep_images(self, names: dict[str, str]) -> None:
        """Remove the files that nbgrader has copied from the submission, except images.

        The formgrader serves these files with their own types: an HTML page among them would run
        with the rights of whoever follows a link to it. The grader does not need the copies; it
        reads the files from the submitted folder.
        """
        converter: Any = self.parent
        course = converter.coursedir
        copied = course.format_path(
            course.autograded_directory, names["student"], names["assignment"]
        )
        for path in Path(copied).rglob("*"):
            shown = path.suffix.lower() in IMAGES or path.name == "timestamp.txt"
            if path.is_file() and not shown:
                path.unlink()


class RepairSubmission(NbGraderPreprocessor):
    """Puts the course's cells back into a submission, as they are in the gradebook."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Repair `nb`, and note in its metadata what the instructor should know."""
        names = resources["nbgrader"]
        flags = list(resources.get("autograder_flags", []))
        with Gradebook(names["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(names["notebook"], names["assignment"])
            points = {cell.name: cell.max_score for cell in notebook.grade_cells}
            solutions = {cell.name for cell in notebook.solution_cells}
            tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
            course = {
                cell.name: CourseCell(
                    cell_type=cell.cell_type,
                    source=cell.source,
                    locked=cell.locked,
                    marks=_marks(cell, points, solutions, tasks),
                )
                for cell in notebook.source_cells
            }
        source = source_notebook(self.parent.parent.coursedir, names)
        released = nbformat.read(source, 4) if source.is_file() else nbformat.v4.new_notebook()
        repaired = repair(nb, course, released)
        add_marking_notes(nb, released)
        # A file that is not a notebook lacks every cell, and one flag already says so.
        unreadable = resources.get("autograder_unreadable", "")
        if not unreadable:
            flags += repaired
        # No other submitted metadata is used, and a malformed entry could break a page.
        nb.metadata = NotebookNode()
        answers = resources.get("autograder_answers", {})
        Record(flags=flags, answers=answers, unreadable=unreadable).write(nb)
        return nb, resources


def _marks(cell: Any, points: dict, solutions: set, tasks: dict) -> dict[str, Any]:
    marks = {
        "cell_type": cell.cell_type,
        "grade": cell.name in points,
        "grade_id": cell.name,
        "locked": bool(cell.locked),
        "schema_version": 3,
        "solution": cell.name in solutions,
        "task": cell.name in tasks,
    }
    if cell.checksum:  # tasks have none
        marks["checksum"] = cell.checksum
    worth = points.get(cell.name, tasks.get(cell.name))
    return marks if worth is None else {**marks, "points": worth}


class GradeInSandbox(NbGraderPreprocessor):
    """Replaces nbgrader's `Execute`: student code runs in the sandbox, hidden tests run here."""

    sandbox = Bool(True, help="False: run student code unprotected, as this user.").tag(config=True)
    cell_seconds = Float(Limits.cell_seconds, help="Processor time of one cell.").tag(config=True)
    total_seconds = Float(Limits.total_seconds, help="Time limit of a notebook.").tag(config=True)
    memory_mib = Integer(Limits.memory_bytes // MIB, help="Memory limit, MiB.").tag(config=True)
    threads = Integer(1, help="Threads of torch and numpy in a kernel.").tag(config=True)
    warm = Bool(True, help="Fork kernels from a process with imported packages.").tag(config=True)
    template = Integer(
        -1, help="Descriptor of the process that kernels are forked from; -1: none."
    ).tag(config=True)
    cache = Unicode(
        "", help="Folder in which graders keep what they measure, and results; empty: none."
    ).tag(config=True)
    reuse = Bool(True, help="Take over results that are in the cache.").tag(config=True)
    scheduler = Unicode("", help="Address of a Dask scheduler; empty: this machine.").tag(
        config=True
    )
    modules = List(Unicode(), help="What kernels on a cluster import in advance.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Run and grade `nb`; return the graded notebook, with the record in its metadata.

        Raises
        ------
        autograder.errors.UserError
            If `sandbox` is on and no sandbox is available (see `require_sandbox`), or if the data
            that the profile needs are missing.
        """
        # Imported here, because this loads torch and the hidden tests, which only workers need.
        from autograder.grading.job import Job

        names = resources["nbgrader"]
        coursedir = self.parent.parent.coursedir
        if self.sandbox and not self.scheduler:
            require_sandbox(coursedir)
        submitted = Path(
            coursedir.format_path(
                coursedir.submitted_directory, names["student"], names["assignment"]
            )
        )
        source = source_notebook(coursedir, names)
        released = Assignment(source.stem, source)
        earlier = Record.read(nb)
        settings = read_settings(Path(coursedir.root))
        with temporary_folder("grading-") as temporary:
            files = temporary / "files"
            files.mkdir()
            earlier.flags += copy_files(submitted, files)
            make_readable(files)
            profile, notes = profile_of(nb, files, settings)
            earlier.flags += notes
            written = [cell.source for cell in nb.cells if not nbgrader_marks(cell).get("locked")]
            del nb.metadata[KEY]  # what happened earlier is not part of the job
            job = Job(
                assignment=released.name,
                unlocks=released.unlocks,
                notebook=json.dumps(nb),
                profile=profile,
                limits=Limits(
                    cell_seconds=self.cell_seconds,
                    total_seconds=self.total_seconds,
                    memory_bytes=self.memory_mib * MIB,
                ),
                threads=self.threads,
                sandbox=self.sandbox,
                given=released_texts(source) if source.is_file() else None,
                pictures=pictures_in(submitted / f"{names['notebook']}.ipynb"),
                seed=submission_seed(course_secret(Path(coursedir.root)), written, files),
            )
            graded = self._result(job, files, settings.data)
        record = Record.read(graded)
        record.flags = earlier.flags + record.flags
        record.answers = earlier.answers
        record.unreadable = earlier.unreadable
        record.write(graded)
        return graded, resources

    def _result(self, job: Job, files: Path, data: Path | None) -> NotebookNode:
        """Return the result of a job: what was kept of an earlier one, or a new one."""
        from autograder.grading.job import do_job, keep_result, kept_result

        kept = Path(self.cache, "results", job.digest(files)) if self.cache else None
        if kept and self.reuse and (found := kept_result(kept)):
            return found
        if self.scheduler:
            from autograder.grading.cluster import on_cluster

            graded = on_cluster(self.scheduler, job, files, self.modules)
        else:
            template = None if self.template < 0 else _template(self.template)
            measured = Path(self.cache, "measured") if self.cache else None
            graded = do_job(job, files, template=template, measured=measured, data=data)
        if kept:
            keep_result(kept, graded)
        return graded


@cache
def _template(descriptor: int) -> Template:
    return Template.inherited(descriptor)


def source_notebook(coursedir: CourseDirectory, names: dict[str, str]) -> Path:
    """Return the path of the notebook from which a release is made.

    Parameters
    ----------
    coursedir
        The course as nbgrader knows it.
    names
        nbgrader's names of the assignment and of its notebook.
    """
    folder = coursedir.format_path(coursedir.source_directory, ".", names["assignment"])
    return Path(coursedir.root, folder, f"{names['notebook']}.ipynb")


def released_texts(source: Path) -> frozenset[str]:
    """Return the texts of the code cells of a notebook that have no marks."""
    cells = nbformat.read(source, as_version=4).cells
    return frozenset(c.source for c in cells if c.cell_type == "code" and not nbgrader_marks(c))


def require_sandbox(coursedir: CourseDirectory) -> None:
    """Make sure that student code can be sandboxed, with nothing private within its reach.

    Raises
    ------
    autograder.sandbox.bubblewrap.SandboxUnavailable
        If bubblewrap is not installed, or does not work on this machine.
    autograder.sandbox.account.NoAccount
        If the grader is root and there is no other account for student code.
    autograder.sandbox.shown.Exposed
        If the course, the checkout or a home folder lies in a folder that student code can see.
    """
    bubblewrap.require()
    require_hidden(_private(coursedir), programs())


def _private(coursedir: CourseDirectory) -> dict[str, Path]:
    """Return the folders that the sandbox must not show, by the names that messages use."""
    return private_places() | {
        "the course folder": Path(coursedir.root),
        "the folder of source notebooks": Path(coursedir.root, coursedir.source_directory),
    }


def _prepare_submissions(converter: Autograde) -> list[Path]:
    """Make the submissions that nbgrader is about to grade safe to read; return their folders.

    Raises
    ------
    nbgrader.converters.base.NbGraderException
        If a student's name is unsafe for nbgrader, which may, for example, take it for a pattern
        and then grade other students.
    """
    course = converter.coursedir
    pattern = course.format_path(
        course.submitted_directory, course.student_id, course.assignment_id
    )
    # The path itself is added: taken as a pattern, a name with brackets does not match itself.
    folders = sorted({Path(p) for p in [*glob.glob(pattern), pattern] if os.path.lexists(p)})
    _require_safe_names(folders, converter)
    failed = []
    for folder in folders:
        try:
            for note in submission_folder(folder).prepare():
                converter.log.warning("%s: %s", folder.parent.name, note)
        except PermissionError as error:
            converter.log.error("%s is not graded: %s", folder.parent.name, error)
            failed.append(str(folder))
    converter.init_notebooks()  # again: a notebook may have been renamed
    for path in failed:
        converter.assignments.pop(path, None)
    return folders


def _earlier_answers(converter: Autograde, folder: Path) -> dict[str, str]:
    """Return the digests of the answers that were graded last, and keep them.

    They are in the graded notebook, which nbgrader is about to remove.
    """
    course = converter.coursedir
    student, assignment = folder.parent.name, folder.name
    graded = Path(
        course.format_path(course.autograded_directory, student, assignment), f"{assignment}.ipynb"
    )
    kept = Path(course.root, ".answers", assignment, f"{student}.json")
    try:
        answers = Record.read(nbformat.read(graded, as_version=nbformat.NO_CONVERT)).answers
    except (OSError, ValueError):  # there is none, or a killed grader left half of one
        return kept_digests(kept)
    keep_digests(kept, answers)
    return answers


def _require_safe_names(folders: list[Path], converter: Autograde) -> None:
    for folder in folders:
        name = folder.parent.name
        if safe_name(name) != name:
            message = (
                f"nbgrader cannot handle the name of the folder {printable(name)!r} in submitted/. "
                f"Run `autograder grade {folder.name}`, which renames it."
            )
            converter.log.error(message)
            raise NbGraderException(message)


def submission_folder(path: Path) -> SubmissionFolder:
    """Return the folder ``submitted/<student>/<assignment>/`` at `path`."""
    return SubmissionFolder(path.parent.parent, path.parent.name, path.name)
