"""What runs this code: a notebook's kernel, the grader, or neither."""

import os
import sys
from typing import Any

__all__ = ["ipython_shell", "is_graded"]


def is_graded() -> bool:
    """Return whether this code runs because a submission is graded."""
    return os.environ.get("COURSE_GRADING") == "1"


def ipython_shell() -> Any:
    """Return the IPython shell that runs this code, or None."""
    ipython = sys.modules.get("IPython")  # if it were not imported, it would not run this code
    return None if ipython is None else ipython.get_ipython()
