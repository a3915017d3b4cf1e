"""Every misconception of `quantization` loses points of its question and is named for it.

Here each wrong function is put among the right ones and asked by the hidden tests that ask for it.
In the sample class (`tests/autograder/test_sample_class.py`) whole notebooks are graded.
"""

from functools import partial
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.course import NOTEBOOKS
from autograder.execution import evaluate_test, is_hidden_test
from autograder.hidden.student import Submission, asking
from autograder.misconceptions import misconceptions_in
from autograder.samples import asked_names
from autograder.sandbox.inside.responder import Responder
from helpers.reference import affine, mixed_precision, ste

SOURCE = nbformat.read(NOTEBOOKS / "quantization" / "quantization.ipynb", as_version=4)
RIGHT = {
    function.__name__: function
    for function in (
        affine.quantize,
        affine.dequantize,
        affine.memory_ratio,
        affine.quantize_parameters,
        affine.quantize_stochastic,
        ste.quantize_linear,
        ste.STE,
        ste.QuantConv2d,
        ste.quantize_nonzero,
        mixed_precision.layer_bits,
        mixed_precision.average_precision,
    )
}
IMPORTS = {"np": np, "torch": torch, "nn": nn, "F": F, "partial": partial}


def questions_about(name):
    """Return the hidden tests that ask for `name` and for functions alone."""
    for cell in SOURCE.cells:
        if is_hidden_test(cell):
            asked = asked_names(nbformat.v4.new_notebook(cells=[cell]))
            if name in asked and set(asked) <= set(RIGHT):
                yield cell


def judged(cell, namespace):
    with asking(Submission(Responder(namespace).answer, Path())):
        return evaluate_test(cell.source, cell.metadata.nbgrader.grade_id)


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_the_reference_gets_every_point(name):
    cells = list(questions_about(name))
    assert cells
    for cell in cells:
        assert judged(cell, {**IMPORTS, **RIGHT}).points == cell.metadata.nbgrader.points


@pytest.mark.parametrize("wrong", misconceptions_in("quantization"), ids=lambda m: m.name)
def test_a_misconception_loses_points_and_is_named(wrong):
    namespace = {**IMPORTS, **RIGHT}
    exec(wrong.source, namespace)
    scores = [judged(cell, namespace) for cell in questions_about(wrong.of.__name__)]
    assert any(score.points < score.of for score in scores)
    named = {c.misconception.name for s in scores for c in s.checks if c.misconception}
    assert wrong.name in named
