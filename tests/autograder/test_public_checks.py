"""Every public check lets the right answer pass and gives a reason for rejecting any other."""

from importlib import import_module

import matplotlib as mpl
import numpy as np
import pytest
import torch
from torch import nn

from autograder.assignments import assignments

mpl.use("Agg")
from matplotlib import pyplot


def _probes(assignment):
    return import_module(f"tests.assignments.{assignment}.{assignment}_probes")


ANSWERS = {
    check: answer
    for assignment in assignments()
    for answer, check in _probes(assignment).PUBLIC_CHECKS.items()
}
# For these two, the answer is a class: it is never taken for a function that is not written yet.
FUNCTIONS = [check for check in ANSWERS if check.__name__ not in ("ste", "quant_conv2d")]
STRANGE = [
    None,
    "text",
    (),
    (1, 2),
    (1, 2, 3),
    {},
    [[]],
    [[], {}, object()],
    np.full(3, np.nan),
    np.full(4, np.nan),
    np.zeros(4, np.uint8),
    torch.full((4,), torch.nan),
    (torch.full((4,), torch.nan),) * 2,
]


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    pyplot.close("all")


def name(check):
    return f"{check.__module__}.{check.__name__}"


def not_written(*args, **kwargs):
    raise NotImplementedError


def wrong_and_explained(result):
    return not result and result.problem and result._repr_html_()


each_check = pytest.mark.parametrize("check", ANSWERS, ids=name)


@each_check
def test_the_right_answer_passes(check):
    assert check(ANSWERS[check]), check(ANSWERS[check])


@pytest.mark.parametrize("check", FUNCTIONS, ids=name)
def test_an_answer_that_is_not_written_is_reported_as_such(check):
    result = check(not_written)
    assert not result
    assert "is not written yet" in result.problem


@pytest.mark.parametrize("check", FUNCTIONS, ids=name)
def test_anything_but_a_function_is_reported_as_such(check):
    assert "needs a function" in check(3).problem


@each_check
@pytest.mark.parametrize("answer", STRANGE)
def test_a_strange_answer_is_wrong_and_explained(check, answer):
    assert wrong_and_explained(check(lambda *args, **kwargs: answer))


@each_check
@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        lambda: None,
        lambda *args, **kwargs: args,
        lambda *a, **k: 1 / 0,
        object,
        nn.Module,
    ],
)
def test_nonsense_is_wrong_and_explained(check, answer):
    assert wrong_and_explained(check(answer))
