"""The course folder: where everything in it lies, and the gradebook.

The folder has nbgrader's usual layout, so that nbgrader's own commands and the formgrader work in
it; `autograder.configuration` tells nbgrader the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.assignments import NOTEBOOKS, assignments
from autograder.errors import UserError
from autograder.settings import Settings, read_settings

LOCK_SECONDS = 60
"""How long a process waits while another writes to the gradebook; an entry takes milliseconds."""


UNUSABLE = frozenset("*?[]%#")
"""Characters that a course cannot have in its path: nbgrader takes the first four for patterns, and
``? % #`` have a meaning in the address of the gradebook."""


class NoGradebook(UserError):
    """The course has no gradebook yet; the message says what to do."""


class NotReleased(UserError):
    """An assignment was not released in the course; the message says what to do."""

    def __init__(self, assignment: str, course: Course) -> None:
        super().__init__(
            f"{assignment} was not released in {course.folder}: run `autograder release "
            f"{assignment}` first, with the same --course."
        )


@dataclass(frozen=True)
class Course:
    """A course in a folder.

    Attributes
    ----------
    folder
        The course folder, as an absolute path. It need not exist yet.
    notebooks
        The folder of the source notebooks, ``<assignment>/<assignment>.ipynb``, which stay in the
        project.

    Raises
    ------
    UserError
        If the path of the folder has a character of `UNUSABLE`.
    """

    folder: Path
    notebooks: Path = NOTEBOOKS

    def __post_init__(self) -> None:
        # nbgrader changes its working directory, in which a relative path would lead elsewhere.
        object.__setattr__(self, "folder", self.folder.resolve())
        path = str(self.folder)
        if found := sorted(UNUSABLE.intersection(path)):
            raise UserError(
                f"The course cannot lie in {path}, because nbgrader cannot handle "
                f"{' '.join(found)} in a path: rename the folder, or choose another."
            )

    @cached_property
    def settings(self) -> Settings:
        """The settings in its ``course.toml``, as they were when they were first needed."""
        return read_settings(self.folder)

    def require(self, assignment: str) -> None:
        """Make sure that an assignment belongs to the course.

        Raises
        ------
        UserError
            If it does not; the message lists those that do.
        """
        names = self.settings.assignments or assignments(self.notebooks)
        if assignment not in names:
            raise UserError(
                f"{assignment!r} is not an assignment of this course. Its assignments are: "
                f"{', '.join(names)}."
            )

    def source_notebook(self, assignment: str) -> Path:
        """Return the path of the notebook that the instructor edits."""
        return self.notebooks / assignment / f"{assignment}.ipynb"

    @property
    def source_link(self) -> Path:
        """The link in the course folder to the folder of the source notebooks."""
        return self.folder / "source"

    def release(self, assignment: str) -> Path:
        """Return the folder of the students' version; its zip lies beside it."""
        return self.folder / "release" / assignment

    def released_notebook(self, assignment: str) -> Path:
        """Return the path of the notebook that students get."""
        return self.release(assignment) / f"{assignment}.ipynb"

    def releases(self, assignment: str) -> Path:
        """Return the file that describes the last release and the one before it."""
        return self.folder / ".releases" / f"{assignment}.json"

    @property
    def submitted(self) -> Path:
        """The folder of all submissions."""
        return self.folder / "submitted"

    def submission(self, student: str, assignment: str) -> Path:
        """Return the folder with a student's notebook and artifacts."""
        return self.submitted / student / assignment

    def graded_notebook(self, student: str, assignment: str) -> Path:
        """Return the path of the notebook that holds the grader's record of a submission."""
        return self.folder / "autograded" / student / assignment / f"{assignment}.ipynb"

    def feedback_page(self, student: str, assignment: str) -> Path:
        """Return the path of the page that the student gets back."""
        return self.folder / "feedback" / student / assignment / f"{assignment}.html"

    def class_report(self, assignment: str) -> Path:
        """Return the path of the page about the whole class."""
        return self.folder / "report" / f"{assignment}.html"

    def grades_file(self, assignment: str) -> Path:
        """Return the path of the table of grades."""
        return self.folder / "report" / f"{assignment}.csv"

    def hand_ins(self, assignment: str) -> Path:
        """Return the path of the table of all files that the last import found."""
        return self.folder / "report" / f"{assignment}-hand-ins.csv"

    def rubric(self, assignment: str) -> Path:
        """Return the path of the rubric items with which its written answers are marked."""
        return self.folder / "marking" / f"{assignment}.json"

    def unfinished(self, assignment: str) -> Path:
        """Return the folder that lists the submissions whose grading is not finished."""
        return self.folder / ".unfinished" / assignment

    @property
    def gradebook_in_file(self) -> bool:
        """Whether the gradebook is a file of the course, and not on a server."""
        return not self.settings.gradebook

    @property
    def database(self) -> Path:
        """The file of the gradebook, if it is one."""
        return self.folder / "gradebook.db"

    @property
    def database_url(self) -> str:
        """The gradebook as SQLAlchemy names it."""
        return self.settings.gradebook or f"sqlite:///{self.database}?timeout={LOCK_SECONDS}"

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """Open the gradebook for the block.

        Raises
        ------
        NoGradebook
            If there is none. nbgrader would make an empty one, perhaps in the wrong folder.
        """
        if self.gradebook_in_file and not self.database.is_file():
            raise NoGradebook(
                f"There is no gradebook in {self.folder}: release the assignment there "
                "first with `autograder release`, or give the course folder with --course."
            )
        with Gradebook(self.database_url) as gradebook:
            yield gradebook
