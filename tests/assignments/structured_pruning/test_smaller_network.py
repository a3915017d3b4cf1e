"""The network without its pruned filters gives the same scores; its costs are those measured."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from autograder.references import artifacts
from helpers.artifacts import load_artifact
from helpers.models import convnet, layer_sizes
from helpers.reference.structured_pruning import filters, smaller
from helpers.reference.structured_pruning.layers import SparseConvNet, SparseWeightConv2d

FULL = (32, 32, 64, 64, 128)


def drawn(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def random_network(kept, seed=0):
    """Return a network with so many filters kept, and batch norms that are not the identity."""
    torch.manual_seed(seed)
    model = SparseConvNet()
    for block, count in zip(model.features, kept, strict=True):
        width = block[1].num_features
        block[0].mask.zero_()
        block[0].mask[torch.randperm(width)[:count]] = 1
        block[1].weight.data.uniform_(0.5, 1.5)
        block[1].bias.data.uniform_(-1, 1)
        block[1].running_mean.uniform_(-1, 1)
        block[1].running_var.uniform_(0.5, 1.5)
    return model.eval()


def rounding(model, images):
    """Twenty times what double precision changes; the same sums are only ordered differently."""
    with torch.no_grad():
        single = model(images)
        exact = model.double()(images.double())
        model.float()
    return 20 * float((single - exact).abs().max())


@settings(max_examples=15, deadline=None)
@given(kept=st.tuples(*(st.integers(1, width) for width in FULL)), seed=st.integers(0, 99))
def test_the_smaller_network_gives_the_same_scores(kept, seed):
    model, images = random_network(kept, seed), drawn(seed, 2, 3, 16, 16)
    small = smaller.smaller_network(model)
    with torch.no_grad():
        difference = (small(images) - model(images)).abs().max()
    assert difference <= rounding(model, images)
    assert [block[0].out_channels for block in small.features] == list(kept)


def test_in_double_precision_the_two_agree_to_its_rounding():
    model, images = random_network((16, 16, 32, 32, 64)), drawn(1, 2, 3, 16, 16).double()
    model.double()
    small = smaller.smaller_network(model).double()
    # `narrow_convnet` has float32 weights, and those of the model were drawn in float32.
    torch.testing.assert_close(small(images), model(images), rtol=1e-12, atol=1e-12)


def test_weights_of_a_layer_that_is_not_silenced_would_change_the_scores():
    # What the silent channel is for: without it, the smaller network is another function.
    model, images = random_network((16, 16, 32, 32, 64)), drawn(1, 2, 3, 16, 16)
    speaking = nn.Sequential(*(nn.Sequential(*block) for block in model.features))
    scores = model.classifier(speaking(images).mean(dim=(2, 3)))
    assert (scores - model(images)).abs().max() > 0.01


def test_filters_that_lost_all_their_weights_are_removed_as_well():
    model = SparseConvNet(SparseWeightConv2d).eval()
    for block in model.features:
        block[0].mask[::4] = 0
    small, images = smaller.smaller_network(model), drawn(2, 2, 3, 16, 16)
    assert [block[0].out_channels for block in small.features] == [24, 24, 48, 48, 96]
    torch.testing.assert_close(small(images), model(images), rtol=0, atol=1e-5)


def test_the_reference_network_is_the_same_function_after_removal(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    model = SparseConvNet().eval()
    load_artifact(artifacts("quick", "structured_pruning"), "structured").load_into(model)
    small, images = smaller.smaller_network(model), drawn(3, 8, 3, 16, 16)
    with torch.no_grad():
        assert (small(images) - model(images)).abs().max() <= rounding(model, images)
    assert filters.pruned_filters(model) == 0.5
    assert sum(layer_sizes(small).values()) == smaller.network_costs((16, 16, 32, 32, 64), 16)[0]


@pytest.mark.parametrize("widths", [FULL, (16, 16, 32, 32, 64), (3, 1, 4, 1, 5)])
@pytest.mark.parametrize("size", [16, 32, 9])
def test_the_costs_are_those_of_the_network(widths, size):
    model = smaller.narrow_convnet(widths)
    products = []

    def count(layer, inputs, output):
        of_each = layer.weight[0].numel()
        products.append(output[0].numel() * of_each)

    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    model(torch.zeros(1, 3, size, size))
    assert smaller.network_costs(widths, size) == (sum(layer_sizes(model).values()), sum(products))


def test_the_full_network_has_the_weights_of_the_convnet():
    assert smaller.network_costs(FULL, 32)[0] == sum(layer_sizes(convnet()).values()) == 140_384
