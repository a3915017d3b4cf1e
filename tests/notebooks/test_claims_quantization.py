"""What the notebook on quantization says is true: computed here, or asserted on the reference runs.

The figures that it quotes from our runs on CIFAR-10 are tested in `test_quoted_figures`.
"""

import re
from copy import deepcopy
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from source_notebook import cells
from test_quoted_figures import CONTROLS

from autograder import references
from autograder.assignments.quantization.experiments import EXPERIMENTS
from autograder.hidden import levels_changed
from autograder.runs.training import recalibrated
from helpers import cifar10, data
from helpers.artifacts import load_artifact, read_weights
from helpers.batch_norm import reestimate_batch_norm
from helpers.models import layer_sizes, resnet20
from helpers.pretrained import pretrained_resnet20, starting_weights
from helpers.reference import masks
from helpers.reference.quantization import affine, ste
from helpers.training import evaluate, fit
from helpers.training_loss import training_loss

SIZES = layer_sizes(resnet20())
STAGES = [[layer for layer in SIZES if layer.startswith(f"stage{n}.")] for n in (1, 2, 3)]
MIXED = ("qat_442", "qat_424", "qat_244")
each_network = pytest.mark.parametrize("profile", ["quick", "full"])


def text(cell_id):
    (cell,) = [c for c in cells("quantization") if c.id == cell_id]
    return " ".join(cell.source.split())


def weights(profile):
    state = starting_weights(profile)
    return {layer: state[f"{layer}.weight"] for layer in SIZES}


def run(name):
    return references.runs("quick")[name]


def rounded(name):
    return run(name)["untrained"]


def control(name):
    return run(name)["controls"]["recalibrated"]["accuracy"]


def trained(name):
    return run(name)["mean"]


# ------------------------------------------------------------------------------------------------
# 1. Affine quantization


def test_with_each_bit_less_the_step_grows_by_the_factor_in_the_table():
    found = re.findall(r"(\d+)/(\d+) = ([\d.]+)", text("affine"))
    found += [(*pair, "3") for pair in re.findall(r"\b(3)/(1) = 3\b", text("affine"))]
    factors = dict.fromkeys((int(a), int(b), float(ratio)) for a, b, ratio in found)
    steps = [2**bits - 1 for bits in range(8, 0, -1)]
    assert [(a, b) for a, b, _ in factors] == list(pairwise(steps))
    assert all(abs(a / b - ratio) < 5e-4 for a, b, ratio in factors)


def test_a_half_goes_to_the_even_number():
    halves, even = [0.5, 1.5, 2.5], [0, 2, 2]
    assert np.round(halves).tolist() == torch.round(torch.tensor(halves)).tolist() == even
    assert [round(half) for half in halves] == even


@pytest.mark.parametrize(("size", "ratio"), [(36_864, "3.999"), (16, "2.67")])
def test_the_ratios_in_the_key_are_those_of_these_layers(size, ratio):
    assert f"{4 * size / (size + 8):.{len(ratio) - 2}f}" == ratio
    assert ratio in text("affine_memory_words")
    assert affine.memory_ratio(np.ones(2, np.float32)) < 1


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_a_scale_for_each_channel_halves_the_error_at_least(bits):
    def squared_error(w):
        return float((ste.quantize_linear(w, bits) - w).square().sum())

    layers = weights("full").values()
    per_tensor = sum(squared_error(w) for w in layers)
    assert 2 < per_tensor / sum(squared_error(channel) for w in layers for channel in w) < 3


def test_in_most_layers_the_ranges_of_two_channels_differ_by_more_than_a_factor_of_two():
    ranges = [w.flatten(1).amax(1) - w.flatten(1).amin(1) for w in weights("full").values()]
    assert sum(bool(r.max() > 2 * r.min()) for r in ranges) > 0.6 * len(ranges)


@each_network
def test_with_2_bits_half_a_step_is_larger_than_most_weights(profile):
    for w in weights(profile).values():
        assert (w.abs() < (w.max() - w.min()) / 6).float().mean() > 0.5


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", device="cpu")


@pytest.fixture(scope="module")
def accuracy_with(digits):
    """Return a function that measures the network of `quick` with other parameters."""
    network = pretrained_resnet20(digits)

    def measured(change, *settings):
        model = deepcopy(network)
        parameters = dict(network.named_parameters())
        model.load_state_dict(change(parameters, *settings), strict=False)
        return evaluate(model, digits)

    return measured


@pytest.mark.slow
def test_8_bits_change_a_few_images_4_cost_one_to_three_points_and_2_nearly_everything(
    accuracy_with,
):
    exact = accuracy_with(dict)
    eight, four, two = (accuracy_with(affine.quantize_parameters, bits) for bits in (8, 4, 2))
    assert abs(eight - exact) <= 0.005
    assert 0.005 < exact - four < 0.03
    assert two < 0.2


# ------------------------------------------------------------------------------------------------
# 2. Stochastic rounding


def test_random_rounding_has_errors_of_twice_the_mean_square():
    f = (np.arange(100_000) + 0.5) / 100_000
    assert np.mean(f * (1 - f)) == pytest.approx(1 / 6)
    assert np.mean(np.minimum(f, 1 - f) ** 2) == pytest.approx(1 / 12)


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("bits", [4, 3])
def test_nearest_lies_above_the_error_bar_of_ten_random_roundings(accuracy_with, bits):
    nearest = accuracy_with(affine.quantize_parameters, bits)
    drawn = [accuracy_with(affine.stochastic_parameters, bits, repeat) for repeat in range(10)]
    assert np.mean(drawn) + np.std(drawn, ddof=1) < nearest


@pytest.mark.slow
def test_with_2_bits_random_roundings_are_at_chance_as_well(accuracy_with):
    drawn = [accuracy_with(affine.stochastic_parameters, 2, repeat) for repeat in range(3)]
    assert max(drawn) < 0.2


# ------------------------------------------------------------------------------------------------
# 3. The straight-through estimator


def test_stem_and_classifier_have_1072_weights():
    assert SIZES["stem"] + SIZES["classifier"] == 1072
    assert sum(SIZES.values()) == 270_896


@each_network
def test_the_two_outer_levels_of_2_bits_hold_hardly_a_weight(profile):
    w = weights(profile)["stage2.1.conv1"]
    shares = torch.unique(ste.quantize_linear(w, 2), return_counts=True)[1] / w.numel()
    assert float(shares[0] + shares[-1]) < 0.02


# ------------------------------------------------------------------------------------------------
# 4. Quantization-aware fine-tuning


def test_the_fewer_bits_the_lower_the_accuracy_before_training():
    figures = references.sweeps("quick")["rounded"]["figures"]
    at = [figures[f"{bits} bits"] for bits in (4, 3, 2)]
    assert at == sorted(at, reverse=True)


@pytest.mark.parametrize("name", ["qat_3bit", "qat_2bit", *MIXED])
def test_the_control_lies_between_the_rounded_and_the_trained_network(name):
    assert rounded(name) < control(name) < trained(name)


def test_at_4_bits_the_control_is_as_accurate_as_the_trained_network():
    assert abs(control("qat_4bit") - trained("qat_4bit")) < 0.01


def test_training_adds_about_25_percentage_points_at_2_bits_and_little_at_3():
    gained = {b: trained(f"qat_{b}bit") - control(f"qat_{b}bit") for b in (4, 3, 2)}
    assert gained[4] < gained[3] < 0.03
    assert 0.2 < gained[2] < 0.3


def test_new_statistics_regain_most_of_what_2_bits_lose():
    exact = references.sweeps("quick")["rounded"]["figures"]["6 bits"]
    assert control("qat_2bit") - rounded("qat_2bit") > 0.5 * (exact - rounded("qat_2bit"))


def test_frozen_weights_reach_what_the_text_says():
    told = re.search(
        r"an accuracy of (0\.\d\d) when .* and (0\.\d\d) when", text("qat-losses-heading")
    )
    frozen = {b: run(f"qat_{b}bit")["controls"]["frozen"]["accuracy"] for b in (4, 3, 2)}
    assert (f"{frozen[2]:.2f}", f"{trained('qat_2bit'):.2f}") == told.groups()
    assert all(abs(frozen[b] - trained(f"qat_{b}bit")) < 0.01 for b in (4, 3))


@pytest.mark.parametrize("name", ["qat_4bit", "qat_3bit", "qat_2bit", *MIXED])
def test_training_lowers_the_loss_below_the_control(name):
    assert max(run(name)["losses"]) < run(name)["controls"]["recalibrated"]["loss"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qat_4bit", "qat_3bit", "qat_2bit", *MIXED])
def test_training_moves_several_per_cent_of_the_weights_and_new_statistics_none(
    name, monkeypatch, digits
):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    (experiment,) = [e for e in EXPERIMENTS if e.name == name]
    model = recalibrated(experiment, digits)
    assert levels_changed(1e-6)(model) is not None
    load_artifact(references.artifacts("quick", "quantization"), name).load_into(model)
    assert levels_changed(0.03)(model) is None


class DeadSTE(ste.STE):
    @staticmethod
    def backward(ctx, gradient):
        return torch.zeros_like(gradient), None


class DeadConv2d(ste.QuantConv2d):
    def quantized_weight(self):
        return DeadSTE.apply(self.weight, self.bits)


@pytest.mark.slow
@pytest.mark.thorough
def test_with_an_estimator_that_passes_no_gradient_the_loss_falls_but_no_weight_changes_level(
    monkeypatch, digits
):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    model = resnet20(conv=partial(DeadConv2d, bits=3))
    model.load_state_dict(starting_weights("quick"))
    reestimate_batch_norm(model, digits)
    untrained = training_loss(model, digits)
    fit(model, digits, epochs=1, lr=0.01, progress=False)
    assert training_loss(model, digits) < untrained
    assert levels_changed()(model) is not None


@pytest.mark.slow
def test_most_weights_stay_on_their_level_and_the_others_go_between_the_middle_ones():
    folder = references.artifacts("quick", "quantization")
    old, new = (
        torch.round((w - w.min()) / (w.max() - w.min()) * 3).int()
        for w in (
            weights("quick")["stage2.1.conv1"],
            read_weights(folder / "qat_2bit.safetensors")["stage2.1.conv1.weight"],
        )
    )
    moved = old != new
    middle = ((old - 1.5).abs() < 1) & ((new - 1.5).abs() < 1)
    assert 0.01 < moved.float().mean() < 0.5
    assert (moved & middle).sum() > 0.5 * moved.sum()


# ------------------------------------------------------------------------------------------------
# 5. Mixed precision


def test_the_stages_have_the_numbers_of_weights_in_the_key():
    totals = [sum(SIZES[layer] for layer in stage) for stage in STAGES]
    told = re.findall(r"has ([\d,]+)(?: weights)? \((\d+) %\)", text("mixed_stage"))
    assert [(f"{n:,}", f"{100 * n / sum(SIZES.values()):.0f}") for n in totals] == told


def test_after_fine_tuning_the_three_schemes_are_within_a_percentage_point():
    assert max(map(trained, MIXED)) - min(map(trained, MIXED)) < 0.01


def test_2_bits_in_stage_2_hurt_most_before_training_and_in_the_control():
    assert min(MIXED, key=rounded) == min(MIXED, key=control) == "qat_424"


# ------------------------------------------------------------------------------------------------
# 7. Bonus


@each_network
def test_a_quantized_pruned_layer_has_lost_its_zeros(profile):
    w = weights(profile)["stage2.1.conv1"]
    pruned = w * masks.magnitude_mask(w, 0.8)
    assert (ste.quantize_linear(pruned, 4) == 0).float().mean() < 0.001


@pytest.mark.parametrize("bits", [4, 3, 2])
def test_sparse_networks_are_broken_recover_in_part_and_end_near_the_dense_ones(bits):
    sparse, dense = f"sparse_{bits}bit", f"qat_{bits}bit"
    assert rounded(sparse) < 0.15
    assert trained(sparse) - control(sparse) > 0.1
    assert abs(trained(sparse) - trained(dense)) < 0.02
    assert (control(dense) - control(sparse) > 0.1) == (bits > 2)


def test_the_masks_of_iterative_pruning_in_4_bits_are_nested():
    (experiment,) = [e for e in EXPERIMENTS if e.name == "iterative_4bit"]
    model = resnet20(conv=partial(ste.SparseQuantConv2d, bits=4))
    hooks = experiment.hooks(model, experiment.epochs.length("quick", 1.0))
    pruned, generator = None, torch.Generator().manual_seed(0)
    for epoch in range(4):
        hooks.before_epoch(model, epoch)
        for _ in range(3):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
            hooks.after_step(model)
        zeros = {layer: w == 0 for layer, w in masks.layer_weights(model).items()}
        if pruned is not None:
            assert all(bool((zeros[layer] | ~pruned[layer]).all()) for layer in zeros)
        pruned = zeros


@pytest.mark.parametrize(
    ("row", "assignment", "name"),
    [("4 bits", "quantization", "iterative_4bit"), ("float", "pruning", "global_iterative")],
)
def test_the_table_of_zeros_is_that_of_our_runs_on_cifar10(row, assignment, name):
    state = read_weights(references.artifacts("full", assignment) / f"{name}.safetensors")
    zeros = {layer: int((state[f"{layer}.weight"] == 0).sum()) for layer in SIZES}
    groups = [["stem"], *STAGES, ["stage3.2.conv2"], ["classifier"]]
    found = [100 * sum(zeros[i] for i in g) / sum(SIZES[i] for i in g) for g in groups]
    shares = " | ".join(f"{share:.1f}" for share in found)
    assert f"| {row} | {shares} |" in text("bonus-layers-heading")


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.skipif(
    not (cifar10.data_folder() / cifar10.CACHE).exists(), reason="no cifar10.npz in COURSE_DATA"
)
@pytest.mark.parametrize("name", CONTROLS)
def test_a_quoted_control_of_cifar10_is_measured_again(name, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    (experiment,) = [e for e in EXPERIMENTS if e.name == name]
    images = data.load("cifar10", device="cpu")
    found = evaluate(recalibrated(experiment, images), images)
    assert found == pytest.approx(float(CONTROLS[name]), abs=0.002)
