"""Samples that attack the grader or fail in typical ways."""

from __future__ import annotations

import copy
from collections.abc import Callable

import nbformat
from nbformat import NotebookNode

from autograder.grading.execution import is_hidden_test
from autograder.notebook.source import nbgrader_marks


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
    """Solve everything, with a warning on stderr in every code cell with a solution."""
    for cell in nb.cells:
        if cell.cell_type == "code" and nbgrader_marks(cell).get("solution"):
            cell.source = 'import warnings\nwarnings.warn("as noisy as a library")\n' + cell.source
    return nb


def loops(nb: NotebookNode) -> NotebookNode:
    """Loop forever in the first answer."""
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
    """Look for the gradebook, the references and the hidden tests; print what was found."""
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
        if name in ("gradebook.db", "nbgrader_config.py", "nbgrader_steps.py"):
            found.append(path)
        if name.endswith(".ipynb") or "/autograder/" in path or "/references/" in path:
            found.append(path)
found = [path for path in found if "/site-packages/" not in path]
for name in ("autograder", "autograder.hidden", "helpers.reference.quantization.ste"):
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
    """Solve everything, but duplicate the first test cell."""
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
