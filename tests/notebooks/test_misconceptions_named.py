"""Every misconception loses points of its question and is named.

Here each wrong function replaces the right one in the hidden tests that use it. In the sample class
(`tests/sample_class`) whole notebooks are graded.
"""

from functools import partial
from importlib import import_module

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib import pyplot as plt
from source_notebook import assignments, cells, judged, marks, points
from torch import nn

from autograder.grading.execution import is_hidden_test
from autograder.misconceptions import misconceptions_in
from autograder.samples.dependencies import asked_names
from helpers.reference.structured_pruning.layers import sparse_conv_block

IMPORTS = {"np": np, "plt": plt, "torch": torch, "nn": nn, "F": F, "partial": partial}


ASKED_AS_WELL = {"structured_pruning": [sparse_conv_block]}
"""References without misconceptions that a hidden test asks beside one that has some."""


def right_answers(assignment):
    """Return the reference functions that have misconceptions, by name."""
    return {m.of.__name__: m.of for m in misconceptions_in(assignment)}


def namespace_of(assignment):
    """Return all that a hidden test may ask, by name, with the right answers."""
    beside = {function.__name__: function for function in ASKED_AS_WELL.get(assignment, [])}
    return imported(assignment) | beside | right_answers(assignment)


def imported(assignment):
    """Return what a notebook imports and hidden tests may use, by name."""
    return IMPORTS | {"checks": import_module(f"helpers.assignments.{assignment}.checks")}


def questions_about(assignment, name):
    """Yield the questions whose hidden tests use `name`, and otherwise only known names."""
    known = set(namespace_of(assignment))
    for cell in cells(assignment):
        if is_hidden_test(cell):
            asked = asked_names([cell])
            if name in asked and asked <= known:
                yield marks(cell)["grade_id"]


@pytest.mark.parametrize(
    ("assignment", "name"), [(a, name) for a in assignments() for name in sorted(right_answers(a))]
)
def test_the_reference_gets_every_point(assignment, name):
    found = list(questions_about(assignment, name))
    assert found
    for question in found:
        score = judged(assignment, question, namespace_of(assignment))
        assert score.points == points(assignment)[question]


@pytest.mark.parametrize(
    "wrong",
    [m for a in assignments() for m in misconceptions_in(a)],
    ids=lambda m: f"{m.assignment}-{m.name}",
)
def test_a_misconception_loses_points_and_is_named(wrong):
    namespace = namespace_of(wrong.assignment)
    exec(wrong.source, namespace)
    found = questions_about(wrong.assignment, wrong.of.__name__)
    scores = [judged(wrong.assignment, question, namespace) for question in found]
    assert any(score.points < score.of for score in scores)
    named = {c.misconception.name for s in scores for c in s.checks if c.misconception}
    assert wrong.name in named
