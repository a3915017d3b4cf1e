"""nbgrader's configuration for a course: its commands and the formgrader grade as ours do."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
)
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from autograder.course import Course
from autograder.grading.feedback import FeedbackExporter, HideHiddenTests, ShowGrades
from autograder.grading.nbgrader_steps import GradeInSandbox, RepairSubmission, SubmissionExporter
from autograder.grading.safe_html import HTML_FILTERS
from autograder.grading.saved_grades import SaveGradesTogether

# nbgrader causes these warnings with every entry that it writes; users can do nothing about them.
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")


def course_config(course: Course) -> Config:
    """Return nbgrader's configuration for a course."""
    c = Config()
    c.CourseDirectory.root = str(course.folder.resolve())
    c.CourseDirectory.source_directory = str(course.notebooks)
    c.CourseDirectory.db_url = course.database_url
    # The grader reads artifacts from the submitted folder; nbgrader need not copy them.
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "artifacts", "*.zip"]

    c.Autograde.exporter_class = SubmissionExporter
    c.Autograde.sanitize_preprocessors = [
        RepairSubmission,
        ClearOutput,
        OverwriteKernelspec,
        OverwriteCells,
        CheckCellMetadata,
    ]
    c.Autograde.autograde_preprocessors = [
        GradeInSandbox,
        LimitOutput,
        SaveGradesTogether,
        AssignLatePenalties,
        CheckCellMetadata,
    ]

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
