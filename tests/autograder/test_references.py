"""Reference runs: the rule for the bar of a network, and what reaches it."""

import shutil

import pytest
import torch
from source_notebook import part_of_the_points

from autograder import references
from autograder.errors import UserError
from autograder.hidden import accuracy_noise, reference
from autograder.references import NoReferenceRun, bar, threshold, threshold_of
from autograder.runs.run import plan, run, start
from autograder.runs.table import experiments, sweeps
from autograder.runs.tasks import digest
from helpers import data
from helpers.artifacts import artifact_folder
from helpers.training import evaluate


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


# Three accuracies: mean 0.9, standard deviation 0.01; t(0.99, 2) = 6.965 from a printed table.
RUNS = [0.89, 0.90, 0.91]


def test_the_bar_is_the_lower_end_of_a_prediction_interval():
    expected = 0.9 - 6.965 * 0.01 * (1 + 1 / 3) ** 0.5
    assert threshold_of(RUNS, untrained=0.1, images=10**6) == pytest.approx(expected, abs=1e-5)


def test_runs_that_agree_by_chance_do_not_make_the_bar_too_strict():
    # One standard error of 0.9 on 100 images is 0.03.
    expected = 0.9 - 6.965 * 0.03 * (1 + 1 / 3) ** 0.5
    assert threshold_of([0.9] * 3, untrained=0.1, images=100) == pytest.approx(expected, abs=1e-4)


def test_the_bar_requires_at_least_half_of_what_training_gained():
    assert threshold_of(RUNS, untrained=0.88, images=10**6) == pytest.approx(0.89)


def test_runs_of_the_same_mean_and_spread_have_the_same_bar():
    expected = threshold_of(RUNS, untrained=0.1, images=10**6)
    assert bar(0.9, 0.01, 3, untrained=0.1, images=10**6) == pytest.approx(expected)


def test_a_third_run_of_the_same_mean_and_spread_raises_the_bar():
    # t(0.99, 1) = 31.821 from a printed table.
    expected = 0.9 - 31.821 * 0.001 * (1 + 1 / 2) ** 0.5
    after_two = bar(0.9, 0.001, 2, untrained=0.1, images=10**6)
    assert after_two == pytest.approx(expected, abs=1e-5)
    assert bar(0.9, 0.001, 3, untrained=0.1, images=10**6) > after_two


def test_one_run_has_no_spread():
    with pytest.raises(ValueError, match="at least two runs"):
        threshold_of([0.9], untrained=0.1, images=100)


def test_an_unknown_network_says_how_to_run_it():
    with pytest.raises(NoReferenceRun, match="autograder reference"):
        threshold("quick", "nothing_like_it")


def test_one_run_gives_no_bar(monkeypatch):
    monkeypatch.setattr(references, "runs", lambda profile: {"alone": {"accuracies": [0.9]}})
    with pytest.raises(NoReferenceRun, match="two seeds"):
        threshold("quick", "alone")


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_names_are_unique_in_the_course(profile, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    names = [row.name for row in [*experiments(), *sweeps()]]
    assert len(set(names)) == len(names)


def test_every_experiment_of_quick_has_a_frozen_run_on_the_same_data(digits):
    trained, measured = references.runs("quick"), references.sweeps("quick")
    assert set(trained) == {experiment.name for experiment in experiments()}
    assert set(measured) == {sweep.name for sweep in sweeps()}
    found = [*trained.values(), *measured.values()]
    assert {run["run_on"]["data_sha256"] for run in found} == {digest(digits)}


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_every_frozen_run_began_from_the_current_starting_network(profile, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    for frozen, rows in (
        (references.runs(profile), experiments()),
        (references.sweeps(profile), sweeps()),
    ):
        for row in rows:
            if row.name in frozen:
                assert frozen[row.name]["start"] == start(row), row.name


@pytest.mark.slow
def test_a_history_that_the_weights_do_not_support_earns_nothing(tmp_path):
    folder = artifact_folder(tmp_path)
    shutil.copytree(references.artifacts("quick", "quantization"), folder)
    boast = '{"train_loss": [0.0], "train_accuracy": [1.0], "test_accuracy": [1.0], '
    boast += '"learning_rate": [0.01], "seconds": [1.0]}'
    (folder / "sparse_4bit.json").write_text(boast)
    assert part_of_the_points("quantization", "bonus_sparse_4bit", tmp_path) == 0


def test_a_history_alone_earns_nothing(tmp_path):
    folder = artifact_folder(tmp_path)
    folder.mkdir(parents=True)
    shutil.copy(references.artifacts("quick", "quantization") / "qat_4bit.json", folder)
    assert part_of_the_points("quantization", "qat_4bit", tmp_path) == 0


def test_an_unknown_experiment_is_named_with_those_that_are_known(tmp_path):
    with pytest.raises(UserError, match="no experiment or assignment 'qat_9bit'; known: "):
        run(["qat_4bit", "qat_9bit"], plan(), tmp_path)


def test_what_a_reference_run_measured_is_not_measured_again(monkeypatch, digits):
    model = reference.starting_model()
    expected = evaluate(model, digits)
    monkeypatch.setattr(reference.training, "evaluate", None)
    assert reference.accuracy(model) == expected


# ------------------------------------------------------------------------------------------------
# Starting networks


def test_a_starting_weight_can_be_read_pruned():
    w = reference.weights("resnet20", "stage2.1.conv1")
    pruned = reference.weights("resnet20", "stage2.1.conv1", sparsity=0.5)
    assert (pruned == 0).float().mean() == 0.5
    assert torch.equal(pruned[pruned != 0], w[pruned != 0])
    assert pruned[pruned != 0].abs().min() >= w[pruned == 0].abs().max()


def test_a_pruned_model_has_the_zeros_of_the_masks_and_otherwise_the_starting_weights():
    def one_layer(weights):
        return {"stem": weights["stem"] > 0}

    found = reference.pruned_model(one_layer).state_dict()
    start = reference.starting_state()
    assert torch.equal(found.pop("stem.weight"), start["stem.weight"].clamp(min=0))
    assert all(torch.equal(tensor, start[name]) for name, tensor in found.items())


def test_the_noise_is_that_of_the_test_images_of_the_profile(digits):
    assert reference.noise() == accuracy_noise(len(digits.test))
