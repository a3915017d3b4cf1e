import numpy as np
import pytest
import torch

from autograder.hidden.tolerance import TIE_MARGIN, accuracy_noise, away_from_ties, roundings


def positions(w, bits):
    """Return the values in steps above the minimum."""
    w = np.asarray(w, dtype=np.float64)
    return (w - w.min()) / ((w.max() - w.min()) / (2**bits - 1))


@pytest.mark.parametrize("bits", range(1, 9))
def test_no_value_is_left_near_a_tie(bits):
    w = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    distance = np.abs(positions(away_from_ties(w, bits), bits) % 1 - 0.5)
    # A position is rounded in float32 where it is judged and again where it is stored.
    assert distance.min() > TIE_MARGIN - 4 * 255 * np.finfo(np.float32).eps


def test_range_shape_type_and_most_values_stay():
    w = torch.randn(64, 9, generator=torch.Generator().manual_seed(1))
    moved = away_from_ties(w, 4)
    assert (moved.min(), moved.max()) == (w.min(), w.max())
    assert (moved.shape, moved.dtype) == (w.shape, w.dtype)
    # A band of 2 * TIE_MARGIN of every step is moved: 2 % of the values, and never 5 % of 576.
    assert (moved != w).float().mean() < 0.05


def test_the_input_is_not_changed():
    w = np.array([0.0, 0.5, 1.0], dtype=np.float32)
    away_from_ties(w, 1)
    assert w[1] == 0.5


def test_equal_values_stay():
    assert np.array_equal(away_from_ties(np.full(3, 2.0), 8), np.full(3, 2.0))


def test_three_images_of_the_digits_are_noise_and_four_are_not():
    assert 3 / 359 <= accuracy_noise(359) < 4 / 359


@pytest.mark.parametrize(
    "numbers",
    [
        np.array([[1, -4], [2, 3]], dtype=np.float32),
        torch.tensor([-4.0, 0.5]),
        {"a": torch.tensor([1.0]), "b": torch.tensor([-4.0, 2.0])},
    ],
    ids=["array", "tensor", "dict of tensors"],
)
def test_roundings_are_in_proportion_to_the_largest_number(numbers):
    assert roundings(3)(numbers, 8) == 3 * 2**-23 * 4
