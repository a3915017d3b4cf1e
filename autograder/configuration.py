"""nbgrader's configuration for a course: its commands and the formgrader grade as ours do."""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import (
    AssignLatePenalties,
    ClearOutput,
    LimitOutput,
    OverwriteKernelspec,
)
from sqlalchemy.exc import SAWarning
from traitlets.config import Config, PyFileConfigLoader

from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.feedback import FeedbackExporter, HideHiddenTests, ShowGrades
from autograder.grading.late import LatePolicy
from autograder.grading.nbgrader_steps import GradeInSandbox, RepairSubmission, SubmissionExporter
from autograder.grading.safe_html import HTML_FILTERS
from autograder.grading.saved_grades import SaveGradesTogether

# nbgrader causes these warnings with every entry that it writes; users can do nothing about them.
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")


CONFIGURATION = """\
# With this file, nbgrader's own commands and the formgrader grade as `autograder grade` does. Lines
# that you add below count for all of them; the settings of the course are in course.toml.
from pathlib import Path

from autograder.configuration import course_config
from autograder.course import Course

c = get_config()  # noqa: F821
c.merge(course_config(Course(Path(__file__).parent)))
"""
"""The ``nbgrader_config.py`` of a course."""

_PLACES = ("root", "source_directory", "db_url")


class NoUnauditedRelease(NotebookExporter):
    """Stops nbgrader from making a release, which would have no wheel and pass no audit.

    nbgrader makes its exporter before it removes the earlier release.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        converter: Any = self.parent
        name = converter.coursedir.assignment_id
        folder = converter.coursedir.root
        # The formgrader shows lines of some 70 characters, so the command has one to itself.
        message = (
            "Nothing was generated. The release is made by this command:\n\n"
            f"    autograder release {name} --course {shlex.quote(folder)}\n\n"
            "It adds the wheel of helpers and checks that nothing is given away."
        )
        converter.log.error(message)
        raise NbGraderException(message)


def full_config(course: Course) -> Config:
    """Return nbgrader's configuration for a course, with the changes that its own file makes.

    Parameters
    ----------
    course
        Its folder may hold an ``nbgrader_config.py``, which nbgrader's commands read.

    Raises
    ------
    UserError
        If that file cannot be run.
    """
    config = course_config(course)
    places = config.CourseDirectory.copy()
    file = course.folder / "nbgrader_config.py"
    if file.is_file():
        try:
            config.merge(PyFileConfigLoader(file.name, str(file.parent)).load_config())
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"{file} cannot be run: {type(error).__name__}: {error}") from error
    # Where things lie is what the course says.
    config.CourseDirectory.update({key: places[key] for key in _PLACES})
    return config


def course_config(course: Course) -> Config:
    """Return nbgrader's configuration for a course, as its settings make it.

    Raises
    ------
    UserError
        If the settings have a fault.
    """
    settings = course.settings
    c = Config()
    c.CourseDirectory.root = str(course.folder)
    # Through the link, the formgrader's links to the sources lead into the course folder.
    linked = course.source_link.resolve() == course.notebooks.resolve()
    c.CourseDirectory.source_directory = "source" if linked else str(course.notebooks)
    c.CourseDirectory.db_url = course.database_url
    if not course.gradebook_in_file:
        # Without a name, nbgrader refers to a course that is not in the database, which PostgreSQL
        # refuses. This is the name that nbgrader's gradebook uses by default.
        c.CourseDirectory.course_id = "default_course"
    # The grader reads artifacts from the submitted folder; nbgrader need not copy them.
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "artifacts", "*.zip"]

    c.GenerateAssignment.exporter_class = NoUnauditedRelease
    c.Autograde.exporter_class = SubmissionExporter
    c.Autograde.sanitize_preprocessors = [
        RepairSubmission,  # which does the work of OverwriteCells and CheckCellMetadata, too
        ClearOutput,
        OverwriteKernelspec,
    ]
    c.Autograde.autograde_preprocessors = [
        GradeInSandbox,
        LimitOutput,
        SaveGradesTogether,
        AssignLatePenalties,
    ]

    c.GradeInSandbox.update(settings.limits)
    c.AssignLatePenalties.plugin_class = LatePolicy
    # An instructor may set what nbgrader documents, which is the method of nbgrader's own plugin.
    c.LateSubmissionPlugin.penalty_method = settings.late.penalty
    c.LatePolicy.percent_per_day = float(settings.late.percent_per_day)
    c.LatePolicy.grace_hours = float(settings.late.grace_hours)

    c.GenerateFeedback.exporter_class = FeedbackExporter
    c.GenerateFeedback.preprocessors = [HideHiddenTests, ShowGrades, CSSHTMLHeaderPreprocessor]
    # A student's HTML must not act in the instructor's browser, where the formgrader could be asked
    # to change scores.
    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = HTML_FILTERS
    return c


def add_scripts_to_path() -> None:
    """Let nbgrader find the `alembic` program that is installed with this Python."""
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
