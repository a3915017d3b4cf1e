"""The layout of a course folder, and nbgrader's configuration for it."""

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

from autograder.assignments import NOTEBOOKS
from autograder.grading.feedback import FeedbackExporter, HideHiddenTests, ShowGrades
from autograder.grading.nbgrader_steps import GradeInSandbox, RepairSubmission, SubmissionExporter
from autograder.grading.safe_html import HTML_FILTERS
from autograder.grading.saved_grades import SaveGradesTogether

# nbgrader causes these warnings with every entry that it writes; users can do nothing about them.
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")

LOCK_SECONDS = 60
"""How long a process waits while another writes to the gradebook; an entry takes milliseconds."""


def course_config(course: Path) -> Config:
    """Return nbgrader's configuration for the course in the folder `course`.

    The folder has nbgrader's usual layout: ``gradebook.db``, ``release/``, ``submitted/``,
    ``autograded/`` and ``feedback/``. The source notebooks stay in the project.

    Parameters
    ----------
    course : Path

    Returns
    -------
    traitlets.config.Config
    """
    c = Config()
    c.CourseDirectory.root = str(course.resolve())
    c.CourseDirectory.source_directory = str(NOTEBOOKS)
    c.CourseDirectory.db_url = f"sqlite:///{course.resolve()}/gradebook.db?timeout={LOCK_SECONDS}"
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
