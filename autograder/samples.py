"""The sample class: submissions built from the source notebook by replacing cells.

One solves everything, one nothing, one holds each misconception, and some attack the grader or
break in the ways that submissions break. They show a new instructor what grading looks like, and
they are the grader's own test: `tests/autograder/test_sample_class.py` has the expected scores.
"""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder import references
from autograder.course import NOTEBOOKS
from autograder.execution import is_hidden_test
from autograder.misconceptions import Misconception, misconceptions_in
from autograder.source import nbgrader_marks
from helpers.profile import profile

NOTHING_TRAINED = {"untouched", "without-artifacts", "forges-scores"}
"""Samples that hand in no artifacts; all others hand in what the reference run trained."""


def sample_class(
    assignment: str, release: Path, folder: Path, *, every_misconception: bool = False
) -> list[str]:
    """Write a class of sample submissions.

    Parameters
    ----------
    assignment : str
    release : Path
        The released student notebook.
    folder : Path
        Gets ``<sample>/<assignment>/`` for every sample; the name says what is in it.
    every_misconception : bool, default=False
        One submission for each known misconception, some dozens, instead of one for each
        question that has any.

    Returns
    -------
    list of str
        The names of the samples.
    """
    source = nbformat.read(NOTEBOOKS / assignment / f"{assignment}.ipynb", as_version=4)
    blank = nbformat.read(release, as_version=4)
    solved = solve(source, blank)
    made: dict[str, NotebookNode | str] = {"solution": solved, "untouched": blank}
    for misconception in chosen_misconceptions(assignment, every_misconception):
        made[sample_name(misconception)] = with_misconception(solved, misconception)
    for name, change in TROUBLE.items():
        made[name] = change(copy.deepcopy(solved))
    made["forges-scores"] = forges(copy.deepcopy(solved), asked_names(source))
    made["without-artifacts"] = solved
    made["not-json"] = "This was a notebook once. {"
    for name, notebook in made.items():
        place = folder / name / assignment
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        path = place / f"{assignment}.ipynb"
        if isinstance(notebook, str):
            path.write_text(notebook)
        else:
            nbformat.write(notebook, path)
        if name not in NOTHING_TRAINED:
            copy_reference_artifacts(assignment, place / "artifacts" / profile())
    return list(made)


def chosen_misconceptions(assignment: str, every: bool) -> list[Misconception]:
    """Return all misconceptions of an assignment, or the first of each function it asks for."""
    found = misconceptions_in(assignment)
    if every:
        return found
    first = {misconception.of: misconception for misconception in reversed(found)}
    return [m for m in found if first[m.of] is m]


def sample_name(misconception: Misconception) -> str:
    """Name the sample that holds `misconception`: ``misconception-steps-as-many-as-levels``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", misconception.name).replace("_", "-")
    return f"misconception-{words.lower()}"


def asked_names(source: NotebookNode) -> list[str]:
    """Return what the hidden tests ask of a student, by name."""
    tests = "\n".join(cell.source for cell in source.cells if is_hidden_test(cell))
    return sorted(set(re.findall(r"\bstudent\.(\w+)", tests)))


def copy_reference_artifacts(assignment: str, folder: Path) -> None:
    """Copy what our own reference run trained for `assignment` to `folder`, as a student's."""
    trained = references.artifacts(profile(), assignment)
    if trained.is_dir():
        shutil.copytree(trained, folder, dirs_exist_ok=True)


def solve(source: NotebookNode, blank: NotebookNode) -> NotebookNode:
    """Return the released notebook with the source's solutions filled in."""
    solutions = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in source.cells
        if nbgrader_marks(cell).get("solution")
    }
    solved = copy.deepcopy(blank)
    for cell in solved.cells:
        marks = nbgrader_marks(cell)
        if marks.get("solution"):
            cell.source = _without_marks(solutions[marks["grade_id"]])
    return solved


def _without_marks(source: str) -> str:
    """Drop the solution markers, and what a model answer tells the person who marks it."""
    source = re.sub(r"(?s)\*\*Marking\.\*\*.*?(?=### END SOLUTION)", "", source)
    return re.sub(r"(?m)^\s*### (BEGIN|END) SOLUTION[^\n]*\n?", "", source)


def with_misconception(solved: NotebookNode, misconception: Misconception) -> NotebookNode:
    """Return the solved notebook with one function replaced by a wrong one.

    The wrong definition follows the right one in the same cell, as when a student tries again.

    Raises
    ------
    LookupError
        If no solution cell defines that function or class.
    """
    changed = copy.deepcopy(solved)
    name = misconception.of.__name__
    defines = re.compile(rf"(?m)^(def|class) {re.escape(name)}\b")
    for cell in changed.cells:
        if nbgrader_marks(cell).get("solution") and defines.search(cell.source):
            cell.source += "\n\n\n" + misconception.source
            return changed
    raise LookupError(f"no solution cell defines {name}")


# --------------------------------------------------------------------------------------------------
# Trouble


def _first_solution(nb: NotebookNode) -> NotebookNode:
    return next(
        cell
        for cell in nb.cells
        if cell.cell_type == "code" and nbgrader_marks(cell).get("solution")
    )


def _before_first_solution(nb: NotebookNode, code: str) -> NotebookNode:
    nb.cells.insert(nb.cells.index(_first_solution(nb)), nbformat.v4.new_code_cell(code))
    return nb


def _hidden_tests(nb: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in nb.cells if is_hidden_test(cell)]


def warns(nb: NotebookNode) -> NotebookNode:
    """Solve everything, with a warning on stderr in every code cell that holds a solution."""
    for cell in nb.cells:
        if cell.cell_type == "code" and nbgrader_marks(cell).get("solution"):
            cell.source = 'import warnings\nwarnings.warn("as noisy as a library")\n' + cell.source
    return nb


def loops(nb: NotebookNode) -> NotebookNode:
    """Never come back from the first answer."""
    cell = _first_solution(nb)
    cell.source = "while True:\n    pass\n"
    return nb


def dies(nb: NotebookNode) -> NotebookNode:
    """End the kernel in the first answer."""
    cell = _first_solution(nb)
    cell.source = "import os\nos._exit(1)\n"
    return nb


def forges(nb: NotebookNode, names: list[str]) -> NotebookNode:
    """Answer nothing, but patch whatever might compare or score in this process."""
    for cell in nb.cells:
        if cell.cell_type == "code" and nbgrader_marks(cell).get("solution"):
            cell.source = f"NAMES = {names!r}\n{FORGERY}"
    return nb


FORGERY = """\
import builtins
import sys

import numpy as np
import torch


class Equal(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __le__(self, other): return True
    def __gt__(self, other): return True
    def __ge__(self, other): return True
    def __sub__(self, other): return Equal(0)
    def __rsub__(self, other): return Equal(0)
    def __abs__(self): return Equal(0)
    def __call__(self, *args, **kwargs): return Equal(0)
    def __getattr__(self, name): return Equal(0)
    def __getitem__(self, key): return Equal(0)
    def __hash__(self): return 0
    def __iter__(self): raise TypeError


for module in (np.testing, torch.testing):
    for name in dir(module):
        if name.startswith("assert"):
            setattr(module, name, lambda *args, **kwargs: None)
np.allclose = torch.allclose = torch.equal = lambda *args, **kwargs: True
for module in list(sys.modules.values()):
    for name in ("score", "same", "difference"):
        if name in getattr(module, "__dict__", {}):
            setattr(module, name, lambda *args, **kwargs: Equal(1000))
for name in NAMES:
    globals()[name] = Equal(0)
get_ipython().user_ns["score"] = lambda *args, **kwargs: Equal(1000)
builtins.round = lambda *args: Equal(1000)
1000.0
"""


def snoops(nb: NotebookNode) -> NotebookNode:
    """Look for the gradebook, the references and the hidden tests; show what was found."""
    return _before_first_solution(
        nb,
        """\
import os
from pathlib import Path

found = []
for folder, folders, names in os.walk("/"):
    if folder.startswith(("/proc", "/sys")):
        folders.clear()
    for name in names:
        path = os.path.join(folder, name)
        if name in ("gradebook.db", "nbgrader_config.py", "nbgrader_plugin.py"):
            found.append(path)
        if name.endswith(".ipynb") or "/autograder/" in path or "/references/" in path:
            found.append(path)
found = [path for path in found if "/site-packages/" not in path]
for name in ("autograder", "autograder.hidden", "helpers.reference.ste"):
    try:
        __import__(name)
        found.append(name)
    except ImportError:
        pass
try:
    import socket
    socket.create_connection(("127.0.0.1", 8888), timeout=1).close()
    found.append("the network")
except OSError:
    pass
print("FOUND", found)
""",
    )


def lacks_a_test(nb: NotebookNode) -> NotebookNode:
    """Solve everything, but delete the first test cell."""
    nb.cells.remove(_hidden_tests(nb)[0])
    return nb


def has_a_test_twice(nb: NotebookNode) -> NotebookNode:
    """Solve everything, but copy the first test cell."""
    cell = _hidden_tests(nb)[0]
    twin = copy.deepcopy(cell)
    twin.id = f"{cell.id}-again"
    nb.cells.insert(nb.cells.index(cell) + 1, twin)
    return nb


TROUBLE: dict[str, Callable[[NotebookNode], NotebookNode]] = {
    "warns-on-stderr": warns,
    "endless-loop": loops,
    "kernel-dies": dies,
    "snoops-around": snoops,
    "test-cell-deleted": lacks_a_test,
    "test-cell-twice": has_a_test_twice,
}
