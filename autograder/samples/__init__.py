"""The sample class: submissions built from the source notebook by replacing cells.

One of them solves everything, one solves nothing, one forges its scores, some contain the known
misconceptions, and some attack the grader or fail in typical ways. They show a new instructor what
grading looks like, and they also test the grader: `tests/sample_class` has the expected scores.
"""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder import references
from autograder.assignments import NOTEBOOKS
from autograder.misconceptions import misconceptions_in
from autograder.notebook.source import nbgrader_marks, solved_text
from autograder.samples.dependencies import Dependencies, asked_names
from autograder.samples.mistakes import shared_out, with_misconceptions
from autograder.samples.trouble import TROUBLE, forges
from helpers.profile import profile

NOTHING_TRAINED = {"untouched", "without-networks", "forges-scores"}
"""Samples that hand in no networks; all others hand in those of the reference run."""

FEW = ("solution", "mistakes-1", "untouched")
"""Samples that show in little time what grading looks like."""


def sample_class(
    assignment: str,
    release: Path,
    folder: Path,
    *,
    trouble: bool = True,
    unsolved: bool = True,
    mistakes: int | None = None,
    few: bool = False,
) -> list[str]:
    """Write a class of sample submissions.

    Parameters
    ----------
    assignment
        Name of the assignment.
    release
        The released student notebook.
    folder
        Where to write ``<sample>/<assignment>/`` for every sample; each has a descriptive name.
    trouble
        Whether to include samples that test the grader rather than the assignment: notebooks that
        loop, crash, snoop around or lack cells, and a file that is not a notebook. By default they
        are included.
    unsolved
        Whether to include samples that earn nothing for questions or for networks: the released
        notebook as it is, one that forges its scores, and all answers without the networks. By
        default they are included.
    mistakes
        Largest number of submissions with misconceptions. By default as many as it takes to show
        all misconceptions.
    few
        Whether to write only the samples in `FEW`. By default it is all that the other parameters
        allow.

    Returns
    -------
    list of str
        The names of the samples.
    """
    source = nbformat.read(NOTEBOOKS / assignment / f"{assignment}.ipynb", as_version=4)
    blank = nbformat.read(release, as_version=4)
    solved = solve(source, blank)
    made: dict[str, NotebookNode | str] = {"solution": solved}
    shares = shared_out(misconceptions_in(assignment), Dependencies(source))
    for number, share in enumerate(shares[:mistakes], start=1):
        made[f"mistakes-{number}"] = with_misconceptions(solved, share)
    if unsolved:
        made["untouched"] = blank
        made["forges-scores"] = forges(copy.deepcopy(solved), sorted(asked_names(source.cells)))
        if source.metadata.get("course", {}).get("artifacts"):
            made["without-networks"] = solved
    if trouble:
        for name, change in TROUBLE.items():
            made[name] = change(copy.deepcopy(solved))
        made["not-json"] = "This was a notebook once. {"
    if few:
        made = {name: made[name] for name in FEW if name in made}
    for name, notebook in made.items():
        place = folder / name / assignment
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        path = place / f"{assignment}.ipynb"
        if isinstance(notebook, str):
            path.write_text(notebook)
        else:
            nbformat.write(notebook, path)
        copy_reference_artifacts(
            assignment, place / "artifacts" / profile(), networks=name not in NOTHING_TRAINED
        )
    return list(made)


def copy_reference_artifacts(assignment: str, folder: Path, *, networks: bool) -> None:
    """Copy the artifacts of the reference run to `folder`, as if a student had made them."""
    kept = references.artifacts(profile(), assignment)
    if kept.is_dir():
        left_out = shutil.ignore_patterns(*([] if networks else ["*.safetensors"]))
        shutil.copytree(kept, folder, dirs_exist_ok=True, ignore=left_out)


def solve(source: NotebookNode, blank: NotebookNode) -> NotebookNode:
    """Return the released notebook with the source's solutions filled in."""
    solutions = {
        cell.metadata.nbgrader.grade_id: solved_text(cell)
        for cell in source.cells
        if nbgrader_marks(cell).get("solution")
    }
    solved = copy.deepcopy(blank)
    for cell in solved.cells:
        marks = nbgrader_marks(cell)
        if marks.get("solution"):
            cell.source = solutions[marks["grade_id"]]
    return solved
