"""Which answer a score belongs to, so that a person need not grade the same answer twice."""

from __future__ import annotations

import hashlib

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder.notebook.source import nbgrader_marks


def answer_digests(nb: NotebookNode) -> dict[str, str]:
    """Return a digest of the answer to each graded question.

    Parameters
    ----------
    nb
        A repaired notebook. The answer to a question is what the student wrote in the answer cells
        since the last graded cell, up to and including the question's own cell.

    Returns
    -------
    dict of str to str
        By the ``grade_id`` of the graded cell.
    """
    found: dict[str, str] = {}
    answer = hashlib.sha256()
    for cell in nb.cells:
        if is_solution(cell):
            answer.update(f"{cell.cell_type}\n{len(cell.source)}\n{cell.source}".encode())
        if is_grade(cell):
            found[nbgrader_marks(cell)["grade_id"]] = answer.hexdigest()
            answer = hashlib.sha256()
    return found
