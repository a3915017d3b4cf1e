"""Pack a notebook and its artifacts into the file that a student hands in."""

import json
import time
import zipfile
from pathlib import Path
from typing import Any

from helpers.artifacts import ArtifactError, artifact_files, artifact_folder, load_artifact
from helpers.files import replacing
from helpers.measurements import MEASUREMENTS

__all__ = ["SubmissionError", "pack"]

MAX_NOTEBOOK_BYTES = 20 << 20
MAX_TOTAL_BYTES = 200 << 20
# The text that nbgrader puts in the place of a solution or a written answer.
PLACEHOLDERS = ("YOUR CODE HERE", "YOUR ANSWER HERE")


class SubmissionError(Exception):
    """The notebook cannot be packed; the message says what to do."""


def pack(assignment: str, folder: Path | str = ".") -> Path:
    """Write ``<assignment>.zip`` beside the notebook, and print its content and what is missing.

    The file holds ``<assignment>.ipynb`` and the artifacts and measurements of the current profile,
    and nothing else from the folder. A missing artifact or answer affects only its own questions,
    so the rest is packed nevertheless.

    Parameters
    ----------
    assignment
        Name of the assignment, such as ``"quantization"``.
    folder
        Folder of the notebook. By default, the current folder.

    Returns
    -------
    Path
        Path of the zip file.

    Raises
    ------
    SubmissionError
        If the notebook is missing or damaged, or if the notebook or the whole is too large.
    """
    folder = Path(folder)
    notebook = folder / f"{assignment}.ipynb"
    content = _read_notebook(notebook)
    artifacts = artifact_folder(folder)
    packed, problems = [notebook], []
    for name in sorted(path.stem for path in artifacts.glob("*.safetensors")):
        try:
            load_artifact(artifacts, name)
        except (ArtifactError, ValueError) as error:
            problems.append(f"{name} is left out. {error}")
        else:
            packed += artifact_files(artifacts, name)
    networks = ", ".join(path.stem for path in packed[1::2])
    asked = content["metadata"].get("course", {}).get("artifacts", [])
    if (artifacts / MEASUREMENTS).is_file():
        packed.append(artifacts / MEASUREMENTS)
    for name in asked:
        if not artifact_files(artifacts, name)[0].exists():
            problems.append(f"{name} is not trained yet: run its cell.")
    problems += [f"{question} is still empty." for question in _empty_cells(content)]

    size = sum(path.stat().st_size for path in packed)
    if size > MAX_TOTAL_BYTES:
        raise SubmissionError(
            f"The files have {size >> 20} MB together, but the limit is {MAX_TOTAL_BYTES >> 20} "
            f"MB: delete artifacts that no question asks for from {artifacts}."
        )
    submission = folder / f"{assignment}.zip"
    with (
        replacing(submission) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in packed:
            archive.write(path, path.relative_to(folder))

    what = f"{notebook.name} (as saved {_age(notebook)})"
    if networks or asked:
        what += f" and {networks or 'no trained network'}"
    print(f"{submission.name} holds {what}.")
    if problems:
        print("Not complete:", *problems, sep="\n  - ")
    return submission


def _read_notebook(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise SubmissionError(
            f"There is no {path.name} in {path.parent.resolve()}: save the notebook under this "
            "name in the folder in which it runs."
        )
    if path.stat().st_size > MAX_NOTEBOOK_BYTES:
        raise SubmissionError(
            f"{path.name} has {path.stat().st_size >> 20} MB, but the limit is "
            f"{MAX_NOTEBOOK_BYTES >> 20} MB: clear the outputs of the largest cells, and save it."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {"metadata": content["metadata"], "cells": content["cells"]}
    except (ValueError, KeyError, TypeError) as error:
        raise SubmissionError(f"{path.name} is damaged: save the notebook again.") from error


def _empty_cells(content: dict[str, Any]) -> list[str]:
    """Return the names of the solution cells that have not been filled in."""
    empty = []
    for cell in content["cells"]:
        grading = cell["metadata"].get("nbgrader", {})
        source = "".join(cell["source"])
        if grading.get("solution") and any(text in source for text in PLACEHOLDERS):
            empty.append(grading["grade_id"].removesuffix("_solution"))
    return empty


def _age(path: Path) -> str:
    minutes = int((time.time() - path.stat().st_mtime) / 60)
    return f"{minutes} min ago" if minutes else "just now"
