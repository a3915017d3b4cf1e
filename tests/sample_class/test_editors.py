"""What editors and students do to a notebook costs no points, and a person is told about it."""

import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.course import Course
from autograder.grading.grade import grade
from autograder.notebook.source import nbgrader_marks
from autograder.releasing.release import make_release
from autograder.reporting.results import read_class
from autograder.samples import solve

# The first test of all waits for the class to be graded.
pytestmark = [pytest.mark.slow, pytest.mark.thorough, pytest.mark.timeout(1800)]

ASSIGNMENT = "sparse_linear"
AUTOMATIC = 69
"""The points of the questions that the grader grades."""
WRITTEN = "update_derivation"


def cell_of(nb, name):
    return next(cell for cell in nb.cells if nbgrader_marks(cell).get("grade_id") == name)


def setup_of(nb):
    return next(cell for cell in nb.cells if "import numpy as np" in cell.source)


def text(nb):
    return nbformat.writes(nb).encode()


def as_colab_writes_it(nb):
    """Return what the schema refuses: ids under minor 4, no counts, no outputs."""
    data = json.loads(text(nb))
    data["nbformat_minor"] = 4
    for cell in data["cells"]:
        if cell["cell_type"] == "code":
            del cell["execution_count"], cell["outputs"]
    return json.dumps(data).encode()


def with_byte_order_mark(nb):
    return b"\xef\xbb\xbf" + text(nb)


def in_utf16(nb):
    return text(nb).decode().encode("utf-16")


def without_metadata(nb):
    for cell in nb.cells:
        cell.metadata.clear()
    return text(nb)


def retyped_without_its_test(nb):
    """Retype a solution in a cell of its own, and delete the test of its question."""
    nb.cells.remove(cell_of(nb, "update_step"))
    solution = cell_of(nb, "update_step_solution")
    nb.cells[nb.cells.index(solution)] = new_code_cell(solution.source)
    return text(nb)


def of_an_earlier_release(nb):
    cell_of(nb, "update_step").metadata.nbgrader.grade_id = "update_step_of_last_year"
    return text(nb)


def answered_in_the_cell_below(nb):
    written = cell_of(nb, WRITTEN)
    nb.cells.insert(nb.cells.index(written) + 1, new_markdown_cell(written.source))
    written.source = ""
    return text(nb)


def with_code_in_a_locked_cell(nb):
    """Write the solution into the cell of the test, and nothing where it belongs."""
    solution, test = cell_of(nb, "update_step_solution"), cell_of(nb, "update_step")
    test.source, solution.source = solution.source, "# see below"
    return text(nb)


def with_a_widget_in_the_setup_cell(nb):
    setup = setup_of(nb)
    setup.source = f"%matplotlib widget\n{setup.source}"
    return text(nb)


def with_a_missing_package_in_the_setup_cell(nb):
    setup = setup_of(nb)
    setup.source = f"import a_package_that_nobody_has\n{setup.source}"
    return text(nb)


def for_a_gpu(nb):
    setup = setup_of(nb)
    setup.source += '\nimport torch\ntorch.set_default_device("cuda")'
    return text(nb)


def with_other_defaults(nb):
    setup = setup_of(nb)
    setup.source += "\nimport torch\ntorch.set_default_dtype(torch.float64)"
    setup.source += "\ntorch.set_grad_enabled(False)"
    return text(nb)


# What was done: the points, and a part of the flag that a person reads (None: no flag).
DONE = {
    as_colab_writes_it: (AUTOMATIC, None),
    with_byte_order_mark: (AUTOMATIC, None),
    in_utf16: (AUTOMATIC, None),
    without_metadata: (AUTOMATIC, "marks"),
    retyped_without_its_test: (AUTOMATIC, "update_step"),
    of_an_earlier_release: (AUTOMATIC, "update_step"),
    answered_in_the_cell_below: (AUTOMATIC, WRITTEN),
    with_code_in_a_locked_cell: (None, "update_step"),
    with_a_widget_in_the_setup_cell: (AUTOMATIC, "%matplotlib widget"),
    with_a_missing_package_in_the_setup_cell: (AUTOMATIC, "import a_package_that_nobody_has"),
    for_a_gpu: (AUTOMATIC, None),
    with_other_defaults: (AUTOMATIC, None),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Grade a right solution in every form; return the results by the names of the forms."""
    course = Course(tmp_path_factory.mktemp("editors"))
    released = nbformat.read(make_release(ASSIGNMENT, course).notebook, as_version=4)
    solved = solve(nbformat.read(course.source_notebook(ASSIGNMENT), as_version=4), released)
    for change in DONE:
        place = course.submission(change.__name__, ASSIGNMENT)
        place.mkdir(parents=True)
        (place / f"{ASSIGNMENT}.ipynb").write_bytes(change(copy.deepcopy(solved)))
    assert not [outcome for outcome in grade(ASSIGNMENT, course, jobs=2) if outcome.problem]
    return {found.student: found for found in read_class(ASSIGNMENT, course).submissions}


@pytest.mark.parametrize("change", DONE, ids=lambda change: change.__name__)
def test_the_points_are_those_of_the_solution_and_a_person_is_told(graded, change):
    points, flag = DONE[change]
    found = graded[change.__name__]
    assert points is None or found.score == points
    assert [text for text in found.flags if flag is None or flag in text] or flag is None
    assert flag is not None or not found.flags


@pytest.mark.parametrize("change", [answered_in_the_cell_below, without_metadata])
def test_a_written_answer_waits_for_a_person(graded, change):
    assert WRITTEN in graded[change.__name__].waiting
