"""Demands on a trained network: it has the required zeros."""

import pytest
import torch

from autograder.hidden import pruned_as, reference, sparse
from helpers.reference import masks

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
