import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.reference.deep_compression import run_lengths

KEPT = st.lists(st.booleans(), max_size=200).map(lambda values: np.array(values, dtype=bool))


def test_an_example_worked_out_by_hand():
    # Zeros before the kept weights: 0, 2, 7, 3, and two after the last.
    kept = np.array([1, 0, 0, 1, *[0] * 7, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
    runs = run_lengths.run_lengths(kept, 2)
    assert runs.dtype == np.uint8
    assert runs.tolist() == [0, 2, 3, 3, 1, 3, 0]
    assert run_lengths.run_lengths(kept, 3).tolist() == [0, 2, 7, 0, 3]
    assert run_lengths.run_lengths(kept, 8).tolist() == [0, 2, 7, 3]


@given(KEPT, st.integers(1, 8))
def test_a_round_trip_finds_every_weight(kept, width):
    runs = run_lengths.run_lengths(kept, width)
    assert np.array_equal(run_lengths.kept_from_runs(runs, width, kept.shape), kept)
    assert (runs < 2**width - 1).sum() == kept.sum()
    assert runs.max(initial=0) < 2**width


@pytest.mark.parametrize("fill", [False, True])
@pytest.mark.parametrize("shape", [(0,), (4, 3, 2, 2), (1, 1000)])
def test_all_pruned_and_none_pruned(shape, fill):
    kept = np.full(shape, fill)
    runs = run_lengths.run_lengths(kept, 4)
    assert runs.tolist() == [0] * int(kept.sum())
    assert np.array_equal(run_lengths.kept_from_runs(runs, 4, shape), kept)


def test_long_gaps_take_several_paddings():
    kept = np.zeros(1000, dtype=bool)
    kept[-1] = True
    runs = run_lengths.run_lengths(kept, 8)
    assert runs.tolist() == [255, 255, 255, 234]


def test_invalid_arguments_are_refused():
    with pytest.raises(ValueError, match="width"):
        run_lengths.run_lengths(np.ones(3, dtype=bool), 9)
    with pytest.raises(ValueError, match="0 to 3"):
        run_lengths.kept_from_runs(np.array([4]), 2, (9,))
    with pytest.raises(ValueError, match="beyond the end"):
        run_lengths.kept_from_runs(np.array([3, 3, 0], np.uint8), 2, (6,))


def test_the_ratio_counts_codebook_and_index():
    # Han et al. 2016, section 3: 16 weights in 4 clusters without pruning, ratio 3.2
    assert run_lengths.compression_ratio(16, 16, 0, 2, 4) == pytest.approx(3.2)
    # 100 weights, half of them kept: 3200 bits become 50 * 4 + 60 * 3 + 16 * 32
    assert run_lengths.compression_ratio(100, 50, 60, 4, 3) == pytest.approx(3200 / 892)
