"""What the notebook on depthwise separable convolutions states is so, measured or computed here."""

import json

import pytest
import torch

from autograder import references
from helpers import data
from helpers.models import ConvNet
from helpers.reference.baseline.network import shipped_files, trained_convnet
from helpers.reference.depthwise_conv import cost
from helpers.reference.depthwise_conv.approximation import best_separable
from helpers.reference.depthwise_conv.layer import dense_kernel

BLOCKS = (("block 1", 3, 32), ("block 2", 32, 32), ("block 3", 32, 64))
BLOCKS += (("block 4", 64, 64), ("block 5", 64, 128))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


def run():
    return references.runs("quick")["depthwise_convnet"]


def history():
    """Return the history of the first seed."""
    folder = references.artifacts("quick", "depthwise_conv")
    return json.loads((folder / "depthwise_convnet.json").read_text())


def baseline():
    return json.loads(shipped_files("quick")[1].read_text())


# ------------------------------------------------------------------------------------------------
# Counts


def test_the_last_layer_has_8_41_times_fewer_weights():
    assert cost.count_weights(64, 128, 3) == {"dense": 73_728, "depthwise": 576, "pointwise": 8192}
    assert f"{cost.reduction(128, 3):.2f}" == "8.41"
    assert f"{cost.reduction(128, 3):.1f}" == "8.4"


def test_the_network_is_7_6_times_smaller_in_both_respects():
    found = cost.network_cost(ConvNet.BLOCKS, 3, 3, 32, 10)
    for name in ("weights", "multiply_adds"):
        assert f"{found['dense'][name] / found['separable'][name]:.1f}" == "7.6"


def test_every_block_saves_a_factor_of_seven_to_eight_and_a_half():
    factors = [cost.reduction(width, 3) for _, _, width in BLOCKS]
    assert 7 < min(factors) < max(factors) < 8.5


def test_the_pointwise_step_has_3_6_times_the_work_of_the_depthwise_one_at_first_and_14_at_last():
    ratios = []
    for _, channels, width in BLOCKS:
        counts = cost.count_weights(channels, width, 3)
        ratios.append(f"{counts['pointwise'] / counts['depthwise']:.1f}")
    assert (ratios[0], ratios[1], ratios[-1]) == ("3.6", "3.6", "14.2")


def test_the_first_layer_has_864_weights():
    assert cost.count_weights(3, 32, 3)["dense"] == 864


@pytest.mark.parametrize("k", [3, 5, 7])
def test_the_factor_begins_slightly_below_1_and_levels_off_below_its_limit(k):
    assert 0.89 < cost.reduction(1, k) < 1
    assert 0.9 * k * k < cost.reduction(512, k) < k * k


def test_a_larger_kernel_costs_less_than_an_eighth_more():
    small, large = (cost.count_weights(64, 128, k) for k in (3, 5))
    growth = sum(large[s] for s in ("depthwise", "pointwise"))
    growth /= sum(small[s] for s in ("depthwise", "pointwise"))
    assert 1.11 < growth < 1.125
    assert 2.7 < 25 / 9 < 3


# ------------------------------------------------------------------------------------------------
# Time


@pytest.mark.parametrize("channels", [16, 64, 256])
def test_the_depthwise_step_is_farthest_to_the_left_at_2_2_operations_per_byte(channels):
    found = cost.arithmetic_intensity(channels, channels, 3, 32, 32, 64)
    assert f"{found['depthwise']:.1f}" == "2.2"
    assert found["depthwise"] < found["pointwise"] < found["dense"]


def test_the_others_move_to_the_right_with_the_number_of_channels():
    few, many = (cost.arithmetic_intensity(c, c, 3, 32, 32, 64) for c in (16, 64))
    assert few["pointwise"] < many["pointwise"]
    assert few["dense"] < many["dense"]


# ------------------------------------------------------------------------------------------------
# Accuracy


def test_the_separable_network_is_behind_on_test_images_by_more_than_the_seeds_explain():
    assert baseline()["test_accuracy"][-1] - max(run()["accuracies"]) > 2 * run()["spread"]


def test_the_separable_network_is_behind_on_the_training_images_too():
    separable, dense = (1 - found["train_accuracy"][-1] for found in (history(), baseline()))
    assert separable > 2 * dense
    assert (f"{separable:.2f}", f"{dense:.2f}") == ("0.09", "0.03")


def test_the_quoted_accuracies_are_those_of_the_runs():
    ends = [found["test_accuracy"][-1] for found in (baseline(), history())]
    assert [f"{end:.3f}" for end in ends] == ["0.954", "0.883"]
    assert (min(run()["accuracies"]), max(run()["accuracies"])) == (0.883, 0.8995)


def test_the_separable_network_needs_more_epochs_to_begin():
    def begun(found):
        return next(e for e, a in enumerate(found["test_accuracy"], start=1) if a > 0.5)

    assert begun(history()) > begun(baseline())


def test_most_is_learned_in_the_first_quarter_and_at_the_first_step_of_the_rate():
    for found in (history(), baseline()):
        accuracy = found["test_accuracy"]
        assert accuracy[5] - accuracy[0] > 0.9 * (accuracy[-1] - accuracy[0])


# ------------------------------------------------------------------------------------------------
# Bonus


def test_more_than_half_of_every_trained_kernel_is_left_over_but_less_than_of_random_ones():
    model, _ = trained_convnet(data.load("dark_digits", device="cpu"))
    generator = torch.Generator().manual_seed(0)
    for block in model.features:
        kernel = block[0].weight.detach()
        left = []
        for each in (kernel, torch.randn(kernel.shape, generator=generator)):
            lost = (dense_kernel(*best_separable(each)) - each).square().sum()
            left.append((lost / each.square().sum()).item())
        assert 0.5 < left[0] < left[1]
