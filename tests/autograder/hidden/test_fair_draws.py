"""Draws that are fair pass for any seeds, and draws that are not are told why."""

import random

import numpy as np
import pytest
import torch

from autograder.hidden import StudentError, fair_draw

VALUES = np.linspace(0.1, 4, 40) ** 2
COUNT = 8


def by_choice(seed):
    return np.random.default_rng(seed).choice(VALUES, COUNT, replace=False)


def by_sample(seed):
    return random.Random(seed).sample(VALUES.tolist(), COUNT)


def by_permutation(seed):
    order = torch.randperm(40, generator=torch.Generator().manual_seed(seed))
    return VALUES.astype(np.float32)[order[:COUNT].numpy()]


def judged(draw):
    return fair_draw(draw, VALUES, COUNT, what="weights")


@pytest.mark.parametrize("draw", [by_choice, by_sample, by_permutation])
def test_fair_draws_are_right(draw):
    check = judged(draw)
    assert (check.credit, check.message) == (1, "")


@pytest.mark.parametrize("offset", range(5))
def test_they_are_right_for_other_seeds(offset):
    assert judged(lambda seed: by_choice(1_000_000 * offset + seed)).credit == 1


def never_the_last(seed):
    return np.random.default_rng(seed).choice(VALUES[:-1], COUNT, replace=False)


def ten_draws_only(seed):
    return by_choice(seed % 10)


def slices(seed):
    first = np.random.default_rng(seed).integers(40)
    return np.roll(VALUES, first)[:COUNT]


def every_fifth(seed):
    return np.roll(VALUES, np.random.default_rng(seed).integers(5))[::5]


def each_draw_twice(seed):
    return by_choice(seed // 2)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (never_the_last, "should have the same chance"),
        (ten_draws_only, "should have the same chance"),
        (slices, "depend on each other"),
        (every_fifth, "depend on each other"),
        (each_draw_twice, "resemble each other"),
    ],
)
def test_unfair_draws_are_told_what_is_unfair(draw, words):
    check = judged(draw)
    assert check.credit == 0
    assert words in check.message


@pytest.mark.parametrize(
    "draw",
    [
        lambda seed: by_choice(seed)[:-1],
        lambda seed: np.repeat(by_choice(seed)[:4], 2),
        lambda seed: by_choice(seed) + 0.01,
        lambda seed: by_choice(seed)[None],
        lambda seed: "abc",
    ],
)
def test_what_is_no_draw_of_the_values_is_told_what_to_draw(draw):
    check = judged(draw)
    assert check.credit == 0
    assert check.message.startswith("It should draw 8 different weights with each seed.")


def test_an_error_in_student_code_becomes_the_feedback():
    def fails(seed):
        raise StudentError("`draw` is not written yet.")

    check = judged(fails)
    assert (check.credit, check.message) == (0, "`draw` is not written yet.")
