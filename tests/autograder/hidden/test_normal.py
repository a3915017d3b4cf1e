"""Numbers that are drawn independently from a normal distribution are told from others."""

import numpy as np
import pytest

from autograder.hidden import StudentError, normal

SHAPE = (64, 1, 11, 11)
rng = np.random.default_rng(0)


def drawn():
    return np.sqrt(0.5) * rng.standard_normal(SHAPE)


@pytest.mark.parametrize("seed", range(20))
def test_independent_normal_numbers_pass(seed):
    generator = np.random.default_rng(seed)
    check = normal(lambda: 3 * generator.standard_normal((128, 64)), 9.0)
    assert check.credit == 1, check.message


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: 1.5 * drawn(), "variance should be 0.5"),
        (lambda: drawn() + 0.1, "mean should be 0"),
        (lambda: rng.uniform(-(1.5**0.5), 1.5**0.5, SHAPE), "normal distribution"),
        (lambda: rng.choice([-(0.5**0.5), 0.5**0.5], SHAPE), "normal distribution"),
        (lambda: np.repeat(drawn()[:32], 2, axis=0), "depend on each other"),
        (lambda: np.tile(drawn()[..., :6], 2)[..., :11], "depend on each other"),
        (lambda: np.concatenate([drawn()[:32], -drawn()[:32]]) * 0, "variance"),
        (lambda: np.random.default_rng(3).standard_normal(SHAPE) * 0.5**0.5, "the same numbers"),
        (lambda: drawn()[:4], "5000 finite numbers"),
        (lambda: np.full(SHAPE, np.nan), "finite"),
        (lambda: "numbers", "wrong form"),
    ],
)
def test_other_numbers_are_told_what_is_wrong(draw, words):
    check = normal(draw, 0.5)
    assert check.credit == 0
    assert words in check.message


def test_negative_copies_are_no_new_numbers():
    def draw():
        half = drawn()[:32]
        return np.concatenate([half, -half])

    assert "depend" in normal(draw, 0.5).message


def test_an_answer_that_fails_is_told_why():
    def draw():
        raise StudentError("stopped")

    assert normal(draw, 1.0).message == "stopped"
