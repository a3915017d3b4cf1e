"""Whoever writes down the accuracy of the untouched network everywhere earns nothing."""

import pytest

from autograder.hidden.untouched import beyond_untouched

EXPECTED = [{1: 0.90, 2: 0.70}, {1: 0.91, 2: 0.30, 3: 0.10}]
UNTOUCHED = 0.905


def credit(*answers, expected=EXPECTED):
    check = beyond_untouched(answers, expected, 0.01, untouched=UNTOUCHED, label="accuracies")
    assert bool(check.message) == (check.credit < 1)
    return check.credit


def test_right_accuracies_earn_everything():
    assert credit(*EXPECTED) == 1


def test_the_untouched_network_earns_nothing():
    assert credit(*(dict.fromkeys(accuracies, UNTOUCHED) for accuracies in EXPECTED)) == 0


def test_each_changed_accuracy_counts():
    assert credit({1: 0.90, 2: 0.70}, {1: 0.91, 2: 0.30, 3: 0.9}) == pytest.approx(2 / 3)


@pytest.mark.parametrize("answer", [None, {}, [0.9, 0.7], "text"])
def test_other_answers_earn_nothing(answer):
    assert credit(answer, answer) == 0


def test_where_nothing_changes_all_values_count():
    assert credit({1: 0.90, 2: 0.5}, expected=[{1: 0.90, 2: 0.91}]) == 0.5
