"""The probes tell every wrong solution from the right one and from the other wrong ones."""

import warnings
from functools import partial
from importlib import import_module
from itertools import combinations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib import pyplot as plt
from torch import nn

from autograder.assignments import assignments
from autograder.misconceptions import misconceptions_in, misconceptions_of

ALL = [wrong for assignment in assignments() for wrong in misconceptions_in(assignment)]
REFERENCES = list(dict.fromkeys(m.of for m in ALL))
PROBES, PUBLIC_CHECKS = {}, {}
for assignment in assignments():
    probes = import_module(f"tests.assignments.{assignment}.{assignment}_probes")
    PROBES |= probes.PROBES
    PUBLIC_CHECKS |= probes.PUBLIC_CHECKS

# What the notebooks import for their students.
IMPORTS = {"np": np, "plt": plt, "torch": torch, "nn": nn, "F": F, "partial": partial}


def answers(implementation, reference):
    """Return what an implementation answers to the probes of its question."""
    return [_asked(probe, implementation) for probe in PROBES[reference]]


def _asked(probe, implementation):
    try:
        with warnings.catch_warnings(action="ignore"):
            return probe(implementation)
    except Exception as error:
        return type(error).__name__


def alike(a, b):
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(alike(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return all(alike(a[key], b[key]) for key in a)
    if a is None or b is None or isinstance(a, str) or isinstance(b, str):
        return type(a) is type(b) and a == b
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=1e-5, equal_nan=True)


def name(value):
    """Return the name of a wrong solution or a reference, after its module."""
    function = getattr(value, "wrong", value)
    return f"{function.__module__}.{function.__name__}"


def test_every_question_with_a_misconception_has_probes_and_a_public_check():
    assert set(PROBES) == set(REFERENCES) == set(PUBLIC_CHECKS)


@pytest.mark.parametrize("wrong", ALL, ids=name)
def test_a_misconception_differs_from_the_right_answer(wrong):
    assert not alike(answers(wrong.wrong, wrong.of), answers(wrong.of, wrong.of))


@pytest.mark.parametrize("reference", REFERENCES, ids=name)
def test_no_two_misconceptions_of_a_question_coincide(reference):
    given = {m.name: answers(m.wrong, reference) for m in misconceptions_of(reference)}
    same = [pair for pair in combinations(given, 2) if alike(*map(given.get, pair))]
    assert not same


@pytest.mark.parametrize("wrong", ALL, ids=name)
def test_the_cell_of_a_student_makes_the_same_mistake(wrong):
    others = {m.of for m in misconceptions_in(wrong.assignment)} - {wrong.of}
    notebook = IMPORTS | {reference.__name__: reference for reference in others}
    exec(wrong.source, notebook)
    assert alike(answers(notebook[wrong.of.__name__], wrong.of), answers(wrong.wrong, wrong.of))
    assert "misconception" not in wrong.source
    assert '"""' not in wrong.source


@pytest.mark.parametrize("wrong", ALL, ids=name)
def test_the_explanation_talks_to_the_student_in_two_or_three_sentences(wrong):
    assert wrong.explanation.startswith(("You ", "Your "))
    assert wrong.explanation.endswith((".", "?"))
    assert 15 <= len(wrong.explanation.split()) <= 60
    assert wrong.explanation.count(". ") in (1, 2)


@pytest.mark.parametrize("wrong", ALL, ids=name)
def test_the_public_check_catches_every_misconception(wrong):
    result = PUBLIC_CHECKS[wrong.of](wrong.wrong)
    assert not result
    assert result.problem
