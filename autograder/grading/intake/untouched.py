"""Recognise a notebook that was handed in as it was handed out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autograder.grading.intake.submitted_notebook import (
    MAX_MEMORY_BYTES,
    UnreadableNotebook,
    read_notebook,
)
from autograder.grading.limited import LimitReached, limited

MAX_BYTES = 16 * 2**20
MAX_SECONDS = 2.0
"""Limits on a notebook that is compared; a release takes 0.3 MB and a few milliseconds. What takes
more was changed, or was made to keep the grader busy."""

UNTOUCHED = "the notebook is the one that was handed out: no answer in it was changed"
"""The note on such a notebook. It is graded like any other."""


def is_untouched(path: Path, released: Mapping[str, str]) -> bool:
    """Whether no answer in a notebook differs from the release.

    Parameters
    ----------
    path
        The notebook.
    released
        The text of each cell for an answer in the release, by its ``grade_id``. If there are none,
        nothing is known, and the notebook counts as changed.

    Returns
    -------
    bool
        False as well if the notebook cannot be read, or has lost the marks of its cells.
    """
    if not released:
        return False
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        with limited(processor_seconds=MAX_SECONDS, memory_bytes=MAX_MEMORY_BYTES):
            cells = read_notebook(path).cells
    except (UnreadableNotebook, LimitReached, OSError):
        return False
    found = {}
    for cell in cells:
        marks = cell.metadata.get("nbgrader", {})
        if isinstance(marks, dict) and isinstance(name := marks.get("grade_id"), str):
            found[name] = cell.source.strip()
    return all(found.get(name) == text.strip() for name, text in released.items())
