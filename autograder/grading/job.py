"""A submission that is ready to be run: everything that its result depends on, as plain data.

A job knows nothing of the course folder and the gradebook, so that any machine can do it which has
the same version of the course kit. The same job has the same result, which is therefore kept.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.errors import UserError
from autograder.grading.digests import contents
from autograder.grading.execution import grade_notebook
from autograder.grading.intake.pictures import Pictures
from autograder.grading.own_places import PACKAGES
from autograder.grading.record import Record
from autograder.grading.submission_profile import grading_in
from autograder.hidden.remembered import remembering_in
from autograder.releasing.student_build import write_student_helpers
from autograder.sandbox.account import make_readable
from autograder.sandbox.limits import Limits
from autograder.sandbox.session import Session
from autograder.sandbox.shown import masked, programs
from autograder.sandbox.template import Template
from autograder.settings import Settings
from autograder.temporary import temporary_folder
from helpers.cifar10 import CACHE
from helpers.data_folder import data_folder
from helpers.files import replacing


@dataclass(frozen=True)
class Job:
    """A submission that is ready to be run.

    Attributes
    ----------
    assignment
    unlocks
        The reference modules that the assignment's students get.
    notebook
        The repaired notebook, as JSON.
    profile
        The profile in which it is graded.
    limits
        Limits on the student's code.
    threads
        Threads of torch and numpy in a kernel.
    sandbox
        Whether there is one.
    given
        As in `autograder.grading.execution.grade_notebook`.
    pictures
        The figures that were handed in, as there.
    seed
        What the random inputs of the hidden tests depend on, as there.
    """

    assignment: str
    unlocks: tuple[str, ...]
    notebook: str
    profile: str
    limits: Limits
    threads: int
    sandbox: bool
    given: frozenset[str] | None
    pictures: Pictures
    seed: bytes

    def digest(self, files: Path) -> str:
        """Return a digest of this job and of the submitted files in a folder."""
        found = hashlib.sha256(contents(files).encode())
        cells = json.loads(self.notebook)["cells"]
        for cell in cells:
            cell.pop("id", None)  # a cell that is put back gets another one every time
        for field in fields(self):
            value = cells if field.name == "notebook" else getattr(self, field.name)
            plain = sorted(value) if isinstance(value, frozenset) else value
            plain = sorted(plain.items()) if isinstance(plain, Mapping) else plain
            found.update(hashlib.sha256(repr(plain).encode("utf-8", "surrogatepass")).digest())
        return found.hexdigest()


def do_job(
    job: Job,
    files: Path,
    *,
    template: Template | None = None,
    measured: Path | None = None,
    data: Path | None = None,
) -> NotebookNode:
    """Run a submission and judge it.

    Parameters
    ----------
    job
    files
        The folder with the submitted files, which student code can read.
    template
        The process that kernels are forked from; None: each kernel is started by itself.
    measured
        Where graders remember what they measure; see `autograder.hidden.remembered`.
    data
        The folder with CIFAR-10. By default the one that the environment names.

    Returns
    -------
    NotebookNode
        The graded notebook, with the record of this grading in its metadata.

    Raises
    ------
    autograder.errors.UserError
        If the data that the profile needs are missing.
    """
    nb = nbformat.from_dict(json.loads(job.notebook))
    deadline = time.monotonic() + job.limits.total_seconds
    settings = Settings(data=data)
    with (
        temporary_folder("scratch-") as scratch,
        grading_in(job.profile, settings),
        remembering_in(measured),
    ):
        dataset = _dataset(job.profile)

        def start() -> Session:
            return Session(
                build=_student_build(job.assignment, job.unlocks),
                submission=files,
                masks=tuple(masked(PACKAGES, programs())) if job.sandbox else (),
                limits=job.limits,
                profile=job.profile,
                data=dataset,
                template=template,
                sandbox=job.sandbox,
                threads=job.threads,
                scratch=scratch,
                deadline=deadline,
            )

        record = grade_notebook(
            nb, start=start, files=files, given=job.given, pictures=job.pictures, seed=job.seed
        )
    record.sandbox = "bubblewrap" if job.sandbox else "none"
    record.write(nb)
    return nb


def kept_result(path: Path) -> NotebookNode | None:
    """Return the result of a job that was kept in a file, if there is one."""
    with suppress(OSError, ValueError):
        return nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))
    return None


def keep_result(path: Path, graded: NotebookNode) -> None:
    """Keep a result in a file, unless doing the same job again might give another.

    That is so if a question has no result, or if something was noted, such as a limit that was
    reached: on another day the machine may be less busy.
    """
    record = Record.read(graded)
    if record.flags or not all(question.judged for question in record.questions.values()):
        return
    with suppress(OSError):  # on a full disk the next run does the job again
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as new:
            new.write_text(json.dumps(graded), encoding="utf-8")


def _dataset(profile: str) -> Path | None:
    """Return the data file that a profile needs; None if scikit-learn's own data are enough."""
    if profile != "full":
        return None
    file = data_folder() / CACHE
    if not file.is_file():
        raise UserError(
            f"There is no {file}, which the notebooks of the full profile read: name the folder "
            "that holds it in course.toml (`data`), and grade again."
        )
    return file


# Builds are kept until this process ends: all submissions that it grades use the same one.
_builds = ExitStack()
atexit.register(_builds.close)


@cache
def _student_build(assignment: str, unlocks: tuple[str, ...]) -> Path:
    folder = _builds.enter_context(temporary_folder("student-build-"))
    write_student_helpers(folder, assignment, unlocks)
    make_readable(folder)
    return folder
