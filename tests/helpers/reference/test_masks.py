from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from torch import nn
from torch.nn.utils import prune

from helpers.models import convnet, layer_sizes, resnet20
from helpers.reference.masks import (
    apply_masks,
    global_masks,
    layer_weights,
    magnitude_mask,
    sparsity,
)

# Few different values: many weights have equal magnitudes.
weights = npst.arrays(
    np.float32, npst.array_shapes(max_dims=4, max_side=6), elements=st.sampled_from([-1, 0, 0.5, 1])
).map(torch.from_numpy)
fractions = st.floats(0, 1)


def random(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


# Compared with torch


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.5, 0.8, 1.0])
def test_a_layer_is_pruned_as_by_torch(amount):
    layer = nn.Conv2d(3, 5, 3)
    mask = magnitude_mask(layer.weight, amount)
    prune.l1_unstructured(layer, "weight", amount)
    assert torch.equal(mask, layer.weight_mask.bool())


@pytest.mark.parametrize("amount", [0.3, 0.8])
def test_a_network_is_pruned_as_by_torch(amount):
    model = convnet()
    masks = global_masks(layer_weights(model), amount)
    layers = {name: model.get_submodule(name) for name in layer_sizes(model)}
    prune.global_unstructured(
        [(layer, "weight") for layer in layers.values()], prune.L1Unstructured, amount=amount
    )
    for name, layer in layers.items():
        assert torch.equal(masks[name], layer.weight_mask.bool()), name


# Masks


@given(weights, fractions)
def test_a_mask_is_exact_to_one_weight_even_with_ties(w, fraction):
    mask = magnitude_mask(w, fraction)
    assert mask.dtype == torch.bool
    assert mask.shape == w.shape
    assert int((~mask).sum()) == round(fraction * w.numel())


@given(weights, fractions)
def test_no_pruned_weight_is_larger_than_a_kept_one(w, fraction):
    mask = magnitude_mask(w, fraction)
    if mask.any() and not mask.all():
        assert w[~mask].abs().max() <= w[mask].abs().min()


@given(weights, fractions)
def test_pruning_again_prunes_the_same(w, fraction):
    mask = magnitude_mask(w, fraction)
    assert torch.equal(magnitude_mask(w * mask, fraction), mask)


def test_global_masks_take_more_from_a_layer_of_small_weights():
    masks = global_masks({"small": 0.1 * random(50), "large": random(2, 25)}, 0.5)
    assert (~masks["small"]).sum() > (~masks["large"]).sum()
    assert masks["large"].shape == (2, 25)
    assert sparsity(masks) == 0.5


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan"), 80])
def test_sparsity_is_a_fraction(fraction):
    with pytest.raises(ValueError, match="from 0 to 1"):
        magnitude_mask(random(5), fraction)


# In a model


def test_the_weights_of_a_model_are_those_of_its_convolutions_and_linear_layers():
    model = resnet20()
    found = layer_weights(model)
    assert {name: w.numel() for name, w in found.items()} == layer_sizes(model)
    assert not any(w.requires_grad for w in found.values())


def test_applying_masks_sets_pruned_weights_to_zero_and_no_others():
    model = convnet()
    before = deepcopy(model)
    masks = global_masks(layer_weights(model), 0.8)

    apply_masks(model, masks)

    for name, w in layer_weights(model).items():
        assert not w[~masks[name]].any()
        assert torch.equal(w[masks[name]], layer_weights(before)[name][masks[name]])
    count = sum(layer_sizes(model).values())
    assert abs(sparsity(layer_weights(model)) - 0.8) <= 0.5 / count  # rounded to a whole weight


def test_layers_without_a_mask_are_not_changed():
    model = convnet()
    before = model.classifier.weight.clone()
    apply_masks(model, {"features.0.0": torch.zeros(32, 3, 3, 3, dtype=torch.bool)})
    assert not model.get_parameter("features.0.0.weight").any()
    assert torch.equal(model.classifier.weight, before)


def test_masks_applied_after_every_step_undo_the_effect_of_momentum():
    model = nn.Sequential(nn.Linear(8, 8))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    x = random(4, 8)
    model(x).pow(2).sum().backward()
    optimizer.step()  # gives the momentum of weights that are pruned next
    masks = global_masks(layer_weights(model), 0.5)
    apply_masks(model, masks)
    assert sparsity(layer_weights(model)) == 0.5

    optimizer.step()
    assert sparsity(layer_weights(model)) < 0.5
    apply_masks(model, masks)
    assert sparsity(layer_weights(model)) == 0.5


def test_a_mask_removes_a_weight_that_is_not_a_number():
    model = nn.Sequential(nn.Linear(2, 1))
    model[0].weight.data = torch.tensor([[float("nan"), 1.0]])
    apply_masks(model, {"0": torch.tensor([[False, True]])})
    assert model[0].weight.tolist() == [[0, 1]]


def test_a_mask_must_belong_to_a_layer():
    with pytest.raises(ValueError, match="no convolution or linear layer 'stem_bn'"):
        apply_masks(resnet20(), {"stem_bn": torch.ones(16, dtype=torch.bool)})


def test_sparsity_counts_the_weights_of_all_layers_together():
    assert (
        sparsity({"a": torch.tensor([0.0, 1]), "b": torch.tensor([[0.0, 0], [0, -0.0]])}) == 5 / 6
    )
