"""Which answer a score belongs to, so that a person need not grade the same answer twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder.notebook.source import nbgrader_marks
from helpers.files import replacing


def answer_digests(nb: NotebookNode) -> dict[str, str]:
    """Return a digest of the answer to each graded question.

    Parameters
    ----------
    nb
        A repaired notebook.

    Returns
    -------
    dict of str to str
        By the ``grade_id`` of the graded cell.
    """
    found = {}
    for question, cells in answer_cells(nb).items():
        answer = hashlib.sha256()
        for cell in cells:
            answer.update(f"{cell.cell_type}\n{len(cell.source)}\n{cell.source}".encode())
        found[question] = answer.hexdigest()
    return found


def answer_cells(nb: NotebookNode) -> dict[str, list[NotebookNode]]:
    """Return the cells with the answer to each graded question.

    Parameters
    ----------
    nb
        A repaired notebook.

    Returns
    -------
    dict of str to list of NotebookNode
        By the ``grade_id`` of the graded cell: the answer cells since the last graded cell, up to
        and including the question's own cell.
    """
    found: dict[str, list[NotebookNode]] = {}
    answer: list[NotebookNode] = []
    for cell in nb.cells:
        if is_solution(cell):
            answer.append(cell)
        if is_grade(cell):
            found[nbgrader_marks(cell)["grade_id"]] = answer
            answer = []
    return found


def keep_digests(file: Path, digests: Mapping[str, str]) -> None:
    """Keep the digests of a submission while its graded notebook is being replaced.

    nbgrader removes a graded notebook before it writes the new one. Without them, a grader that is
    killed in between would ask a person to look at every answer again.
    """
    with replacing(file) as new:
        new.write_text(json.dumps(digests))


def kept_digests(file: Path) -> dict[str, str]:
    """Return what `keep_digests` wrote, or nothing if there is no such file."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in found.items()}
