"""Pruning of filters and weights, against NumPy, PyTorch's own pruning, and by its properties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from helpers.reference.structured_pruning import filters
from helpers.reference.structured_pruning.layers import (
    SparseConv2d,
    SparseConvNet,
    SparseWeightConv2d,
)

PRUNE = {
    SparseConv2d: filters.filter_l1_pruning,
    SparseWeightConv2d: filters.unstructured_pruning,
}
each_way = pytest.mark.parametrize("conv", PRUNE)


def network(conv, seed=0):
    torch.manual_seed(seed)
    return SparseConvNet(conv)


def masks(model):
    return {name: layer.mask.clone() for name, layer in filters.sparse_layers(model).items()}


def test_the_norms_are_those_of_numpy():
    w = torch.randn(7, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    expected = np.linalg.norm(w.numpy().reshape(7, -1), ord=1, axis=1)
    np.testing.assert_allclose(filters.filter_norms(w), expected, rtol=1e-6)


@pytest.mark.parametrize("percentage", [10, 25, 50, 90])
def test_the_filters_are_those_of_pytorchs_own_structured_pruning(percentage):
    model = network(SparseConv2d)
    filters.filter_l1_pruning(model, percentage)
    for layer in filters.sparse_layers(model).values():
        other = nn.Conv2d(layer.in_channels, layer.out_channels, 3)
        other.weight.data = layer.weight.data.clone()
        count = percentage * layer.out_channels // 100
        prune.ln_structured(other, "weight", amount=count, n=1, dim=0)
        assert torch.equal(other.weight_mask.amax(dim=(1, 2, 3)), layer.mask.flatten())


@pytest.mark.parametrize("percentage", [10, 25, 50, 90])
def test_the_weights_are_those_of_pytorchs_own_unstructured_pruning(percentage):
    model = network(SparseWeightConv2d)
    filters.unstructured_pruning(model, percentage)
    for layer in filters.sparse_layers(model).values():
        other = nn.Conv2d(layer.in_channels, layer.out_channels, 3)
        other.weight.data = layer.weight.data.clone()
        prune.l1_unstructured(other, "weight", amount=percentage * layer.weight.numel() // 100)
        assert torch.equal(other.weight_mask, layer.mask)


@each_way
@settings(max_examples=20, deadline=None)
@given(percentages=st.lists(st.integers(0, 100), min_size=1, max_size=4), seed=st.integers(0, 9))
def test_so_much_is_pruned_in_the_end_and_nothing_comes_back(conv, percentages, seed):
    model = network(conv, seed)
    before = masks(model)
    generator = torch.Generator().manual_seed(seed)
    for percentage in percentages:
        PRUNE[conv](model, percentage)
        for name, mask in masks(model).items():
            assert not ((before[name] == 0) & (mask != 0)).any()
        before = masks(model)
        for layer in filters.sparse_layers(model).values():  # as an optimizer may move them
            change = torch.randn(layer.weight.shape, generator=generator)
            layer.weight.data += change * (1 + 9 * (1 - layer.mask))
    for mask in masks(model).values():
        assert int((mask == 0).sum()) == max(percentages) * mask.numel() // 100


@each_way
def test_the_classifier_is_left_alone(conv):
    model = network(conv)
    before = model.classifier.weight.clone()
    PRUNE[conv](model, 50)
    assert torch.equal(model.classifier.weight, before)


@each_way
@pytest.mark.parametrize("resumed_at", [3, 7, 12])
def test_a_training_that_goes_on_has_the_masks_of_one_without_interruption(conv, resumed_at):
    def train(model, begin, end):
        for epoch in range(begin, end):
            PRUNE[conv](model, filters.scheduled_percentage(epoch, 20))
            generator = torch.Generator().manual_seed(epoch)
            for layer in filters.sparse_layers(model).values():
                layer.weight.data += 0.1 * torch.randn(layer.weight.shape, generator=generator)

    whole, interrupted, resumed = network(conv), network(conv), network(conv, 1)
    train(whole, 0, 20)
    train(interrupted, 0, resumed_at)
    resumed.load_state_dict(interrupted.state_dict())
    train(resumed, resumed_at, 20)
    for name, mask in masks(whole).items():
        assert torch.equal(mask, masks(resumed)[name])


def test_the_schedule_is_that_of_the_problem_set():
    percentages = [filters.scheduled_percentage(epoch, 100) for epoch in range(100)]
    jumps = {e: percentages[e] for e in range(1, 100) if percentages[e] > percentages[e - 1]}
    assert jumps == {10: 10, 20: 20, 30: 30, 40: 40, 50: 50}
    assert percentages[0] == 0
    assert percentages[-1] == 50


@given(epochs=st.integers(2, 300))
def test_the_schedule_never_falls_and_ends_at_the_half(epochs):
    percentages = [filters.scheduled_percentage(epoch, epochs) for epoch in range(epochs)]
    assert percentages == sorted(percentages)
    assert (percentages[0], percentages[-1]) == (0, 50)


def test_the_shares_count_filters_and_weights():
    model = network(SparseConv2d)
    filters.filter_l1_pruning(model, 50)
    assert filters.pruned_filters(model) == 0.5
    assert filters.pruned_weights(model) == 0.5
    model = network(SparseWeightConv2d)
    filters.unstructured_pruning(model, 50)
    assert filters.pruned_filters(model) == 0
    assert filters.pruned_weights(model) == 0.5
