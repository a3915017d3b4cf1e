"""Random numbers are called independent if they are, whatever their seed."""

import numpy as np
import pytest

from autograder.hidden.independence import independent

SHAPE = (100, 4, 5, 5)
N = 100 * 4 * 5 * 5


def coins(seed):
    return np.random.default_rng(seed).random(SHAPE) < 0.4


def credit(draw, seeds=(0, 1)):
    return independent(lambda: [draw(seed) for seed in seeds], "dependent").credit


@pytest.mark.parametrize("first", range(0, 60, 3))
def test_independent_coins_pass(first):
    assert credit(coins, range(first, first + 3)) == 1


def per_filter(seed):
    return np.broadcast_to(np.random.default_rng(seed).random((100, 1, 1, 1)) < 0.4, SHAPE)


def per_position(seed):
    return np.broadcast_to(np.random.default_rng(seed).random(SHAPE[1:]) < 0.4, SHAPE)


def golden_ratio(seed):
    return (np.arange(N) * 0.6180339887 + 0.137 * seed) % 1 < 0.4


def shifted(seed):
    return np.roll(coins(0).ravel(), 17 * seed)


def in_turn(seed):
    return np.arange(N) % 2 == 0


def mirrored_pairs(seed):
    half = np.random.default_rng(seed).random(N // 2)
    return np.stack([half, 1 - half], axis=1) < 0.4


def never(seed):
    return np.zeros(N)


@pytest.mark.parametrize(
    "draw", [per_filter, per_position, golden_ratio, shifted, in_turn, mirrored_pairs, never]
)
def test_dependent_coins_do_not_pass(draw):
    assert credit(draw) == 0
