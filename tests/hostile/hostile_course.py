"""The small assignment of the hostile class, which has every kind of question."""

from __future__ import annotations

import copy
import json
import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import safetensors.torch
import torch
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from torch import Tensor

from autograder.course import Course
from autograder.releasing.release import make_release
from helpers import data

ASSIGNMENT = "doubling"

POINTS = {"total": 2, "double": 4, "cube": 4, "bars": 2, "network": 4}
"""The points of the automatically graded questions."""
WRITTEN = "reason"

PREFIX = "SECRET-"
"""The beginning of all secrets, so that an attack can look for them without knowing them."""

ANSWERS = {
    "total": ("# The total of the first four even numbers.", "total = 2.0 + 4.0 + 6.0 + 8.0"),
    "double": ("def double(w):", "    return w + w"),
    "cube": (
        "# A function `cube` of a tensor.",
        "import torch\n\ndef cube(x):\n    return x * x * x",
    ),
    "bars": (
        "def bars(heights):",
        "    import matplotlib.pyplot as plt\n    figure, axes = plt.subplots()\n"
        "    axes.plot(heights)\n    return figure",
    ),
}
"""For each question, what the release shows and the solution. Importing torch or matplotlib takes
longer than everything else, so that only answers to `cube` and `bars` do it."""

TESTS = {
    "total": """\
from autograder.hidden import close, holds, score, student, value

score(
    close(student.total, 20.0, within=1e-9),
    holds(lambda: value(student.total) == 20, "Two and four are six, and so on."),
    of=2,
)""",
    "double": """\
import numpy as np
from autograder.hidden import same, score, student

def double(w):
    return 2 * w

cases = [(np.arange(n, dtype=np.float32) - 2,) for n in (1, 5, 9)]
score(same(student.double, double, on=cases, within=1e-6), of=4)""",
    "cube": """\
import torch
from autograder.hidden import gradient, same, score, student

def cube(x):
    return x**3

def slope(function, x):
    return gradient(function, x, upstream=torch.tensor([1.0, 2.0, -1.0]))

score(
    same(student.cube, cube, on=[(torch.tensor([1.0, -2.0, 3.0]),)], within=1e-4, through=slope),
    of=4,
)""",
    "bars": """\
import numpy as np
from autograder.hidden import holds, score, student
from autograder.hidden.compare import difference
from autograder.hidden.figures import figure_panels

heights = [1.0, 3.0, 2.0, 5.0]

def drawn():
    (panel,) = figure_panels(student.bars(heights))
    expected = np.column_stack([np.arange(4.0), heights])
    return difference(panel.lines[0], expected, 1e-9) is None

score(holds(drawn, "The line should go through all heights."), of=2)""",
    "network": """\
from torch import nn
from autograder.hidden import score, trained

class Contrast(nn.Module):
    def forward(self, x):
        return ((x - x.mean((2, 3), keepdim=True)) ** 2).sum(1).flatten(1)

def build():
    return nn.Sequential(Contrast(), nn.Linear(16 * 16, 10))

score(trained("digits", build, at_least=0.3), of=4)""",
}


@dataclass
class Assignment:
    """The material for a hostile submission: the release, and here the answers as well.

    Attributes
    ----------
    release
        The students' notebook.
    secrets
        The secrets that must not get out, by the place where each of them is.
    trap
        A file that is created if code of a hand-in ever runs on the grader's side.
    network
        The files of an honestly trained network, by their path in a hand-in.
    """

    release: NotebookNode
    secrets: dict[str, str]
    trap: Path
    network: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network = artifact(linear_network(), claims=None)

    def notebook(
        self, *cells: str, honest: Iterable[str] = (), written: str = "", **answers: str
    ) -> NotebookNode:
        """Return the release, partly filled in.

        Parameters
        ----------
        *cells
            Code cells that are inserted before the first answer.
        honest
            Questions that are answered correctly.
        written
            The written answer.
        **answers
            The whole source of the answer cell of each question.
        """
        answers = {name: solution(name) for name in honest if name in ANSWERS} | answers
        nb = copy.deepcopy(self.release)
        for cell in nb.cells:
            name = grade_id(cell)
            question = name.removesuffix("_solution")
            if name != question and question in answers:
                cell.source = answers[question]
            if name == WRITTEN and written:
                cell.source = written
        first = next(i for i, cell in enumerate(nb.cells) if grade_id(cell) == "total_solution")
        nb.cells[first:first] = [new_code_cell(cell) for cell in cells]
        return nb


def grade_id(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def solution(question: str) -> str:
    """Return the source of a correct answer cell."""
    return "\n".join(ANSWERS[question])


# ------------------------------------------------------------------------------------------------
# The course


def new_secrets() -> dict[str, str]:
    places = ("test", "solution", "course", "environment", "neighbour", "planted")
    return {place: f"{PREFIX}{place}-{uuid.uuid4().hex}" for place in places}


def make_course(folder: Path, secrets: Mapping[str, str]) -> NotebookNode:
    """Write the source notebook and release it; return the students' notebook."""
    path = folder / "notebooks" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(source_notebook(secrets), path)
    released = make_release(ASSIGNMENT, hostile_course(folder))
    (folder / "course" / "notes.txt").write_text(secrets["course"])
    return nbformat.read(released.notebook, as_version=4)


def hostile_course(folder: Path) -> Course:
    """Return the course in ``folder/course``."""
    return Course(folder / "course", folder / "notebooks")


def source_notebook(secrets: Mapping[str, str]) -> NotebookNode:
    cells = [
        new_markdown_cell("# Doubling\n\nTwice as much of everything."),
        new_code_cell("import numpy as np"),
    ]
    for question, points in POINTS.items():
        cells.append(new_markdown_cell(f"## {question} ({points} points)"))
        if question in ANSWERS:
            shown, answer = ANSWERS[question]
            indent = " " * (len(answer) - len(answer.lstrip()))
            text = (
                f"{shown}\n{indent}### BEGIN SOLUTION\n{answer}  # {secrets['solution']}\n"
                f"{indent}### END SOLUTION"
            )
            cells.append(new_code_cell(text, metadata=_marks(f"{question}_solution")))
        text = (
            f"# Hidden tests\n### BEGIN HIDDEN TESTS\nsecret = {secrets['test']!r}\n"
            f"{TESTS[question]}\n### END HIDDEN TESTS"
        )
        cells.append(new_code_cell(text, metadata=_marks(question, points)))
    text = f"Because. {secrets['solution']}"
    cells.append(new_markdown_cell(text, metadata=_marks(WRITTEN, 1, solution=True)))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    course = {"unlocks": [], "artifacts": ["digits"]}
    return new_notebook(cells=cells, metadata={"course": course, "kernelspec": kernel})


def _marks(name: str, points: float | None = None, *, solution: bool = False) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell; without points it is an answer to be tested."""
    marks: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": name,
        "grade": points is not None,
        "locked": points is not None and not solution,
        "solution": solution or points is None,
        "task": False,
    }
    return {"nbgrader": marks if points is None else {**marks, "points": points}}


# ------------------------------------------------------------------------------------------------
# The network


def linear_network() -> dict[str, Tensor]:
    """Return the weights of a linear layer that recognises digits by contrast, by ridge regression.

    It classifies 45 of 100 test images correctly, where guessing gets 10.
    """
    dataset = data.load("digits", device="cpu")
    x = contrast(dataset, dataset.train.images)
    y = torch.nn.functional.one_hot(dataset.train.labels, 10).float()
    mean_x, mean_y = x.mean(0), y.mean(0)
    x, y = x - mean_x, y - mean_y
    weight = torch.linalg.solve(x.T @ x + 10 * torch.eye(x.shape[1]), x.T @ y).T.contiguous()
    return {"1.weight": weight, "1.bias": mean_y - weight @ mean_x}


def contrast(dataset: data.ImageDataset, images: Tensor) -> Tensor:
    """Return how far each pixel is from the mean colour of its image, squared, (N, 256)."""
    shape = (1, 3, 1, 1)
    x = (images / 255 - dataset.mean.view(shape)) / dataset.std.view(shape)
    return ((x - x.mean((2, 3), keepdim=True)) ** 2).sum(1).flatten(1)


def measured_accuracy(weights: Mapping[str, Tensor]) -> float:
    dataset = data.load("digits", device="cpu")
    guesses = contrast(dataset, dataset.test.images) @ weights["1.weight"].T + weights["1.bias"]
    return float((guesses.argmax(1) == dataset.test.labels).float().mean())


def artifact(weights: Mapping[str, Tensor], *, claims: float | None) -> dict[str, bytes]:
    """Return the files of a network, by their path in a hand-in.

    Parameters
    ----------
    weights
        The weights of the network, by name.
    claims
        The accuracy that the history states; None for the true one.
    """
    accuracy = measured_accuracy(weights) if claims is None else claims
    history = {
        "train_loss": [0.1],
        "train_accuracy": [accuracy],
        "test_accuracy": [accuracy],
        "learning_rate": [0.1],
        "seconds": [1.0],
    }
    return {
        WEIGHTS: safetensors.torch.save({k: v.contiguous() for k, v in weights.items()}),
        HISTORY: json.dumps(history).encode(),
    }


WEIGHTS = os.path.join("artifacts", "quick", "digits.safetensors")
HISTORY = os.path.join("artifacts", "quick", "digits.json")
