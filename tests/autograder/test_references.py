"""Reference runs: the rule for the bar of a network, and what reaches it."""

import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from source_notebook import part_of_the_points

from autograder import references
from autograder.errors import UserError
from autograder.hidden import accuracy_noise, reference
from autograder.references import NoReferenceRun, bar, bar_of, loss_limit_of, pooled
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


def run_of(accuracies, untrained=0.1, images=10**6, **more):
    return {
        "accuracies": accuracies,
        "untrained": untrained,
        "run_on": {"test_images": images, "data": "digits"},
    } | more


# Mean 0.9 and standard deviation 0.01; t(0.99, 2) = 6.965 from a printed table.
ALONE = run_of([0.89, 0.90, 0.91])


def test_the_bar_is_the_lower_end_of_a_prediction_interval():
    expected = 0.9 - 6.965 * 0.01 * (1 + 1 / 3) ** 0.5
    assert bar_of(ALONE, [ALONE]) == pytest.approx(expected, abs=1e-5)


def test_the_spread_is_known_from_all_experiments_together():
    # Five groups of three with the deviation 0.01 have ten degrees of freedom: t(0.99, 10) = 2.764.
    expected = 0.9 - 2.764 * 0.01 * (1 + 1 / 3) ** 0.5
    assert bar_of(ALONE, [ALONE] * 5) == pytest.approx(expected, abs=1e-5)


def test_seeds_that_agree_by_chance_have_the_usual_spread():
    agreeing = run_of([0.9, 0.9, 0.9])
    # Variances 0 and 0.01**2 with two degrees of freedom each: t(0.99, 4) = 3.747.
    expected = 0.9 - 3.747 * (0.01**2 / 2) ** 0.5 * (1 + 1 / 3) ** 0.5
    assert bar_of(agreeing, [agreeing, ALONE]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "other",
    [
        run_of([0.5, 0.6, 0.7], is_steady=False),
        run_of([0.5, 0.6, 0.7]) | {"run_on": {"test_images": 10**6, "data": "cifar10"}},
    ],
    ids=["meant to fail", "on other data"],
)
def test_some_experiments_do_not_count_for_the_spread(other):
    assert bar_of(ALONE, [ALONE, other]) == bar_of(ALONE, [ALONE])


def test_an_experiment_that_is_not_steady_has_the_spread_of_its_own_seeds_alone():
    unsteady = run_of([0.89, 0.90, 0.91], is_steady=False)
    agreeing = run_of([0.9, 0.9, 0.9, 0.9])
    assert bar_of(unsteady, [unsteady, agreeing]) == bar_of(ALONE, [ALONE])


def test_a_bar_is_not_negative():
    run = run_of([0.1, 0.5], untrained=0.4)
    assert bar_of(run, [run]) == 0


def test_an_experiment_with_a_larger_spread_than_usual_keeps_it():
    agreeing = run_of([0.9, 0.9, 0.9])
    expected = 0.9 - 3.747 * 0.01 * (1 + 1 / 3) ** 0.5
    assert bar_of(ALONE, [agreeing, ALONE]) == pytest.approx(expected, abs=1e-5)


def test_the_spread_is_at_least_one_standard_error_of_the_test_images():
    agreeing = run_of([0.9, 0.9, 0.9], images=100)
    # One standard error of 0.9 on 100 images is 0.03.
    expected = 0.9 - 6.965 * 0.03 * (1 + 1 / 3) ** 0.5
    assert bar_of(agreeing, [agreeing]) == pytest.approx(expected, abs=1e-4)


def test_the_bar_requires_at_least_half_of_what_training_gained():
    assert bar_of(run_of([0.89, 0.90, 0.91], untrained=0.88), [ALONE]) == pytest.approx(0.89)


def test_half_of_the_gain_is_not_asked_for_where_our_own_runs_do_not_get_that_far():
    run = run_of([0.89, 0.90, 0.91], untrained=0.899)
    assert bar_of(run, [ALONE]) == bar_of(run_of([0.89, 0.90, 0.91], untrained=0.1), [ALONE])


def test_one_run_gives_no_bar():
    assert bar_of(run_of([0.9]), [ALONE]) is None


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=5), min_size=1, max_size=6))
def test_the_pooled_spread_is_that_of_an_analysis_of_variance(groups):
    found = pooled(groups)
    several = [group for group in groups if len(group) > 1]
    if not several:
        assert found is None
        return
    residuals = np.concatenate([np.array(group) - np.mean(group) for group in several])
    freedom = len(residuals) - len(several)
    assert found.freedom == freedom
    assert found.deviation == pytest.approx((residuals @ residuals / freedom) ** 0.5, abs=1e-9)


# ------------------------------------------------------------------------------------------------
# The loss on training images


def with_losses(losses, recalibrated, frozen):
    controls = {"recalibrated": {"loss": recalibrated}, "frozen": {"loss": frozen}}
    return {"losses": losses, "controls": controls, "run_on": {"data": "digits"}}


def test_the_limit_lies_between_trained_networks_and_the_best_control():
    run = with_losses([0.01], 0.16, 0.4)
    assert loss_limit_of(run, [run]) == pytest.approx(0.04)  # sqrt(0.01 * 0.16)


def test_trained_networks_stay_below_the_limit_in_spite_of_their_spread():
    run = with_losses([0.01, 0.02, 0.04], 10.0, 10.0)
    # The logarithms have the deviation log 2: t(0.99, 2) = 6.965.
    largest = 0.02 * 2 ** (6.965 * (1 + 1 / 3) ** 0.5)
    assert loss_limit_of(run, [run]) == pytest.approx((largest * 10) ** 0.5, rel=1e-3)


@pytest.mark.parametrize("control", [0.005, 0.01])
def test_controls_with_as_small_a_loss_give_no_limit(control):
    run = with_losses([0.01], control, 0.5)
    assert loss_limit_of(run, [run]) is None


def test_without_controls_there_is_no_limit():
    assert loss_limit_of({"losses": [0.01]}, []) is None
    assert loss_limit_of({"controls": {}}, []) is None


def test_an_unknown_network_says_how_to_run_it():
    with pytest.raises(NoReferenceRun, match="autograder reference"):
        bar("quick", "nothing_like_it")


def test_one_run_gives_no_bar_in_a_profile(monkeypatch):
    monkeypatch.setattr(references, "runs", lambda profile: {"alone": run_of([0.9])})
    with pytest.raises(NoReferenceRun, match="two seeds"):
        bar("quick", "alone")


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_names_are_unique_in_the_course(profile, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    names = [row.name for row in [*experiments(), *sweeps()]]
    assert len(set(names)) == len(names)


def test_every_experiment_of_quick_has_a_frozen_run_on_its_data():
    trained, measured = references.runs("quick"), references.sweeps("quick")
    assert set(trained) == {experiment.name for experiment in experiments()}
    assert set(measured) == {sweep.name for sweep in sweeps()}
    rows = [*experiments(), *sweeps()]
    digests = {name: digest(data.load(name)) for name in {row.data["quick"] for row in rows}}
    for row in rows:
        run_on = (trained | measured)[row.name]["run_on"]
        assert run_on["data"] == row.data["quick"]
        assert run_on["data_sha256"] == digests[row.data["quick"]]


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
