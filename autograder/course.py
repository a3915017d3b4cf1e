"""Where a course's things lie, and how nbgrader is told about our steps."""

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

# nbgrader's own way with SQLAlchemy, on every entry; nothing that a user could mend.
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")

LOCK_SECONDS = 60
"""How long a process waits for another's entry in the gradebook; one takes milliseconds."""


def course_config(course: Path) -> Config:
    """Return nbgrader's configuration for the course in the folder `course`.

    The folder holds, as nbgrader has it, ``gradebook.db``, ``release/``, ``submitted/``,
    ``autograded/`` and ``feedback/``; the source notebooks stay in the project.

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
    # The grader reads artifacts where they were submitted; no copies go through nbgrader's folders.
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
    """Let nbgrader find the `alembic` program that is installed beside this Python."""
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
