"""nbgrader in this folder: its commands and the formgrader grade as `autograder grade` does."""

from pathlib import Path

from autograder.configuration import course_config
from autograder.course import Course

c = get_config()  # noqa: F821  (nbgrader puts it here)
c.merge(course_config(Course(Path(__file__).parent)))
