"""The bars that students see are those of the reference runs."""

import json

import pytest

from autograder import references
from autograder.assignments import in_course_order
from autograder.runs.page import bars, course_runs
from helpers import bars as shown
from helpers import course_runs as ended
from helpers.profile import PROFILES

HANDED_IN = [name for each in in_course_order() for name in each.artifacts]


def test_the_file_is_the_one_that_the_results_page_comes_with():
    # `autograder reference page` writes it anew.
    assert json.loads(shown.BARS.read_text()) == bars()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", HANDED_IN)
def test_a_network_that_meets_the_shown_bar_meets_that_of_the_grader(profile, name):
    found = references.runs(profile)
    if name not in found or len(found[name]["seeds"]) < 2:
        pytest.skip("no reference run with two seeds")
    bar = shown.bar(profile, name)
    assert 0 <= bar.accuracy - references.bar(profile, name) <= 1e-4
    limit = references.loss_limit_of(found[name], found.values())
    assert (bar.loss is None) == (limit is None)
    assert limit is None or 0.999 * limit <= bar.loss <= limit


def test_the_file_of_how_runs_ended_is_the_one_that_the_results_page_comes_with():
    assert json.loads(ended.COURSE_RUNS.read_text()) == course_runs()


@pytest.mark.parametrize("profile", PROFILES)
def test_a_run_with_a_part_of_its_epochs_does_not_say_how_a_training_ends(profile):
    part = [name for name, run in references.runs(profile).items() if run["share"] < 1]
    assert not [name for name in part if ended.course_runs(profile, name)]
