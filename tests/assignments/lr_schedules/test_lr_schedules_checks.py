"""The public checks of `lr_schedules` that are not about a function of the student's."""

import pytest

from helpers.artifacts import artifact_folder, save_artifact
from helpers.assignments.lr_schedules import checks
from helpers.history import History
from helpers.models import convnet

GOOD = History([1.0] * 2, [0.5] * 2, [0.5] * 2, [0.1] * 2, [2.0] * 2, [1.0] * 4)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_PROFILE", "quick")


def checked(history, lr=0.1, epochs=2):
    save_artifact(artifact_folder(), "rate", convnet(), history)
    return checks.constant_rate("rate", lr, epochs)


def test_a_training_at_the_right_rate_passes():
    assert checked(GOOD)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda: checks.constant_rate("rate", 0.1, 2), "missing"),
        (lambda: checked(GOOD, epochs=5), "has 2 epochs"),
        (lambda: checked(GOOD, lr=1.0), "was 0.1"),
        (lambda: checked(History(*[[0.1]] * 5), epochs=1), "no losses of steps"),
    ],
    ids=["missing", "epochs", "rate", "losses"],
)
def test_another_training_is_explained(result, words):
    found = result()
    assert not found
    assert words in found.problem


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (3.0, "should be a dict"),
        ({"a": 1.0}, "exactly the keys"),
        ({"a": 1.0, "b": -1.0}, "above 0"),
        ({"a": 1.0, "b": "long"}, "single number"),
    ],
)
def test_running_times_of_another_form_are_explained(times, words):
    found = checks.running_times(times, ["a", "b"])
    assert not found
    assert words in found.problem


def test_running_times_pass():
    assert checks.running_times({"a": 1.0, "b": 2}, ["a", "b"])
