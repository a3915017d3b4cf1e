"""The simulation of many workers agrees with what can be computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.bench.writer import simulated

times = st.lists(st.floats(0.1, 10.0), min_size=1, max_size=30)


def test_one_worker_takes_one_submission_after_the_other():
    assert simulated([3.0, 1.0, 2.0], 1, 0.5) == pytest.approx(6.0 + 3 * 0.5)


def test_workers_wait_for_each_other_only_to_write():
    assert simulated([2.0] * 4, 4, 0.5) == pytest.approx(2.0 + 4 * 0.5)
    assert simulated([2.0] * 4, 4, 0.0) == pytest.approx(2.0)
    assert simulated([2.0] * 4, 2, 0.5) == pytest.approx(2.0 + 0.5 + 2.0 + 0.5 + 0.5)


@given(times, st.integers(1, 64), st.floats(0.0, 1.0))
def test_no_number_of_workers_beats_the_writer_or_the_longest_submission(work, workers, locked):
    taken = simulated(work, workers, locked)
    assert taken >= len(work) * locked + min(work) - 1e-9
    assert taken >= max(work) + locked - 1e-9
    assert taken >= (sum(work) + len(work) * locked) / workers - 1e-9
    assert taken <= sum(work) + len(work) * locked + 1e-9


@given(times, st.integers(1, 32), st.floats(0.0, 1.0))
def test_without_a_wait_to_write_more_workers_are_not_slower(work, workers, locked):
    equal = [1.0] * len(work)
    assert simulated(equal, 2 * workers, locked) <= simulated(equal, workers, locked) + 1e-9
