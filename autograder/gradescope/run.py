"""Grade the hand-in that Gradescope has put into its folder: ``run_autograder`` starts this."""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat

from autograder.course import Course
from autograder.errors import UserError
from autograder.gradescope.results import results_of
from autograder.grading.grade import grade
from autograder.grading.intake.collecting import NoHandIns
from autograder.grading.intake.hand_in_files import Intake, copy, opened, walk
from autograder.grading.record import Record
from autograder.reporting.results import read_class
from autograder.temporary import temporary_folder
from helpers.files import replacing

STUDENT = "submission_1"
"""The name of the only student, as that of a folder in Gradescope's own downloads."""

NO_NOTEBOOK = (
    "This hand-in holds no notebook that can be read, so nothing was graded. Hand in the zip that "
    "the last cell of the notebook makes, or the notebook itself (.ipynb)."
)
OUR_FAULT = (
    "The autograder failed; this is not your fault, and costs you no points. Your instructor can "
    "see the reason, and will have your hand-in graded again."
)


def main(base: Path) -> int:
    """Grade, and write ``results/results.json``.

    If there is no grade, the file has a message and no points: Gradescope then shows that grading
    failed, instead of a zero.

    Parameters
    ----------
    base
        The folder that is ``/autograder`` on Gradescope.

    Returns
    -------
    int
        The exit status.
    """
    results: dict[str, Any]
    try:
        results, status = _graded(base), 0
    except NoHandIns as error:
        _print([str(error)])
        results, status = {"output": NO_NOTEBOOK}, 1
    except UserError as error:
        _print([str(error)])
        results, status = {"output": OUR_FAULT}, 1
    except Exception:
        traceback.print_exc()
        results, status = {"output": OUR_FAULT}, 1
    with replacing(base / "results" / "results.json") as path:
        path.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return status


def _graded(base: Path) -> dict[str, Any]:
    source = base / "source"
    about = json.loads((source / "gradescope.json").read_text(encoding="utf-8"))
    assignment = about["assignment"]
    with temporary_folder("gradescope-") as work:
        shutil.copytree(source / "course", work / "course")
        course = Course(work / "course", source / "kit" / "notebooks")
        hand_in = work / "class" / STUDENT
        hand_in.mkdir(parents=True)
        with opened(base / "submission", os.O_DIRECTORY) as place:
            copy(walk(place), intake := Intake(hand_in))
        _print(intake.notes)
        [outcome] = grade(assignment, course, source=work / "class", jobs=1)
        if outcome.problem:
            raise UserError(outcome.problem)
        graded = course.graded_notebook(STUDENT, assignment)
        record = Record.read(nbformat.read(graded, as_version=nbformat.NO_CONVERT))
        _print(record.flags)
        return results_of(read_class(assignment, course), record, about["visibility"])


def _print(lines: Iterable[str]) -> None:
    """Print what Gradescope shows to instructors only."""
    for line in lines:
        print(line)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
