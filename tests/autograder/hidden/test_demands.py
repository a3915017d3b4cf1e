"""Demands on a trained network: it has the required zeros, and its weights have moved."""

from functools import partial

import pytest
import torch
from torch import nn

from autograder.hidden import levels_changed, pruned_as, reference, scheduled, sparse
from autograder.hidden.student import Submission, asking
from autograder.references import artifacts
from helpers.artifacts import artifact_folder, load_artifact, save_artifact
from helpers.history import History
from helpers.reference import masks
from helpers.reference.quantization import ste

LAYER = "stage2.1.conv1"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


def half(weights):
    return {layer: masks.magnitude_mask(w, 0.5) for layer, w in weights.items()}


def with_zeros(count):
    """Return a network with this many zeros in one layer, and no others."""
    model = reference.starting_model()
    for w in masks.layer_weights(model).values():
        w.fill_(1)
    masks.layer_weights(model)[LAYER].flatten()[:count] = 0
    return model


def test_the_zeros_of_the_reference_masks_are_accepted():
    assert pruned_as(half, "q = 50")(reference.pruned_model(half)) is None


@pytest.mark.parametrize(("changed", "accepted"), [(2, True), (3, False)])
def test_two_weights_of_a_layer_may_differ_and_three_may_not(changed, accepted):
    model = reference.pruned_model(half)
    w = masks.layer_weights(model)[LAYER].view(-1)
    w[torch.where(w == 0)[0][:changed]] = 1
    assert (pruned_as(half, "q = 50")(model) is None) == accepted


def test_the_message_names_the_layer_the_setting_and_both_counts():
    model = reference.pruned_model(half)
    w = masks.layer_weights(model)[LAYER].view(-1)
    pruned, kept = torch.where(w == 0)[0], torch.where(w != 0)[0]
    w[pruned[:3]] = 1
    w[kept[:2]] = 0
    assert pruned_as(half, "q = 50")(model) == (
        f"in {LAYER}, 3 of the weights that q = 50 prunes are not zero, "
        "and 2 of those that it keeps are zero."
    )


@pytest.mark.parametrize(("missing", "accepted"), [(0, True), (11, True), (12, False)])
def test_half_a_weight_of_each_layer_may_be_missing(missing, accepted):
    layers = masks.layer_weights(reference.starting_model())
    assert len(layers) == 22  # half a weight of each layer: 11 weights
    count = sum(w.numel() for w in layers.values())
    asked = (100 + missing) / count
    assert (sparse(asked, spare=0.5)(with_zeros(100)) is None) == accepted


def test_the_message_says_how_many_are_zero_and_how_many_were_asked_for():
    problem = sparse(0.8, spare=1)(reference.pruned_model(half))
    assert problem == "Only 50.0% of the weights are zero instead of the 80 % asked for."


# ------------------------------------------------------------------------------------------------
# Levels


def quantized(layer=ste.QuantConv2d):
    return reference.starting_model(conv=partial(layer, bits=2))


@torch.no_grad()
def test_weights_that_only_shrink_stay_on_their_levels():
    model = quantized()
    for w in model.parameters():
        w *= 0.9
    problem = levels_changed()(model)
    assert "only 0.00% of its quantized weights" in problem
    assert "estimator" in problem


@torch.no_grad()
@pytest.mark.parametrize(("share", "accepted"), [(0.03, True), (0.004, False)])
def test_a_per_cent_of_the_weights_has_to_be_on_another_level(share, accepted):
    model = quantized()
    for layer in model.modules():
        if isinstance(layer, ste.QuantConv2d):
            w, other = layer.weight.flatten(), layer.weight.flatten().clone()
            # The first weights get the value of the smallest or of the largest one.
            middle = (w.max() + w.min()) / 2
            count = round(share * w.numel())
            other[:count] = torch.where(w[:count] < middle, w.max(), w.min())
            layer.weight.copy_(other.view_as(layer.weight))
    assert (levels_changed()(model) is None) == accepted


@torch.no_grad()
def test_weights_that_were_pruned_do_not_count():
    model = quantized(ste.SparseQuantConv2d)
    weights = masks.layer_weights(model)
    masks.apply_masks(model, masks.global_masks(weights, 0.8))
    assert levels_changed()(model) is not None


def test_a_network_without_quantized_layers_has_no_levels():
    assert levels_changed()(reference.starting_model()) is not None


# ------------------------------------------------------------------------------------------------
# Learning rates


def rates_demanded(rates, files):
    """Hand in a history of three epochs, and demand these learning rates of it."""
    history = History(*[[0.5] * 3] * 3, [0.1, 0.05, 0.001], [1.0] * 3)
    save_artifact(artifact_folder(files), "line", nn.Linear(1, 1), history)
    with asking(Submission(None, files)):
        return scheduled("line", rates)(nn.Linear(1, 1))


def test_the_learning_rates_of_the_history_are_accepted_up_to_rounding(tmp_path):
    assert rates_demanded([0.1, 0.05 + 1e-6, 0.001], tmp_path) is None


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ([0.1, 0.1, 0.001], "epoch 2 began with the learning rate 0.05, not 0.1"),
        ([0.1, 0.05, 0.01], "epoch 3"),
        ([0.1, 0.05], "3 epochs, not 2"),
    ],
)
def test_other_learning_rates_are_named(rates, words, tmp_path):
    assert words in rates_demanded(rates, tmp_path)


def test_the_weights_of_a_reference_run_are_those_that_it_kept(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    kept = load_artifact(artifacts("quick", "lr_schedules"), "rate_small").weights
    found = reference.trained_weights("lr_schedules", "rate_small")
    assert all(torch.equal(found[name], weights) for name, weights in kept.items())
