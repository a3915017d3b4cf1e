"""An assignment is found by its notebook, and its parts are found by its name."""

import json
import subprocess
import sys

import pytest

from autograder.assignments import (
    NoSuchAssignment,
    assignment,
    assignments,
    in_course_order,
    part,
)
from autograder.misconceptions import misconceptions_in


@pytest.fixture
def notebooks(tmp_path):
    """Return a folder with the source notebook of one small assignment."""
    (tmp_path / "tiny").mkdir()
    course = {"unlocks": ["masks"], "artifacts": ["small"]}
    content = {"cells": [], "metadata": {"course": course}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "tiny" / "tiny.ipynb").write_text(json.dumps(content))
    return tmp_path


def test_a_notebook_in_a_folder_of_its_name_is_an_assignment(notebooks):
    assert assignments(notebooks) == ["tiny"]


def test_another_notebook_in_that_folder_is_not_an_assignment(notebooks):
    (notebooks / "tiny" / "draft.ipynb").write_text("{}")
    assert assignments(notebooks) == ["tiny"]


def test_the_notebook_says_what_it_unlocks_and_what_is_handed_in(notebooks):
    tiny = assignment("tiny", notebooks)
    assert (tiny.unlocks, tiny.artifacts) == (("masks",), ("small",))


def test_an_assignment_may_have_nothing_but_its_notebook(notebooks):
    tiny = assignment("tiny", notebooks)
    assert [*tiny.experiments, *tiny.sweeps, *tiny.chart_lines, *tiny.misconceptions] == []


def test_an_assignment_without_a_notebook_does_not_exist(notebooks):
    with pytest.raises(NoSuchAssignment):
        assignment("huge", notebooks)


def test_the_course_begins_with_sparse_linear_models():
    names = [found.name for found in in_course_order()]
    assert names.index("sparse_linear") < names.index("pruning") < names.index("deep_compression")
    assert sorted(names) == assignments()


def test_an_assignment_without_a_place_comes_last(notebooks):
    assert assignment("tiny", notebooks).place > in_course_order()[-1].place


@pytest.mark.parametrize("name", assignments())
def test_the_experiments_and_sweeps_of_an_assignment_carry_its_name(name):
    found = assignment(name)
    assert {row.assignment for row in [*found.experiments, *found.sweeps]} <= {name}


@pytest.mark.parametrize("name", assignments())
def test_the_artifacts_are_trained_by_the_experiments(name):
    found = assignment(name)
    assert set(found.artifacts) <= {experiment.name for experiment in found.experiments}


def test_misconceptions_are_those_of_the_assignment():
    assert assignment("pruning").misconceptions == misconceptions_in("pruning") != []


def test_finding_an_assignment_imports_nothing_that_is_slow():
    program = (
        "import sys\nfrom autograder.assignments import assignment, assignments\n"
        "[assignment(name) for name in assignments()]\n"
        "assert not {'torch', 'numpy', 'nbformat'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_name_that_is_not_a_python_name_has_no_parts():
    assert part("homework 1.5", "misconceptions") is None
