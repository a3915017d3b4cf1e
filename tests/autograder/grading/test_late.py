"""What a late hand-in costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading.late import DAY, HOUR, LatePolicy


def penalty(score, seconds, **settings):
    return LatePolicy(**settings).late_submission_penalty("ada", score, seconds)


@pytest.mark.parametrize(
    ("settings", "seconds", "points"),
    [
        ({}, 5 * DAY, None),
        ({"penalty_method": "zero"}, 1, 80),
        ({"penalty_method": "zero", "grace_hours": 2.0}, 2 * HOUR, None),
        ({"penalty_method": "zero", "grace_hours": 2.0}, 2 * HOUR + 1, 80),
        ({"penalty_method": "daily"}, 1, 8),
        ({"penalty_method": "daily"}, DAY, 8),
        ({"penalty_method": "daily"}, DAY + 1, 16),
        ({"penalty_method": "daily", "percent_per_day": 25.0}, 2 * DAY, 40),
        ({"penalty_method": "daily", "percent_per_day": 25.0}, 9 * DAY, 80),
        ({"penalty_method": "daily", "grace_hours": 24.0}, DAY, None),
        ({"penalty_method": "daily", "grace_hours": 24.0}, DAY + 1, 8),
    ],
)
def test_the_penalty_of_80_points(settings, seconds, points):
    assert penalty(80, seconds, **settings) == (None if points is None else pytest.approx(points))


@given(st.floats(0, 110), st.floats(0, 30 * DAY), st.floats(0, 30 * DAY), st.floats(0, 100))
def test_more_delay_never_costs_less_and_never_more_than_was_earned(score, one, two, percent):
    settings = {"penalty_method": "daily", "percent_per_day": percent}
    costs = [penalty(score, seconds, **settings) or 0 for seconds in sorted((one, two))]
    assert 0 <= costs[0] <= costs[1] <= score
