import numpy as np
import pytest
import torch

from helpers.checks.values import accuracies, repeats, verdict


def test_accuracies_for_all_keys_pass():
    assert accuracies({8: 0.97, 4: np.float64(0.5), 2: torch.tensor(0.1)}, (8, 4, 2))
    assert accuracies({(4, 4, 2): 0, (2, 4, 4): 1}, [(4, 4, 2), (2, 4, 4)])


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, "no accuracy for 8, 4 yet"),
        ({8: 0.9}, "no accuracy for 4 yet"),
        ({8: 0.9, 4: 0.8, "4": 0.8}, "There should be no accuracy for '4'"),
        ([0.9, 0.8], "should be a dict; yours is a list"),
        (None, "should be a dict; yours is None"),
        ({8: 0.9, 4: 82.5}, "The accuracy for 4 is 82.5. Write it as a fraction"),
        ({8: 0.9, 4: -0.1}, "below 0"),
        ({8: 0.9, 4: float("nan")}, "The accuracy for 4 should be finite"),
        ({8: 0.9, 4: "0.8"}, "should be a single number; yours is a str"),
        ({8: 0.9, 4: True}, "should be a single number; yours is a bool"),
        ({8: 0.9, 4: torch.zeros(2)}, "should be a single number; yours is a tensor"),
        ({8: 0.9, 4: None}, "should be a single number; yours is None"),
    ],
)
def test_other_dictionaries_are_explained(values, problem):
    assert problem in accuracies(values, (8, 4)).problem


def test_the_mildest_setting_must_be_near_the_untouched_network():
    nonsense = {8: 0.5, 4: 0.1, 2: 0.1}
    assert accuracies(nonsense, (8, 4, 2))
    result = accuracies(nonsense, (8, 4, 2), mildest=8, untouched=0.95)
    assert "whose accuracy is 0.9500, but yours for 8 is 0.5000" in result.problem
    assert accuracies({8: 0.93, 4: 0.1, 2: 0.1}, (8, 4, 2), mildest=8, untouched=0.95)


def test_repeats_are_a_list_of_accuracies():
    assert repeats([0.1] * 10, 10)
    assert repeats(np.full(10, 0.1), 10)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([0.1, 0.2], "There should be 3 accuracies; you have 2"),
        ("0.1", "should be a list; yours is a str"),
        (0.1, "should be a list; yours is a float"),
        ([0.1, 20, 0.1], "Accuracy number 2 is 20"),
    ],
)
def test_other_lists_are_explained(values, problem):
    assert problem in repeats(values, 3).problem


@pytest.mark.parametrize("value", [True, False])
def test_a_verdict_is_true_or_false_and_the_check_does_not_tell_which(value):
    assert repr(verdict(value)) == repr(verdict(not value))
    assert verdict(value)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "no verdict yet"),
        (..., "no verdict yet"),
        ("True", "without quotation marks; yours is a str"),
        (1, "yours is an int"),
    ],
)
def test_other_verdicts_are_explained(value, problem):
    assert problem in verdict(value).problem
