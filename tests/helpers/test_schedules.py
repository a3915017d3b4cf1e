"""A schedule is one of torch's, or a function of the step whose factors are checked."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from helpers.schedules import Schedule

EPOCHS, STEPS, LR = 3, 5, 0.3


def optimizer():
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=LR)


def rates(optimizer, scheduler):
    """Return the learning rate of each step of a training."""
    found = []
    for _ in range(EPOCHS * STEPS):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def scheduled(function):
    used = optimizer()
    return rates(used, Schedule(function, None, EPOCHS, STEPS).scheduler(used))


@pytest.mark.parametrize(
    "function",
    [
        lambda step: 0.97**step,
        lambda step: min(1.0, (step + 1) / 7),
        lambda step: (1 + math.cos(math.pi * step / (EPOCHS * STEPS))) / 2,
        lambda step: 0 if step == 3 else 2,
    ],
)
def test_a_function_gives_the_rates_of_torchs_lambda_scheduler(function):
    used = optimizer()
    expected = rates(used, torch.optim.lr_scheduler.LambdaLR(used, function))
    assert scheduled(function) == expected


def test_a_function_is_called_only_for_the_steps_of_the_training():
    factors = [1 / (step + 1) for step in range(EPOCHS * STEPS)]
    assert scheduled(factors.__getitem__) == [LR * factor for factor in factors]


@pytest.mark.parametrize(
    "half", [0.5, Fraction(1, 2), np.float32(0.5), np.float64(0.5), torch.tensor(0.5)]
)
def test_a_factor_may_be_a_number_of_any_library(half):
    assert scheduled(lambda step: half) == [LR / 2] * (EPOCHS * STEPS)


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "0.5",
        True,
        1j,
        -0.1,
        math.nan,
        math.inf,
        10**400,
        torch.tensor(math.nan),
        torch.ones(2),
        torch.tensor(True),
        [0.5],
    ],
    ids=repr,
)
def test_a_factor_that_no_learning_rate_can_have_is_refused_with_its_step(bad):
    words = r"schedule\(4\) returns .* must be a finite number that is not negative"
    with pytest.raises(ValueError, match=words):
        scheduled(lambda step: bad if step == 4 else 1.0)


def test_a_factor_may_be_a_whole_number_of_torch():
    assert scheduled(lambda step: torch.tensor(2)) == [2 * LR] * (EPOCHS * STEPS)


def test_a_schedule_that_is_neither_name_nor_function_is_refused_with_a_message():
    with pytest.raises(ValueError, match=r"schedule is 0\.1: .*, or a function that returns"):
        Schedule(0.1, None, EPOCHS, STEPS)


def test_no_epochs_need_no_factor():
    used = optimizer()
    Schedule(lambda step: 1.0, None, 0, STEPS).scheduler(used)
    assert used.param_groups[0]["lr"] == LR
