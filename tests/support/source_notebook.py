"""Functions that read the source notebooks, for the tests."""

import ast
import re
from functools import cache
from pathlib import Path

import nbformat

from autograder.assignments import NOTEBOOKS, assignments
from autograder.grading.execution import evaluate_test
from autograder.hidden.student import Submission, asking
from autograder.runs.table import experiments
from autograder.runs.training import untrained
from autograder.samples.dependencies import asked_names
from autograder.sandbox.inside.responder import Responder
from helpers import data
from helpers.artifacts import artifact_folder, save_artifact
from helpers.profile import profile
from helpers.training import History

__all__ = [
    "about_networks",
    "assignments",
    "cells",
    "defined",
    "graded",
    "hand_in_untrained",
    "judged",
    "marks",
    "parsed",
    "part_of_the_points",
    "path",
    "points",
    "questions",
    "read",
    "trained_networks",
]


def path(assignment: str) -> Path:
    return NOTEBOOKS / assignment / f"{assignment}.ipynb"


@cache
def read(assignment):
    return nbformat.read(path(assignment), as_version=4)


def cells(assignment):
    return read(assignment).cells


def marks(cell):
    return cell.metadata.get("nbgrader", {})


def graded(assignment, question):
    (cell,) = [c for c in cells(assignment) if marks(c).get("grade_id") == question]
    return cell


def points(assignment):
    """Return the points of every question, in the order of the notebook."""
    found = [marks(c) for c in cells(assignment) if marks(c).get("grade")]
    return {m["grade_id"]: m["points"] for m in found}


def questions(*, written):
    """Return (assignment, question) of all questions marked by hand, or of all others."""
    return [
        (assignment, question)
        for assignment in assignments()
        for question in points(assignment)
        if (graded(assignment, question).cell_type == "markdown") == written
    ]


def parsed(cell):
    """Return the syntax tree of a code cell; a line that only IPython understands does nothing."""
    magic = re.compile(r"^(\s*)%.*$", re.MULTILINE)
    return ast.parse(magic.sub(r"\1pass", cell.source))


def defined(cell):
    """Return the names of the functions and classes that a code cell defines."""
    if cell.cell_type != "code":
        return set()
    definitions = ast.FunctionDef | ast.ClassDef
    return {node.name for node in parsed(cell).body if isinstance(node, definitions)}


def judged(assignment, question, namespace, files=Path()):
    """Judge answers by the hidden test of a question.

    Parameters
    ----------
    assignment, question : str
    namespace : dict from name to object
        The names that the student's notebook defines.
    files : Path
        The folder with the submitted files.

    Returns
    -------
    Score
        The result of the hidden test.
    """
    with asking(Submission(Responder(namespace).answer, files)):
        return evaluate_test(graded(assignment, question).source, question)


def trained_networks(cell):
    """Return the names of the artifacts that a hidden test measures."""
    calls = [n for n in ast.walk(parsed(cell)) if isinstance(n, ast.Call)]
    return [c.args[0].value for c in calls if getattr(c.func, "id", "") == "trained"]


def part_of_the_points(assignment, question, files):
    """Return the part of a question's points that the artifacts in `files` earn."""

    def nobody(request):
        raise AssertionError("a trained artifact is judged without the student's code")

    with asking(Submission(nobody, files)):
        cell = graded(assignment, question)
        return evaluate_test(cell.source, question).points / points(assignment)[question]


def about_networks(*, alone=False):
    """Return (assignment, question) of all questions whose hidden test measures artifacts.

    With `alone`, those are left out whose hidden test asks the student's code, too.
    """
    return [
        (assignment, question)
        for assignment, question in questions(written=False)
        if trained_networks(graded(assignment, question))
        and not (alone and asked_names([graded(assignment, question)]))
    ]


def hand_in_untrained(assignment, question, files):
    """Save untrained networks as a question's artifacts in `files`, with a boastful history."""
    by_name = {experiment.name: experiment for experiment in experiments()}
    history = History([0.1], [1.0], [0.1], [0.01], [1.0])
    for name in trained_networks(graded(assignment, question)):
        dataset = _dataset(by_name[name].data[profile()])
        save_artifact(artifact_folder(files), name, untrained(by_name[name], dataset), history)


@cache
def _dataset(name):
    return data.load(name, device="cpu")
