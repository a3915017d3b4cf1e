"""The packages that a notebook imports are found in its code and in the modules of `helpers`."""

import sys

import nbformat
import pytest

from autograder.assignments import NOTEBOOKS, assignments
from autograder.grading.imported import KERNEL, imported_packages


def packages(tmp_path, *cells):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(nb, tmp_path / "notebook.ipynb")
    return set(imported_packages(tmp_path / "notebook.ipynb")) - set(KERNEL)


def test_the_code_of_cells_is_read(tmp_path):
    found = packages(tmp_path, "import numpy as np", "def f():\n    from scipy import stats\n")
    assert found == {"numpy", "scipy"}


def test_modules_of_the_standard_library_and_our_own_are_left_out(tmp_path):
    assert (
        packages(tmp_path, "import json, os.path", "from autograder.hidden import score") == set()
    )


def test_magics_are_no_obstacle(tmp_path):
    assert packages(tmp_path, "%matplotlib inline\n!ls\nimport torch") == {"torch"}


def test_imports_of_helpers_are_followed(tmp_path):
    assert "torch" in packages(tmp_path, "from helpers import data")


@pytest.mark.parametrize("assignment", sorted(assignments()))
def test_an_assignment_of_the_course_imports_torch_and_matplotlib(assignment):
    found = imported_packages(NOTEBOOKS / assignment / f"{assignment}.ipynb")
    assert {"torch", "matplotlib.pyplot", "numpy"} <= set(found)
    assert not {name.partition(".")[0] for name in found} & {"helpers", *sys.stdlib_module_names}
