"""The same seed must give the same random numbers, and another seed must give others."""

import itertools

import numpy as np
import pytest

from autograder.hidden import StudentError, seeded

DRAWN = itertools.count()


def test_numbers_that_follow_the_seed_are_right():
    check = seeded(lambda seed: np.random.default_rng(seed).random(5), what="draw")
    assert (check.label, check.credit, check.message) == ("seeds", 1, "")


def ignores_the_seed(seed):
    return np.zeros(5)


def fresh_every_time(seed):
    return np.full(5, next(DRAWN))


@pytest.mark.parametrize("draw", [ignores_the_seed, fresh_every_time])
def test_numbers_that_do_not_follow_the_seed_are_wrong(draw):
    check = seeded(draw, what="draw")
    assert check.credit == 0
    assert (
        check.message == "The same seed should give the same draw, and another seed another draw."
    )


def test_an_error_in_student_code_becomes_the_feedback():
    def fails(seed):
        raise StudentError("`draw` is not written yet.")

    check = seeded(fails, what="draw")
    assert (check.credit, check.message) == (0, "`draw` is not written yet.")
