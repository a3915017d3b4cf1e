"""The time to an accuracy ends with the first epoch that reaches it, for each of several seeds."""

import json
from dataclasses import replace
from statistics import stdev

import pytest

from autograder.bench import time_to_accuracy as bench
from helpers.data import Split, load
from helpers.training import History


def history(*accuracies):
    """Return a history whose epochs take 2 seconds each."""
    count = len(accuracies)
    return History([1.0] * count, [0.5] * count, list(accuracies), [0.1] * count, [2.0] * count)


@pytest.fixture
def trained(monkeypatch):
    """Replace the training by a fixed history for each seed."""
    histories = {0: history(0.5, 0.9, 0.8), 1: history(0.1, 0.2, 0.3), 2: history(0.9, 0.9, 0.95)}
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.setattr(bench, "_trained", lambda dataset, recipe, seed: histories[seed])


def figures(**options):
    *_, last = bench.time_to_accuracy(
        **({"target": 0.9, "epochs": 3, "seeds": [0, 1, 2]} | options)
    )
    return last


@pytest.mark.usefixtures("trained")
def test_seconds_count_up_to_the_first_epoch_that_reaches_the_target():
    assert figures(seeds=[0])["runs"] == [
        {"seed": 0, "epoch": 2, "seconds_with_evaluation": 4.0, "final_accuracy": 0.8}
    ]


@pytest.mark.usefixtures("trained")
def test_a_seed_that_never_reaches_the_target_has_no_time():
    assert figures(seeds=[1])["runs"] == [
        {"seed": 1, "epoch": None, "seconds_with_evaluation": None, "final_accuracy": 0.3}
    ]


@pytest.mark.usefixtures("trained")
def test_mean_and_spread_are_over_the_seeds_that_reached_the_target():
    found = figures()
    assert found["reached"] == 2
    assert found["mean_seconds"] == 3.0  # of 4 and 2
    assert found["spread_seconds"] == pytest.approx(stdev([4.0, 2.0]))


@pytest.mark.usefixtures("trained")
def test_there_is_no_mean_if_no_seed_reached_the_target():
    found = figures(target=0.99)
    assert (found["reached"], found["mean_seconds"], found["spread_seconds"]) == (0, None, None)


@pytest.mark.usefixtures("trained")
def test_figures_come_after_every_seed():
    counts = [len(f["runs"]) for f in bench.time_to_accuracy(0.9, 3, [0, 1, 2])]
    assert counts == [1, 2, 3]


@pytest.mark.usefixtures("trained")
def test_the_file_is_written_after_every_seed(monkeypatch, tmp_path):
    def interrupted(dataset, recipe, seed):
        if seed == 1:
            raise KeyboardInterrupt
        return history(0.99)

    monkeypatch.setattr(bench, "_trained", interrupted)
    file = tmp_path / "figures.json"
    with pytest.raises(KeyboardInterrupt):
        bench.main([str(file), "--seeds", "2", "--epochs", "1"])
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["machine"]["profile"] == "quick"
    assert [run["seed"] for run in written["time_to_accuracy"]["runs"]] == [0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "0"], "must be at least 1"),
        (["--epochs", "0"], "must be at least 1"),
        (["--target", "91.25"], "must lie between 0 and 1"),
    ],
)
def test_impossible_settings_are_refused_with_a_message(capsys, arguments, words):
    with pytest.raises(SystemExit):
        bench.main(["figures.json", *arguments])
    assert words in capsys.readouterr().err


def test_a_seed_trains_the_recipe_for_the_given_number_of_epochs(monkeypatch):
    digits = load("digits", device="cpu")
    few = Split(digits.train.images[:256], digits.train.labels[:256])
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.setattr(bench, "load", lambda: replace(digits, train=few, test=few))
    found = figures(target=0.0, epochs=1, seeds=[0])
    assert found["recipe"] == bench.RECIPES["digits"] | {"epochs": 1}
    assert found["reached"] == 1
    assert found["mean_seconds"] > 0
