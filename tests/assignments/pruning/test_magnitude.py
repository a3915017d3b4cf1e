"""Compare magnitude pruning with NumPy and torch.nn.utils.prune, and test general properties."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from torch import nn
from torch.nn.utils import prune

from helpers.models import layer_sizes, resnet20
from helpers.reference.masks import apply_masks, layer_weights, magnitude_mask, sparsity
from helpers.reference.pruning.magnitude import (
    IterativePruning,
    global_percentage_masks,
    layer_summary,
    masked_step,
    overall_sparsity,
    percentage_masks,
    prune_by_percentage,
    prune_by_std,
    scheduled_percentage,
    std_masks,
)

SHAPES = npst.array_shapes(min_dims=1, max_dims=4, max_side=6)
# Few different values: many weights have equal magnitudes.
tied = npst.arrays(np.float32, SHAPES, elements=st.sampled_from([-1, -0.5, 0, 0.5, 1]))
tied_weights = tied.map(torch.from_numpy)
# Sizes of layers in which all magnitudes are different (see `distinct`).
sizes = st.integers(1, 200)
factors = st.floats(0, 4)
percentages = st.floats(0, 100)


def distinct(n, seed=0):
    """Return n weights of different magnitudes, of both signs, in random order."""
    generator = torch.Generator().manual_seed(seed)
    signs = torch.randint(0, 2, (n,), generator=generator) * 2 - 1
    return (torch.randperm(n, generator=generator) + 1) * signs / n


# ------------------------------------------------------------------------------------------------
# One layer


@given(tied_weights, factors)
def test_std_pruning_agrees_with_numpy(w, s):
    array = w.numpy().astype(np.float64)
    threshold = s * array.std()
    # Rounding may put a weight at the threshold on either side of it.
    assume(np.all(np.abs(np.abs(array) - threshold) > 1e-5))
    pruned, mask = prune_by_std(w, s)
    assert np.array_equal(mask.numpy(), np.abs(array) > threshold)
    assert np.array_equal(pruned.numpy(), np.where(np.abs(array) > threshold, array, 0))


@given(tied_weights, percentages)
def test_percentage_pruning_agrees_with_numpy(w, q):
    pruned, mask = prune_by_percentage(w, q)
    expected = np.abs(w.numpy()) > np.percentile(np.abs(w.numpy()), q)
    assert np.array_equal(mask.numpy(), expected)
    assert np.array_equal(pruned.numpy(), np.where(expected, w.numpy(), 0))


@given(sizes, percentages)
def test_percentage_pruning_agrees_with_torchs_quantile_away_from_ties(n, q):
    w = distinct(n)
    position = (n - 1) * q / 100
    assume(abs(position - round(position)) > 1e-3)
    assert torch.equal(prune_by_percentage(w, q)[1], w.abs() > torch.quantile(w.abs(), q / 100))


@given(sizes, percentages)
def test_the_number_of_pruned_weights_is_exact(n, q):
    position = (n - 1) * q / 100
    assume(abs(position - round(position)) > 1e-3)
    mask = prune_by_percentage(distinct(n), q)[1]
    assert int((~mask).sum()) == math.floor(position) + 1


@given(sizes, percentages)
def test_the_sparsity_is_q_per_cent_up_to_one_weight(n, q):
    mask = prune_by_percentage(distinct(n), q)[1]
    # The bound also allows for rounding, which may decide about a weight on the threshold.
    assert abs(int((~mask).sum()) - n * q / 100) <= 1 + 1e-9


@pytest.mark.parametrize("n", [10, 100, 432, 2304, 36864])
@pytest.mark.parametrize("q", [25, 50, 75])
def test_percentage_pruning_agrees_with_torchs_pruning(n, q):
    layer = nn.Linear(n, 1, bias=False)
    layer.weight.data = distinct(n).view(1, n)
    mask = prune_by_percentage(layer.weight.detach(), q)[1]
    # torch rounds the number of weights, the percentile interpolates: they differ by at most one.
    prune.l1_unstructured(layer, "weight", q / 100)
    assert int((mask != layer.weight_mask.bool()).sum()) <= 1
    if n * q % 100 == 0:
        assert torch.equal(mask, layer.weight_mask.bool())


@pytest.mark.parametrize("prune_by", [prune_by_std, prune_by_percentage])
@given(w=tied_weights, amount=st.floats(0, 3))
def test_masks_are_idempotent(prune_by, w, amount):
    pruned, mask = prune_by(w, amount)
    assert torch.equal(torch.where(mask, pruned, 0.0), pruned)
    # A pruned weight is pruned again whatever the threshold: no zero is ever kept.
    _, second = prune_by(pruned, amount)
    assert not (second & ~mask).any()
    assert not second[pruned == 0].any()


@given(tied_weights, factors, factors)
def test_a_larger_factor_prunes_more(w, a, b):
    small, large = sorted((a, b))
    assert not (prune_by_std(w, large)[1] & ~prune_by_std(w, small)[1]).any()


@given(tied_weights, percentages, percentages)
def test_a_larger_percentage_prunes_more(w, a, b):
    small, large = sorted((a, b))
    assert not (prune_by_percentage(w, large)[1] & ~prune_by_percentage(w, small)[1]).any()


@given(tied_weights)
def test_100_per_cent_prunes_everything_and_0_per_cent_the_smallest(w):
    assert not prune_by_percentage(w, 100)[1].any()
    assert torch.equal(prune_by_percentage(w, 0)[1], w.abs() > w.abs().min())


def test_pruning_normal_weights_agrees_with_the_error_function():
    w = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    for s in (0.25, 0.5, 1.0):
        found = 1 - prune_by_std(w, s)[1].float().mean().item()
        assert found == pytest.approx(math.erf(s / math.sqrt(2)), abs=0.005)


def test_the_threshold_scales_with_the_spread_of_the_layer():
    w = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(prune_by_std(w, 0.5)[1], prune_by_std(100 * w, 0.5)[1])


# ------------------------------------------------------------------------------------------------
# A network


def network():
    torch.manual_seed(0)
    return resnet20()


def test_each_layer_of_a_network_is_masked_by_its_own_deviation():
    weights = {"small": distinct(50), "large": 100 * distinct(50, seed=1)}
    found = std_masks(weights, 0.5)
    assert list(found) == ["small", "large"]
    assert all(torch.equal(found[layer], prune_by_std(w, 0.5)[1]) for layer, w in weights.items())


def test_the_summary_counts_the_weights_of_each_layer():
    model = network()
    apply_masks(model, percentage_masks(layer_weights(model), 50))
    *rows, total = layer_summary(dict(model.named_parameters()))
    assert {row["layer"]: row["weights"] for row in rows} == layer_sizes(model)
    for row in rows:
        weight = model.get_parameter(f"{row['layer']}.weight").detach().numpy()
        assert row["nonzero"] == np.count_nonzero(weight)
        assert row["type"] == ("linear" if row["layer"] == "classifier" else "convolution")
        assert row["sparsity"] == pytest.approx(np.mean(weight == 0))
    assert total["layer"] == "total"
    assert total["weights"] == 270_896
    assert total["sparsity"] == pytest.approx(sparsity(layer_weights(model)))


@given(st.lists(tied_weights, min_size=1, max_size=4), percentages)
def test_global_masks_are_those_of_the_concatenation(tensors, q):
    weights = {f"layer{i}": w for i, w in enumerate(tensors)}
    masks = global_percentage_masks(weights, q)
    everything = torch.cat([w.flatten() for w in tensors])
    expected = prune_by_percentage(everything, q)[1]
    assert torch.equal(torch.cat([masks[layer].flatten() for layer in weights]), expected)
    assert all(masks[layer].shape == w.shape for layer, w in weights.items())


@pytest.mark.parametrize("q", [25, 50, 75])
def test_global_masks_agree_with_torchs_global_pruning(q):
    model = network()
    masks = global_percentage_masks(layer_weights(model), q)
    modules = [(model.get_submodule(layer), "weight") for layer in layer_sizes(model)]
    prune.global_unstructured(modules, pruning_method=prune.L1Unstructured, amount=q / 100)
    theirs = {layer: model.get_submodule(layer).weight_mask.bool() for layer in layer_sizes(model)}
    assert sum(int((masks[layer] != theirs[layer]).sum()) for layer in masks) <= 1


@pytest.mark.parametrize("q", [0.0, 8, 33, 80, 99])
def test_global_sparsity_is_exact_to_one_weight(q):
    masks = global_percentage_masks(layer_weights(network()), q)
    assert abs(sparsity(masks) * 270_896 - q / 100 * 270_896) <= 1


def test_global_pruning_ranks_layers_against_each_other():
    weights = {"large": 10 * distinct(50), "small": distinct(50)}
    masks = global_percentage_masks(weights, 50)
    assert sparsity({"": masks["small"]}) > 0.9 > 0.1 > sparsity({"": masks["large"]})


def test_overall_sparsity_is_that_of_the_pruned_network():
    weights = layer_weights(network())
    generator = np.random.default_rng(0)
    allocation = {layer: float(generator.random()) for layer in weights}
    masks = {layer: magnitude_mask(w, allocation[layer]) for layer, w in weights.items()}
    counts = {layer: w.numel() for layer, w in weights.items()}
    assert overall_sparsity(allocation, counts) == pytest.approx(sparsity(masks), abs=1e-12)


# ------------------------------------------------------------------------------------------------
# Training with masks


@pytest.mark.parametrize("masked", [False, True])
def test_the_step_agrees_with_torchs_sgd(masked):
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(20, generator=generator)
    mask = torch.rand(20, generator=generator) > 0.5 if masked else torch.ones(20, dtype=torch.bool)
    parameter = nn.Parameter(w * mask)
    optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9, weight_decay=0.05)
    ours, velocity = w * mask, torch.zeros(20)
    for _ in range(6):
        parameter.grad = torch.randn(20, generator=generator)
        ours, velocity = masked_step(ours, velocity, parameter.grad, mask, 0.1, 0.9, 0.05)
        optimizer.step()
        with torch.no_grad():
            parameter *= mask
        assert torch.allclose(ours, parameter.detach(), atol=1e-6)
    assert not ours[~mask].any()


def test_masking_gradients_alone_lets_momentum_revive_a_weight():
    w, velocity, mask = torch.zeros(1), torch.ones(1), torch.tensor([False])
    kept, _ = masked_step(w, velocity, torch.zeros(1), mask, 0.1, 0.9, 5e-4)
    parameter = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9, weight_decay=5e-4)
    parameter.grad = torch.ones(1)
    optimizer.step()
    with torch.no_grad():
        parameter.zero_()
    parameter.grad = torch.zeros(1)
    optimizer.step()
    assert kept == 0
    assert parameter != 0


def test_the_schedule_rises_in_equal_steps_to_80_per_cent():
    percentages = [scheduled_percentage(epoch, 10) for epoch in range(20)]
    assert percentages[:10] == pytest.approx([8 * e for e in range(1, 11)])
    assert percentages[10:] == [80] * 10


@given(st.integers(1, 30), st.floats(1, 100))
def test_the_schedule_never_falls_and_ends_at_the_final_percentage(epochs, final):
    found = [scheduled_percentage(epoch, epochs, final) for epoch in range(epochs + 3)]
    assert found == sorted(found)
    assert found[0] == pytest.approx(final / epochs)
    assert found[epochs - 1 :] == [final] * 4


@pytest.mark.parametrize("find_masks", [percentage_masks, global_percentage_masks])
def test_iterative_pruning_lets_weights_return_until_the_last_step(find_masks):
    model = network()
    hooks = IterativePruning(find_masks, 4)
    returned = 0
    for epoch in range(7):
        hooks.before_epoch(model, epoch)
        due = scheduled_percentage(epoch, 4) / 100
        # In each of the 22 layers, the threshold may prune one weight more or less.
        assert sparsity(layer_weights(model)) == pytest.approx(due, abs=22 / 270_896)
        zeros = {layer: w == 0 for layer, w in layer_weights(model).items()}
        torch.manual_seed(epoch)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        hooks.after_step(model)
        back = sum(int((w[zeros[k]] != 0).sum()) for k, w in layer_weights(model).items())
        assert (back > 0) == (epoch < 3)
        returned += back
    assert returned


@pytest.mark.parametrize("find_masks", [percentage_masks, global_percentage_masks])
def test_iterative_pruning_continues_after_an_interruption(find_masks):
    model = network()
    hooks = IterativePruning(find_masks, 2)
    for epoch in range(3):
        hooks.before_epoch(model, epoch)
    interrupted = deepcopy(model)
    new_hooks = IterativePruning(find_masks, 2)
    for some_hooks, some_model in ((hooks, model), (new_hooks, interrupted)):
        some_hooks.before_epoch(some_model, 3)
    assert hooks.masks.keys() == new_hooks.masks.keys()
    assert all(torch.equal(hooks.masks[k], new_hooks.masks[k]) for k in hooks.masks)
