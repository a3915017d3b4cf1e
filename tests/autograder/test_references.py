"""Reference runs: the rule for thresholds, and what passes it."""

import shutil
from pathlib import Path

import nbformat
import pytest

from autograder import reference_table, references
from autograder.course import NOTEBOOKS
from autograder.errors import UserError
from autograder.execution import evaluate_test
from autograder.experiments import experiments
from autograder.hidden import reference
from autograder.hidden.student import Submission, asking
from autograder.reference_run import digest, run
from autograder.reference_table import page, table
from autograder.references import NoReference, threshold, threshold_of
from helpers import data
from helpers.artifacts import artifact_folder
from helpers.training import evaluate


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


def points(question: str, files: Path) -> float:
    """Ask the hidden test of a question about the artifacts in `files`."""
    source = nbformat.read(NOTEBOOKS / "quantization" / "quantization.ipynb", as_version=4)
    (cell,) = [
        c for c in source.cells if c.metadata.get("nbgrader", {}).get("grade_id") == question
    ]

    def nobody(request):
        raise AssertionError("a trained artifact is judged without the student's code")

    with asking(Submission(nobody, files)):
        return evaluate_test(cell.source, question).points / cell.metadata.nbgrader.points


# Three accuracies: mean 0.9, standard deviation 0.01; t(0.99, 2) = 6.965 from a printed table.
RUNS = [0.89, 0.90, 0.91]


def test_the_threshold_is_the_lower_end_of_a_prediction_interval():
    expected = 0.9 - 6.965 * 0.01 * (1 + 1 / 3) ** 0.5
    assert threshold_of(RUNS, untrained=0.1, images=10**6) == pytest.approx(expected, abs=1e-5)


def test_runs_that_agree_by_chance_do_not_make_it_sharp():
    # One standard error of 0.9 on 100 images is 0.03.
    expected = 0.9 - 6.965 * 0.03 * (1 + 1 / 3) ** 0.5
    assert threshold_of([0.9] * 3, untrained=0.1, images=100) == pytest.approx(expected, abs=1e-4)


def test_half_of_what_training_gained_is_asked_for_at_least():
    assert threshold_of(RUNS, untrained=0.88, images=10**6) == pytest.approx(0.89)


def test_one_run_has_no_spread():
    with pytest.raises(ValueError, match="at least two runs"):
        threshold_of([0.9], untrained=0.1, images=100)


def test_an_unknown_network_says_how_to_run_it():
    with pytest.raises(NoReference, match="autograder reference"):
        threshold("quick", "nothing_like_it")


def test_names_of_trained_networks_are_unique_in_the_course():
    names = [experiment.name for experiment in experiments()]
    assert len(set(names)) == len(names)


def test_every_experiment_has_a_frozen_run_on_these_very_data(digits):
    found = references.runs("quick")
    assert set(found) == {experiment.name for experiment in experiments()}
    assert {run["data_sha256"] for run in found.values()} == {digest(digits)}


@pytest.mark.slow
def test_a_history_that_the_weights_do_not_back_earns_nothing(tmp_path):
    folder = artifact_folder(tmp_path)
    shutil.copytree(references.artifacts("quick", "quantization"), folder)
    boast = '{"train_loss": [0.0], "train_accuracy": [1.0], "test_accuracy": [1.0], '
    boast += '"learning_rate": [0.01], "seconds": [1.0]}'
    (folder / "sparse_4bit.json").write_text(boast)
    assert points("bonus_sparse_4bit", tmp_path) == 0


def test_a_history_alone_earns_nothing(tmp_path):
    folder = artifact_folder(tmp_path)
    folder.mkdir(parents=True)
    shutil.copy(references.artifacts("quick", "quantization") / "qat_4bit.json", folder)
    assert points("qat_4bit", tmp_path) == 0


def test_a_run_needs_two_seeds_and_known_experiments(tmp_path):
    with pytest.raises(UserError, match="at least two seeds"):
        run(["quantization"], 1, tmp_path)
    with pytest.raises(UserError, match="no experiment or assignment 'qat_9bit'; known: "):
        run(["qat_4bit", "qat_9bit"], 2, tmp_path)


def test_what_a_reference_run_measured_is_not_measured_again(monkeypatch, digits):
    model = reference.starting_model()
    expected = evaluate(model, digits)
    monkeypatch.setattr(reference.training, "evaluate", None)
    assert reference.accuracy(model) == expected


def test_the_committed_page_is_the_one_that_the_manifests_give():
    assert (references.FROZEN / "quick" / "README.md").read_text() == page("quick")


def test_the_table_has_the_difference_to_what_was_published(monkeypatch):
    run = {
        "recipe": "trained",
        "published": 0.9,
        "untrained": 0.1,
        "mean": 0.91,
        "spread": 0.002,
        "seconds": [10.0, 20.0],
        "seeds": [0, 1],
        "device": "a GPU",
        "torch": "2.11",
    }
    monkeypatch.setattr(reference_table, "runs", lambda profile: {"qat_4bit": run})
    text = table("full")
    assert (
        "| `qat_4bit` | trained | 0.9000 | 0.1000 | 0.9100 ± 0.0020 | +0.0100 | 15 | 2 "
        "| a GPU, torch 2.11 |\n" in text
    )
    assert "Not run yet: " in text
    assert "qat_3bit" in text.partition("Not run yet: ")[2]
