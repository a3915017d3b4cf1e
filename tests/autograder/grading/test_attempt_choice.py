"""Which attempt counts, and what is said about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading.attempt_choice import Choice, JudgedAttempt, best_of


def attempt(key, points, penalty=0.0, handed_in=""):
    return JudgedAttempt(key, handed_in, points, penalty)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5))
def test_the_best_attempt_has_the_most_points_after_the_penalty_and_is_the_earliest(found):
    attempts = [attempt(str(n), points, penalty) for n, (points, penalty) in enumerate(found)]
    best = best_of(attempts)
    assert best.total == max(one.total for one in attempts)
    assert all(one.total < best.total for one in attempts[: int(best.key)])


def test_rounding_does_not_decide_between_attempts():
    assert best_of([attempt("a", 0.3), attempt("b", 0.1 + 0.2)]).key == "a"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("a", "it is attempt 1 of 3, with 1 automatic point; attempt 2 has more and counts"),
        (
            "b",
            "it is attempt 2 of 3, which counts, with 3 automatic points, after 0.5 were taken off "
            "because it was late",
        ),
        (
            "c",
            "it is attempt 3 of 3; attempt 2 was earlier, has as many points and counts",
        ),
    ],
)
def test_every_attempt_is_told_why_it_counts_or_not(key, why):
    attempts = (attempt("a", 1), attempt("b", 3.5, 0.5), attempt("c", 3))
    assert Choice("release", "b", attempts).why(key) == why


def test_a_student_with_one_attempt_is_told_nothing_about_attempts():
    choice = Choice("release", "a", (attempt("a", 1),))
    assert (choice.lines(), choice.why("a")) == ([], "")


def test_a_choice_is_read_as_it_was_written(tmp_path):
    choice = Choice("release", "a", (attempt("a", 1.5, 0.5, "2027-02-14T12:00:00+00:00"),))
    choice.write(tmp_path)
    assert Choice.read(tmp_path) == choice
    assert Choice.read(tmp_path / "nowhere") is None
