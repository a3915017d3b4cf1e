"""Grade apart from the gradebook: into a copy of it, in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

from traitlets.config import Config

from autograder.course import Course
from autograder.grading.gradebook_copy import copy_gradebook


@contextmanager
def folder_apart(folder: Path) -> Iterator[Path]:
    """Make a folder for the block; what a killed grader left there is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def config_apart(course: Course, config: Config, folder: Path) -> Config:
    """Return a configuration that grades into ``<folder>/autograded`` and a copy of the gradebook.

    Parameters
    ----------
    course
    config
        nbgrader's configuration of the course. It is not changed.
    folder
        An empty folder within the course folder.
    """
    config = deepcopy(config)
    # nbgrader takes this path for a regular expression, and only the root for a plain text.
    autograded = folder.relative_to(course.folder) / "autograded"
    config.CourseDirectory.autograded_directory = str(autograded)
    config.CourseDirectory.db_url = copy_gradebook(course, folder / "gradebook.db")
    config.SubmissionExporter.settings_applied = True  # the copy has them from the gradebook
    return config
