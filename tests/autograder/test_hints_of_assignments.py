"""Every code question with a public check has hints; they are right, and none is a solution."""

import ast
import json
import math
import re
from pathlib import Path

import nbformat
import pytest
from worked_examples import answer, plain

import helpers
from autograder.assignments import NOTEBOOKS, assignments, in_course_order
from autograder.releasing.audit import audit
from helpers.checks.hints import FILE, SHARED, read_hints, texts

WITHOUT = {"verdict", "words", "hint"}
"""Checks of the form alone: the answer is in words, or one of two."""


def file_of(assignment):
    return Path(helpers.__file__).parent / "assignments" / assignment / FILE


def checks_in(assignment):
    """Return the names of the checks that the notebook calls."""
    notebook = nbformat.read(NOTEBOOKS / assignment / f"{assignment}.ipynb", as_version=4)
    calls = [
        node
        for cell in notebook.cells
        if cell.cell_type == "code" and "checks." in cell.source
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Attribute)
    ]
    return {c.attr for c in calls if isinstance(c.value, ast.Name) and c.value.id == "checks"}


EXAMPLES = [
    (assignment, check)
    for assignment in assignments()
    for check, entry in read_hints(file_of(assignment)).items()
    if "example" in entry
]
EVERY = {
    f"{file.parent.name}-{check}": entry
    for file in [SHARED, *map(file_of, assignments())]
    for check, entry in read_hints(file).items()
}


@pytest.mark.parametrize("assignment", assignments())
def test_every_code_question_with_a_public_check_has_hints(assignment):
    known = read_hints(SHARED) | read_hints(file_of(assignment))
    assert checks_in(assignment) - WITHOUT - known.keys() == set()


@pytest.mark.parametrize("assignment", assignments())
def test_there_are_no_hints_for_checks_that_do_not_exist(assignment):
    assert read_hints(file_of(assignment)).keys() <= checks_in(assignment)


@pytest.mark.parametrize("entry", EVERY.values(), ids=EVERY)
def test_hints_begin_with_what_to_look_at_and_then_say_what_is_asked(entry):
    assert len(entry["steps"]) == 2
    assert all(step[-1] in ".?" and 40 < len(step) < 500 for step in entry["steps"])


@pytest.mark.parametrize("entry", EVERY.values(), ids=EVERY)
def test_a_step_names_things_but_contains_no_code(entry):
    for step in entry["steps"]:
        assert all(re.fullmatch(r"[\w.]+(\(\))?", code) for code in step.split("`")[1::2])
        assert not re.search(r"[@*=\[\]]|\w\(\w", step.replace("`", ""))


def same(found, expected):
    if isinstance(expected, dict):
        keys = found.keys() == expected.keys()
        return keys and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-4, abs_tol=1e-6)
    return type(found) is type(expected) and found == expected


@pytest.mark.parametrize(("assignment", "check"), EXAMPLES)
def test_an_example_gives_what_the_reference_gives(assignment, check):
    example = read_hints(file_of(assignment))[check]["example"]
    found = plain(answer(assignment, check, example["given"]))
    assert same(found, example["gives"]), found


@pytest.mark.slow
@pytest.mark.parametrize("assignment", assignments())
def test_no_hint_gives_a_solution_away(assignment, tmp_path):
    hints = read_hints(SHARED) | read_hints(file_of(assignment))
    (tmp_path / FILE).write_text(json.dumps(hints), encoding="utf-8")
    shown = [step for entry in hints.values() for step in texts(entry)]
    (tmp_path / "shown.txt").write_text("\n".join(shown), encoding="utf-8")
    (unlocks,) = (each.unlocks for each in in_course_order() if each.name == assignment)
    assert audit(tmp_path, NOTEBOOKS / assignment / f"{assignment}.ipynb", unlocks=unlocks) == []


@pytest.mark.slow
def test_the_solution_in_a_hint_is_found(tmp_path):
    line = "Try this: return w - rate * 2 * X.T @ (X @ w - y)"
    (tmp_path / FILE).write_text(json.dumps({"a": {"steps": [line]}}), encoding="utf-8")
    assert audit(tmp_path, NOTEBOOKS / "sparse_linear" / "sparse_linear.ipynb")
