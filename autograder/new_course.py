"""`autograder init`: the files with the settings of a new course."""

from __future__ import annotations

import os
from pathlib import Path

from autograder import settings
from autograder.configuration import CONFIGURATION
from autograder.course import Course
from autograder.errors import UserError

FILES = {settings.NAME: settings.TEMPLATE, "nbgrader_config.py": CONFIGURATION}


def new_course(course: Course) -> list[Path]:
    """Make a course folder, and write the files of settings that it lacks.

    A link called ``source`` leads from the folder to the source notebooks.

    Parameters
    ----------
    course
        Its folder need not exist yet.

    Returns
    -------
    list of Path
        What was written. What was there before is kept.

    Raises
    ------
    UserError
        If the folder cannot be written to.
    """
    folder, written = course.folder, []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in FILES.items():
            if not (folder / name).exists():
                (folder / name).write_text(text, encoding="utf-8")
                written.append(folder / name)
        if not os.path.lexists(course.source_link):
            course.source_link.symlink_to(course.notebooks, target_is_directory=True)
            written.append(course.source_link)
    except OSError as error:
        raise UserError(f"{folder} cannot be used as a course folder: {error.strerror}.") from error
    return written
