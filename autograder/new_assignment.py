"""`autograder new`: the files of an assignment of one question, which passes the checks of the kit.

It is meant to be changed: question by question, with `autograder release` and `autograder selftest`
to say what is missing.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.assignments import NOTEBOOKS, assignments
from autograder.errors import UserError

FILES = {
    "helpers/reference/NAME/__init__.py": '"""The right answers of `NAME`."""\n',
    "helpers/reference/NAME/doubling.py": '''"""Doubling."""


def double(x: float) -> float:
    """Return twice as much."""
    return x + x
''',
    "helpers/assignments/NAME/__init__.py": '"""What ships with `NAME`."""\n',
    "helpers/assignments/NAME/checks.py": '''"""Public checks of the assignment `NAME`."""

from collections.abc import Callable
from pathlib import Path

from helpers.checks.answers import as_number, ask, expect
from helpers.checks.hints import Hints
from helpers.checks.result import Claims, public_check

hint = Hints(Path(__file__).with_name("hints.json"))


@public_check("double")
def double(double: Callable[[float], float]) -> Claims:
    """Check the student's ``double(x)``."""
    yield "twice 3 is 6"
    found = as_number("`double(3)`", ask("double(3)", double, 3))
    expect(found == 6, f"`double(3)` is 6; you found {found:g}.")
''',
    "helpers/assignments/NAME/hints.json": """{
 "double": {
  "steps": [
   "Try your function on a number that is neither 0 nor 2: what comes out, and what should?",
   "A number is doubled if it is added to itself, or multiplied by two."
  ],
  "example": {
   "given": {
    "x": 1.5
   },
   "gives": 3.0
  }
 }
}
""",
    "autograder/assignments/NAME/__init__.py": '''"""The instructor's and TA's side of `NAME`."""

PLACE = PLACE_IN_COURSE
"""The position of the assignment in the course."""
''',
    "autograder/assignments/NAME/misconceptions.py": '''"""Wrong solutions of `NAME`."""

# Students write no type hints.
# mypy: allow-untyped-defs

from autograder.misconceptions import misconception
from helpers.reference.NAME import doubling


@misconception(of=doubling.double)
def squares(x):
    """You square the number, which is right for 0 and 2 alone. Add the number to itself instead."""
    return x**2
''',
    "tests/assignments/NAME/NAME_probes.py": '''"""Inputs that tell answers apart."""

from helpers.assignments.NAME import checks
from helpers.reference.NAME import doubling

PROBES = {doubling.double: [lambda double: double(3)]}

PUBLIC_CHECKS = {doubling.double: checks.double}
''',
}
"""The text of each file but the notebook, by its path within the project."""

INTRODUCTION = """\
# TITLE

Say here what students will build, and why it matters.
"""

POINTS = """\
## Questions and points

| section | questions | points |
|---|---|---:|
| 1. Doubling | a function 100 | 100 |
| **total** | | **100** |

**Time.** A quarter of an hour, by our estimate.
"""

QUESTION = """\
### 1.1 Twice as much (100 points)

Write a function that returns twice as much as it is given: $f(x) = 2x$.
"""

SOLUTION = '''def double(x):
    """Return twice as much."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
'''

HIDDEN_TEST = """# Hidden tests: 100 points
### BEGIN HIDDEN TESTS
from autograder.hidden import same, score, student
from helpers.reference.NAME import doubling

score(same(student.double, doubling.double, on=[(5,), (-1.5,)]), of=100)
### END HIDDEN TESTS
"""

IMPORTS = """\
import matplotlib.pyplot as plt

import helpers
from helpers.assignments.NAME import checks
from helpers.plots.style import STYLE
from helpers.scorecard import check_all
from helpers.submission import pack

plt.rcParams.update(STYLE)  # one look for all figures
print(f"helpers {helpers.__version__}")
"""

# What stands in the shared cells only of notebooks that train networks.
TRAINING = re.compile(
    r'# os\.environ\["COURSE_PROFILE"\].*\nKEEP_ON_DRIVE.*\n\n|\n\n\*\*Training saves itself[\s\S]*'
)


def new_assignment(name: str, project: Path = NOTEBOOKS.parent) -> list[Path]:
    """Write the files of a new assignment.

    Parameters
    ----------
    name
        Its name, such as ``"low_rank"``: lower-case letters, digits and underscores.
    project
        The folder of the checkout.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    UserError
        If the name cannot be one of a package, if there is such an assignment, or if the project is
        not a checkout.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(
            f"{name!r} cannot be the name of an assignment: use lower-case letters, digits and _."
        )
    notebooks = project / "notebooks"
    there = assignments(notebooks) if notebooks.is_dir() else []
    if not there:
        raise UserError(f"{project} is not a checkout of the course kit: it has no notebooks.")
    files = {path.replace("NAME", name): text for path, text in FILES.items()}
    notebook = notebooks / name / f"{name}.ipynb"
    taken = [path for path in [notebook, *map(project.joinpath, files)] if path.exists()]
    if taken:
        raise UserError(f"There is something with this name already: {taken[0]}.")
    written = [notebook]
    notebook.parent.mkdir(parents=True)
    nbformat.write(_notebook(name, notebooks, there[-1]), notebook)
    for path, text in files.items():
        written.append(project / path)
        written[-1].parent.mkdir(parents=True, exist_ok=True)
        text = text.replace("NAME", name).replace("PLACE_IN_COURSE", str(len(there) + 1))
        written[-1].write_text(text, encoding="utf-8")
    return written


def _notebook(name: str, notebooks: Path, other: str) -> NotebookNode:
    """Return the source notebook; what all notebooks share comes from another one."""
    shared = nbformat.read(notebooks / other / f"{other}.ipynb", as_version=4)
    cells = {cell.id: TRAINING.sub("", cell.source).replace(other, name) for cell in shared.cells}
    start, end, _ = cells["setup"].partition("    install_missing()\n")
    title = name.replace("_", " ").capitalize()
    return new_notebook(
        cells=[
            new_markdown_cell(INTRODUCTION.replace("TITLE", title).strip(), id="title"),
            new_markdown_cell(POINTS.strip(), id="points"),
            new_markdown_cell(cells["how-to-work"], id="how-to-work"),
            new_markdown_cell(cells["setup-heading"], id="setup-heading"),
            new_code_cell(f"{start}{end}\n{IMPORTS.replace('NAME', name)}".strip(), id="setup"),
            new_markdown_cell("## 1. Doubling", id="doubling"),
            new_markdown_cell(QUESTION.strip(), id="double-question"),
            new_code_cell(
                SOLUTION.strip(), id="double_solution", metadata=_marks("double_solution")
            ),
            new_code_cell(
                "checks.double(double)",
                id="double_check",
                metadata=_marks("double_check", locked=True),
            ),
            new_code_cell(
                HIDDEN_TEST.replace("NAME", name).strip(),
                id="double",
                metadata=_marks("double", locked=True, points=100),
            ),
            new_markdown_cell(cells["submit"], id="submit"),
            new_code_cell(cells["scorecard"], id="scorecard"),
            new_markdown_cell(cells["hand_in"], id="hand_in"),
            new_code_cell(cells["pack"], id="pack"),
        ],
        metadata={
            "course": {"artifacts": [], "unlocks": []},
            "kernelspec": shared.metadata.kernelspec,
            "language_info": shared.metadata.language_info,
        },
    )


def _marks(name: str, *, locked: bool = False, points: int | None = None) -> dict[str, Any]:
    """Return nbgrader's metadata of an answer or, locked, of a check; with points, of a test."""
    found = {
        "schema_version": 3,
        "grade_id": name,
        "grade": points is not None,
        "locked": locked,
        "solution": not locked,
        "task": False,
    }
    return {"nbgrader": found if points is None else {**found, "points": points}}
