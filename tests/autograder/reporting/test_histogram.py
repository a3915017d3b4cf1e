"""The geometry of the report's histograms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.reporting.histogram import Histogram, score_edges, time_edges

times = st.lists(st.floats(0, 1e6), min_size=1, max_size=40)


def test_a_bin_holds_its_lower_edge_and_the_last_one_both():
    assert Histogram.of([0, 10, 19.9, 20, 30], [0, 10, 20, 30]).counts == (1, 2, 2)


def test_bins_are_equally_wide_whatever_their_edges():
    chart = Histogram.of([], [0, 1, 2, 5])

    assert [chart.place(value) for value in (0, 1, 2, 3.5, 5)] == pytest.approx(
        [0, 1 / 3, 2 / 3, 5 / 6, 1]
    )


@pytest.mark.parametrize(
    ("highest", "ticks"), [(0, [0, 1]), (3, [0, 1, 2, 3]), (7, [0, 2, 4, 6, 8])]
)
def test_ticks_are_whole_and_reach_the_highest_bar(highest, ticks):
    assert Histogram.of([0.5] * highest, [0, 1]).ticks == ticks


def test_scores_get_ten_bins_and_more_for_the_bonus():
    assert score_edges(100, 110) == [10 * i for i in range(12)]


@given(st.floats(0, 500), st.floats(0, 50))
def test_score_bins_reach_the_highest_possible_score(maximum, bonus):
    edges = score_edges(maximum, maximum + bonus)

    assert edges[0] == 0
    assert edges[-1] >= (maximum + bonus) * (1 - 1e-9)


@given(times)
def test_every_time_finds_its_bin(seconds):
    edges = time_edges(seconds)

    assert edges[0] <= min(seconds)
    assert max(seconds) < edges[-1]
    assert sum(Histogram.of(seconds, edges).counts) == len(seconds)


def test_one_endless_loop_does_not_hide_the_other_times():
    edges = time_edges([12.0, 15.0, 600.0])

    assert edges == [10, 20, 50, 100, 200, 500, 1000]
