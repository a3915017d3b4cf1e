"""Run the solved notebooks once, and keep what they measure.

A student who hands in a notebook has run it before, and hands in what it measured. So that the
sample class does the same, the references hold the measurements of the notebook, too, and not only
those of the experiments. They also hold what its hidden tests measure, so that the first submission
of a course does not take longer to grade than the others.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm.auto import tqdm

from autograder.assignments import NOTEBOOKS
from autograder.references import FROZEN
from autograder.temporary import temporary_folder
from helpers.files import replacing
from helpers.measurements import MEASUREMENTS, Measurement, read_measurements
from helpers.profile import profile

CELL_SECONDS = 3600
"""Limit on the time of a cell. No network is trained, because those of the references are there."""
NOTEBOOK = "notebook"
"""What the entries of `MEASUREMENTS` say that they are of."""

KEEPING = """
from autograder.hidden import reference
from helpers.measurements import measure, measure_loss

def accuracy(model, on=None):
    return measure(model, reference.dataset() if on is None else on)

reference.accuracy, reference.loss = accuracy, measure_loss
"""
"""Lets hidden tests measure as the notebook does, which keeps what it has measured."""


def measure_notebooks(assignments: Sequence[str], frozen: Path = FROZEN) -> list[Path]:
    """Run the solved notebook of each assignment, and freeze what it measures.

    Returns
    -------
    list of Path
        The files of measurements.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    return [
        _freeze(_measured(assignment, frozen), frozen / profile() / assignment / MEASUREMENTS)
        for assignment in tqdm(assignments, desc="running notebooks", unit="notebook")
        if (frozen / profile() / assignment).is_dir()
    ]


def _measured(assignment: str, frozen: Path) -> list[Measurement]:
    notebook = nbformat.read(NOTEBOOKS / assignment / f"{assignment}.ipynb", as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(KEEPING))
    with temporary_folder("notebook-") as folder:
        artifacts = folder / "artifacts" / profile()
        shutil.copytree(frozen / profile() / assignment, artifacts)
        kept = _experiments(artifacts / MEASUREMENTS)
        (artifacts / MEASUREMENTS).write_text(json.dumps(kept), encoding="utf-8")
        nbformat.write(notebook, folder / f"{assignment}.ipynb")  # which its last cell packs
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=CELL_SECONDS, resources=resources).execute()
        return read_measurements(artifacts / MEASUREMENTS)[len(kept) :]


def _experiments(path: Path) -> list[Measurement]:
    return [entry for entry in read_measurements(path) if entry.get("of") != NOTEBOOK]


def _freeze(new: Sequence[Measurement], path: Path) -> Path:
    entries = [*_experiments(path), *({"of": NOTEBOOK} | entry for entry in new)]
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(entries), encoding="utf-8")
    return path
