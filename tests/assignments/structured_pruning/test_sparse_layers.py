"""The layers with masks, against PyTorch's own pruning and by their definition."""

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from helpers.models import convnet
from helpers.reference.structured_pruning.layers import (
    SparseBlock,
    SparseConv2d,
    SparseConvNet,
    SparseWeightConv2d,
    sparse_conv_block,
)

SHAPES = {SparseConv2d: (6, 1, 1, 1), SparseWeightConv2d: (6, 4, 3, 3)}
each_layer = pytest.mark.parametrize("layer_class", SHAPES)


def drawn(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@each_layer
@pytest.mark.parametrize(
    "options", [{}, {"stride": 2, "padding": 1}, {"padding": 2, "dilation": 2}]
)
def test_the_output_and_the_gradient_are_those_of_pytorchs_own_pruning(layer_class, options):
    mask = (drawn(0, *SHAPES[layer_class]) > 0).float()
    layer = layer_class(4, 6, 3, bias=False, **options)
    other = nn.Conv2d(4, 6, 3, bias=False, **options)
    with torch.no_grad():
        layer.mask.copy_(mask)
        other.weight.copy_(layer.weight)
    prune.custom_from_mask(other, "weight", mask.expand(6, 4, 3, 3))
    x = drawn(1, 2, 4, 9, 9)
    found, expected = layer(x), other(x)
    torch.testing.assert_close(found, expected)
    found.pow(2).sum().backward()
    expected.pow(2).sum().backward()
    torch.testing.assert_close(layer.weight.grad, other.weight_orig.grad)


@each_layer
def test_momentum_and_weight_decay_bring_nothing_back(layer_class):
    layer = layer_class(4, 6, 3)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    x = drawn(2, 2, 4, 5, 5)
    for step in range(6):
        if step == 3:
            layer.mask.copy_((drawn(3, *SHAPES[layer_class]) > 0).float())
        optimizer.zero_grad()
        layer(x).pow(2).sum().backward()
        optimizer.step()
    pruned = (layer.mask == 0).expand_as(layer.weight)
    assert layer.weight[pruned].any()  # the stored weights move
    used = layer.weight * layer.mask
    assert not used[pruned].any()


def test_the_bias_is_pruned_with_its_filter_and_not_with_weights():
    x = drawn(4, 1, 4, 3, 3)
    by_filter, by_weight = SparseConv2d(4, 6, 3), SparseWeightConv2d(4, 6, 3)
    for layer in (by_filter, by_weight):
        layer.mask.zero_()
    assert not by_filter(x).any()
    torch.testing.assert_close(by_weight(x).flatten(), by_weight.bias)


@each_layer
def test_the_mask_is_saved_and_not_trained(layer_class):
    layer = layer_class(4, 6, 3, bias=False)
    assert set(layer.state_dict()) == {"weight", "mask"}
    assert set(dict(layer.named_parameters())) == {"weight"}


@pytest.mark.parametrize("conv", SHAPES)
@pytest.mark.parametrize("training", [False, True])
def test_the_channel_of_a_pruned_filter_is_zero_and_the_others_are_as_before(conv, training):
    block = sparse_conv_block(4, 6, 2, conv).train(training)
    with torch.no_grad():
        block[1].bias.add_(1)
        block[1].running_mean.add_(drawn(5, 6))
        block[0].mask[[1, 4]] = 0
    x = drawn(6, 3, 4, 8, 8)
    found, in_a_row = block(x), nn.Sequential(*block)(x)
    assert not found[:, [1, 4]].any()
    assert in_a_row[:, [1, 4]].any()
    torch.testing.assert_close(found[:, [0, 2, 3, 5]], in_a_row[:, [0, 2, 3, 5]], rtol=0, atol=1e-5)


def test_a_filter_with_a_weight_left_keeps_its_channel():
    block = SparseBlock(SparseWeightConv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU()).eval()
    block[0].mask.zero_()
    block[0].mask[1, 0, 1, 1] = 1
    x = drawn(7, 2, 2, 5, 5)
    found = block(x)
    assert not found[:, [0, 2]].any()
    torch.testing.assert_close(found[:, 1], nn.Sequential(*block)(x)[:, 1])


@pytest.mark.parametrize("conv", SHAPES)
def test_the_network_draws_the_weights_of_the_dense_one_and_gives_its_scores(conv):
    torch.manual_seed(0)
    dense = convnet()
    torch.manual_seed(0)
    sparse = SparseConvNet(conv)
    state = sparse.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in dense.state_dict().items())
    masks = {name for name in state if name.endswith("mask")}
    assert set(state) - set(dense.state_dict()) == masks
    x = drawn(8, 2, 3, 16, 16)
    assert torch.equal(sparse(x), dense(x))
