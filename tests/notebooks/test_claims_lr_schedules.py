"""What the notebook on learning rates states is so in the reference runs, or computed here.

What it says about `full` is in test_quoted_figures.py.
"""

import json
from copy import deepcopy
from dataclasses import replace
from math import log, sqrt
from statistics import fmean

import numpy as np
import pytest
import torch

from autograder import references
from helpers.artifacts import load_artifact, read_weights
from helpers.assignments.lr_schedules.curvature import LossHessian
from helpers.data import Split, load
from helpers.models import convnet, layer_sizes
from helpers.reference.baseline.network import shipped_files
from helpers.reference.lr_schedules.schedules import exponential
from helpers.reference.lr_schedules.sharpness import power_iteration, stability_limit
from helpers.reference.lr_schedules.smoothing import moving_average
from helpers.training import fit, seed_everything

IMAGES = 2000
STEPS = 80  # of an epoch
WINDOW = STEPS // 4


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


def accuracies(name):
    return references.runs("quick")[name]["accuracies"]


def artifact(name):
    return load_artifact(references.artifacts("quick", "lr_schedules"), name)


def history(name):
    return artifact(name).history


def network(name):
    model = convnet()
    artifact(name).load_into(model)
    return model


def start(seed=0):
    seed_everything(seed)
    return convnet()


@pytest.fixture(scope="module")
def digits():
    return load("dark_digits")


# ------------------------------------------------------------------------------------------------
# Three rates


def test_at_a_small_rate_the_loss_creeps_and_the_accuracy_stays_at_chance():
    losses = history("rate_small").step_loss
    assert (round(losses[0], 2), round(moving_average(losses, WINDOW)[-1], 2)) == (2.41, 2.32)
    assert max(accuracies("rate_small")) < 0.12


def test_a_medium_rate_waits_for_more_than_an_epoch_and_then_learns():
    smoothed = moving_average(history("rate_medium").step_loss, WINDOW)
    assert all(abs(loss - log(10)) < 0.12 for loss in smoothed[WINDOW : STEPS + WINDOW])
    assert round(smoothed[-1], 1) == 0.2
    assert round(history("rate_medium").test_accuracy[-1], 2) == 0.88


def test_at_a_large_rate_the_loss_jumps_up_at_once_and_comes_back_to_chance():
    losses = history("rate_large").step_loss
    assert round(losses[0], 2) == 2.41
    assert losses[1] > 4
    assert abs(moving_average(losses, WINDOW)[-1] - log(10)) < 0.02
    assert set(accuracies("rate_large")) == {0.1}


def test_the_weights_move_as_the_hidden_tests_say():
    def convolutions(model):
        layers = [layer for layer in layer_sizes(model) if layer != "classifier"]
        return torch.cat([model.get_parameter(f"{layer}.weight").flatten() for layer in layers])

    begin = convolutions(start()).detach()
    small, medium, large = (
        convolutions(network(f"rate_{size}")).detach() for size in ("small", "medium", "large")
    )
    assert 0.0023 < float((small - begin).norm() / begin.norm()) < 0.0026
    assert 0.25 <= float(large.norm() / begin.norm()) <= 0.37
    assert 1.03 < float(medium.norm() / begin.norm()) < 1.06


# ------------------------------------------------------------------------------------------------
# The same budget, three schedules


def test_multistep_jumps_at_its_first_milestone_and_is_flat_after_the_second():
    found = history("convnet_multistep")
    assert (round(found.train_loss[5], 2), round(found.test_accuracy[5], 2)) == (0.14, 0.94)
    assert found.test_accuracy[5] - found.test_accuracy[4] > 0.05
    assert max(found.test_accuracy[10:]) - min(found.test_accuracy[10:]) < 0.005
    assert max(found.train_loss[10:]) - min(found.train_loss[10:]) < 0.02


def test_cosine_is_behind_in_the_middle_and_ahead_at_the_end():
    multistep, cosine = history("convnet_multistep"), history("convnet_cosine")
    middle = slice(5, 9)
    assert fmean(cosine.test_accuracy[middle]) < fmean(multistep.test_accuracy[middle])
    assert cosine.train_loss[-1] < multistep.train_loss[-1]
    assert cosine.test_accuracy[-1] > multistep.test_accuracy[-1]
    changes = [abs(np.diff(run.test_accuracy[5:])).max() for run in (multistep, cosine)]
    assert changes[0] < changes[1]  # noisier


def test_the_figures_of_the_three_schedules_are_those_of_the_answer():
    names = ("multistep", "cosine", "one_cycle")
    found = {name: history(f"convnet_{name}") for name in names}
    last = {name: f"{run.test_accuracy[-1]:.3f}" for name, run in found.items()}
    assert last == {"multistep": "0.954", "cosine": "0.969", "one_cycle": "0.973"}
    rates = {name: fmean(run.learning_rate) for name, run in found.items()}
    assert f"{rates['multistep']:.3f}" == "0.028"
    assert all(0.049 < rates[name] < 0.055 for name in ("cosine", "one_cycle"))
    errors = {name: sqrt(float(a) * (1 - float(a)) / IMAGES) for name, a in last.items()}
    assert all(0.0035 < error < 0.0055 for error in errors.values())


def test_which_differences_between_schedules_are_beyond_chance():
    means = {
        name: fmean(accuracies(f"convnet_{name}")) for name in ("multistep", "cosine", "one_cycle")
    }

    def errors_apart(one, other):
        both = sum(means[name] * (1 - means[name]) / IMAGES for name in (one, other))
        return abs(means[one] - means[other]) / sqrt(both)

    assert errors_apart("multistep", "cosine") > 2.5
    assert errors_apart("multistep", "one_cycle") > 2.5
    assert errors_apart("cosine", "one_cycle") < 2


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_the_network_that_ships_is_the_one_of_the_reference_run(profile):
    weights, history_file = shipped_files(profile)
    kept = load_artifact(references.artifacts(profile, "lr_schedules"), "convnet_multistep")
    shipped = read_weights(weights)
    assert all(torch.equal(shipped[name], value) for name, value in kept.weights.items())
    assert json.loads(history_file.read_text()) == kept.history.to_dict()


# ------------------------------------------------------------------------------------------------
# Range and curvature


def test_the_range_test_falls_from_a_fifth_on_and_breaks_out_between_two_and_five():
    found = history("range_test")
    steps = 4 * STEPS
    smoothed = moving_average(found.step_loss, steps // 32)
    rates = np.array([exponential(step, steps, 0.001, 10.0) for step in range(steps)])
    assert all(abs(smoothed[(rates > 0.002) & (rates < 0.15)] - log(10)) < 0.1)
    assert smoothed[rates > 0.3][0] < log(10) - 0.1
    assert all(smoothed[(rates > 0.9) & (rates < 1.1)] < found.step_loss[0] - 0.5)
    lost = rates[(rates > 1) & (smoothed > found.step_loss[0])]
    assert 2 <= lost[0] <= 5


@pytest.mark.slow
def test_the_valley_of_the_medium_rate_lies_between_the_limits(digits):
    hessian = LossHessian(network("rate_medium"), digits)
    direction = torch.randn(hessian.size, generator=torch.Generator().manual_seed(0))
    sharpness = power_iteration(hessian, direction, 10)
    assert round(sharpness) == 7
    assert f"{stability_limit(0.1, 0.9):.1f}" == "13.6"
    assert f"{stability_limit(1.0, 0.9):.2f}" == "1.36"


@pytest.mark.slow
def test_a_trained_copy_stays_at_a_tenth_and_is_thrown_out_at_one(digits):
    trained = network("rate_medium")
    batches = Split(digits.train.images[: 20 * 128], digits.train.labels[: 20 * 128])
    losses = {
        rate: fit(
            deepcopy(trained),
            replace(digits, train=batches),
            epochs=1,
            lr=rate,
            schedule="constant",
            step_losses=True,
            progress=False,
        ).step_loss
        for rate in (0.1, 1.0)
    }
    assert max(losses[0.1]) < 0.5
    assert round(losses[1.0][0], 2) == 0.14
    assert max(losses[1.0][:5]) > 6
    assert abs(fmean(losses[1.0][-5:]) - log(10)) < 0.2


def test_with_a_warm_up_the_large_rate_trains():
    assert min(accuracies("rate_large_warm")) > 0.7
    warm = history("rate_large_warm")
    assert moving_average(warm.step_loss, WINDOW)[-1] < 0.25


def test_doubled_weights_before_batch_norm_have_a_quarter_of_the_curvature(digits):
    name = "features.2.0.weight"
    generator = torch.Generator().manual_seed(0)

    def curvature(model):
        hessian = LossHessian(model, digits, examples=32)
        parts = [
            torch.randn(p.shape, generator=generator.manual_seed(1)).flatten() * (n == name)
            for n, p in model.named_parameters()
        ]
        v = torch.cat(parts)
        return float(v @ (hessian @ v))

    model, doubled = start(), start()
    with torch.no_grad():
        doubled.get_parameter(name).mul_(2)
    # Not exactly, because batch norm adds 1e-5 to the variance.
    assert curvature(doubled) == pytest.approx(curvature(model) / 4, rel=0.01)
