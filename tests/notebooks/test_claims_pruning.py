"""What the notebook on pruning states is so in the reference runs, or computed here.

Claims about `full` that need no figures of `quick` are in `test_quoted_figures`.
"""

import json
from dataclasses import replace
from math import sqrt
from statistics import fmean
from time import perf_counter

import pytest
import torch
from torch import nn

from autograder import references
from helpers.artifacts import load_artifact
from helpers.batch_norm import reestimate_batch_norm
from helpers.data import Split, load
from helpers.models import layer_sizes, resnet20
from helpers.pretrained import starting_weights
from helpers.reference import masks
from helpers.reference.pruning import magnitude
from helpers.training import evaluate

PROFILES = ("quick", "full")
IMAGES = 2000
STANDARD_ERROR = sqrt(0.9 * 0.1 / IMAGES)
METHODS = ("one_shot", "iterative", "global_iterative")
MILDER = ("std_025", "std_050", "percentage_25", "percentage_50")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


def run(name, profile="quick"):
    return references.runs(profile)[name]


def mean(name):
    return run(name)["mean"]


def control(name, kind="recalibrated"):
    return run(name)["controls"][kind]["accuracy"]


def swept(sweep, label, profile="quick"):
    return references.sweeps(profile)[sweep]["figures"][label]


def anew(label, profile="quick"):
    return swept("pruned_measured_anew", label, profile)


def start(profile):
    model = resnet20()
    model.load_state_dict(starting_weights(profile))
    return model


def weights(profile):
    return masks.layer_weights(start(profile))


def history(name):
    """Return the history of the first seed."""
    return json.loads((references.artifacts("quick", "pruning") / f"{name}.json").read_text())


def zeros(found):
    return {layer: float(1 - mask.float().mean()) for layer, mask in found.items()}


# ------------------------------------------------------------------------------------------------
# Before training


@pytest.mark.parametrize("sweep", ["pruned_per_layer", "pruned_globally"])
def test_up_to_two_fifths_little_is_lost_and_at_four_fifths_much(sweep):
    assert anew("nothing pruned") - swept(sweep, "40 %") < 0.02
    assert swept(sweep, "80 %") < 0.6


def test_the_controls_fall_far_less_than_the_accuracies_as_pruned():
    for sweep, label in (("pruned_per_layer", "80 %"), ("pruned_globally", "80 % globally")):
        lost = anew("nothing pruned") - swept(sweep, "80 %")
        assert anew("nothing pruned") - anew(label) < lost / 2


def test_new_statistics_are_no_gain_for_the_network_that_is_not_pruned():
    assert anew("nothing pruned") <= evaluate(start("quick"), load())


@pytest.mark.parametrize("profile", PROFILES)
def test_the_stem_is_sparser_than_a_normal_distribution_and_the_classifier_denser(profile):
    found = zeros(magnitude.std_masks(weights(profile), 0.5))
    normal = torch.erf(torch.tensor(0.5 / sqrt(2))).item()
    assert found["stem"] > 0.5 > normal > found["classifier"]


def test_most_convolutions_of_quick_have_39_to_42_per_cent_zeros():
    found = zeros(magnitude.std_masks(weights("quick"), 0.5))
    stages = [share for layer, share in found.items() if layer.startswith("stage")]
    within = [share for share in stages if 0.385 < share < 0.425]
    assert len(within) > 0.85 * len(stages)
    overall = masks.sparsity(
        {k: w * magnitude.prune_by_std(w, 0.5)[1] for k, w in weights("quick").items()}
    )
    assert f"{overall:.3f}" == "0.396"


@pytest.mark.parametrize(("profile", "empty"), [("quick", 0), ("full", 1)])
def test_hardly_any_filter_is_empty(profile, empty):
    for found in (
        magnitude.std_masks(weights(profile), 0.5),
        magnitude.percentage_masks(weights(profile), 40),
    ):
        filters = [mask.flatten(1).any(1) for mask in found.values() if mask.dim() == 4]
        assert sum(map(len, filters)) == 784
        assert sum(int((~kept).sum()) for kept in filters) == empty


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_layers_bear_half_and_four_fifths_and_not_all_bear_more():
    dataset = load()

    def accuracy(sparsities):
        model = start("quick")
        w = masks.layer_weights(model)
        found = {k: magnitude.prune_by_percentage(w[k], 100 * s)[1] for k, s in sparsities.items()}
        masks.apply_masks(model, found)
        reestimate_batch_norm(model, dataset, images=128)
        return evaluate(model, chosen)

    part = Split(dataset.test.images[:1000], dataset.test.labels[:1000])
    chosen = replace(dataset, name="chosen", test=part)
    nothing = accuracy({})
    lost = {
        s: [nothing - accuracy({layer: s}) for layer in layer_sizes(start("quick"))]
        for s in (0.5, 0.8, 0.95)
    }
    assert sorted(lost[0.5])[len(lost[0.5]) // 2] < 0.01
    assert sorted(lost[0.8])[-2] < 0.015
    assert fmean(lost[0.95]) > 2 * fmean(lost[0.8])
    assert max(lost[0.95]) > 5 * max(min(lost[0.95]), 0.001)


# ------------------------------------------------------------------------------------------------
# Training


@pytest.mark.parametrize("name", ["pruned_std", "pruned_percentage"])
def test_new_statistics_bring_back_most_and_training_the_rest(name):
    assert run(name)["untrained"] < control(name) < control(name, "frozen") < mean(name)
    regained = mean(name) - run(name)["untrained"]
    assert control(name) - run(name)["untrained"] > 0.8 * regained
    assert 0.05 < mean(name) - control(name) < 0.08
    assert 0.01 < mean(name) - control(name, "frozen") < 0.02


def test_the_figures_of_the_answer_about_training_are_those_of_the_runs():
    found = {name: run(name) for name in ("pruned_std", "pruned_percentage")}
    assert [round(found[n]["untrained"], 1) for n in found] == [0.6, 0.3]
    assert [round(100 * control(n)) for n in found] == [86, 84]
    assert [round(100 * control(n, "frozen")) for n in found] == [90, 89]


def test_mildly_pruned_networks_cannot_be_told_from_the_one_that_is_not_pruned():
    for name in MILDER:
        assert abs(mean(name) - mean("not_pruned")) < 2 * STANDARD_ERROR


def test_the_strongest_pruning_costs_most():
    assert mean("pruned_percentage") < min(mean("percentage_25"), mean("percentage_50"))


def test_layer_wise_iterative_pruning_is_behind_the_other_two_with_every_seed():
    found = {name: run(name)["accuracies"] for name in METHODS}
    assert {len(accuracies) for accuracies in found.values()} == {3}
    assert max(found["iterative"]) < min(found["one_shot"] + found["global_iterative"])
    assert mean("one_shot") - mean("iterative") < 2 * STANDARD_ERROR


def test_one_shot_and_global_pruning_cannot_be_told_apart():
    one, other = run("one_shot"), run("global_iterative")
    assert abs(one["mean"] - other["mean"]) < max(one["spread"], other["spread"])


def test_the_means_and_spreads_of_the_three_ways_are_those_in_the_text():
    assert [f"{mean(name):.3f}" for name in METHODS] == ["0.912", "0.904", "0.915"]
    assert f"{max(run(name)['spread'] for name in METHODS):.3f}" == "0.004"
    assert f"{100 * (mean('global_iterative') - mean('iterative')):.1f}" == "1.1"


def test_training_adds_more_to_the_control_of_equal_percentages():
    assert round(100 * (mean("one_shot") - control("one_shot"))) == 13
    assert round(100 * (mean("iterative") - control("iterative"))) == 13
    assert round(100 * (mean("global_iterative") - control("global_iterative"))) == 3


def test_the_layer_wise_curve_falls_at_the_last_pruning_step_and_rises_again():
    curve = history("iterative")["test_accuracy"]
    assert min(curve) == curve[2] < curve[1] < curve[0]
    assert curve[-1] > curve[2]


def test_the_global_ranking_spares_classifier_and_stem_and_empties_the_end():
    model = start("quick")
    load_artifact(references.artifacts("quick", "pruning"), "global_iterative").load_into(model)
    found = {k: masks.sparsity({k: w}) for k, w in masks.layer_weights(model).items()}
    ordered = sorted(found, key=found.__getitem__)
    assert {"classifier", "stem"} <= set(ordered[:3])
    assert all(layer.startswith("stage3") for layer in ordered[-3:])


# ------------------------------------------------------------------------------------------------
# Work and time


@pytest.mark.parametrize(("profile", "share"), [("quick", "36 %"), ("full", "26 %")])
def test_global_pruning_leaves_more_multiplications(profile, share):
    pixels = {"stem": 16, "stage1": 16, "stage2": 4, "stage3": 1}  # relative to stage 3
    w = weights(profile)
    kept = magnitude.global_percentage_masks(w, 80)
    work = {layer: pixels[layer.split(".")[0]] for layer in w if layer != "classifier"}
    left = sum(int(kept[layer].sum()) * each for layer, each in work.items())
    assert f"{100 * left / sum(w[layer].numel() * each for layer, each in work.items()):.0f} %" == (
        share
    )


@pytest.mark.slow
def test_zeros_in_a_dense_convolution_save_no_time_and_fewer_filters_do():
    inputs = torch.randn(128, 64, 8, 8)
    whole, sparse, fewer = (nn.Conv2d(64, n, 3, padding=1, bias=False) for n in (64, 64, 13))
    with torch.no_grad():
        sparse.weight.copy_(magnitude.prune_by_percentage(whole.weight.detach(), 80)[0])
    times = {"whole": [], "sparse": [], "fewer": []}
    with torch.inference_mode():
        for _ in range(60):
            for label, layer in (("whole", whole), ("sparse", sparse), ("fewer", fewer)):
                began = perf_counter()
                layer(inputs)
                times[label].append(perf_counter() - began)
    median = {label: sorted(values)[30] for label, values in times.items()}
    assert 0.6 < median["sparse"] / median["whole"] < 1.6
    assert median["fewer"] < 0.8 * median["sparse"]
