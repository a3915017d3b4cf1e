"""The counts agree with those that PyTorch makes, and with published figures."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.models import ConvNet, convnet
from helpers.reference.depthwise_conv import cost
from helpers.reference.depthwise_conv.library import LibrarySeparableConvolution

numbers = st.integers(1, 6)


def counted(module, *shape):
    """Return the multiply-adds that PyTorch counts; it counts two operations for each."""
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(shape))
    return counter.get_total_flops() // 2


@settings(deadline=None, max_examples=50)
@given(numbers, numbers, st.integers(1, 5), st.integers(1, 3), st.integers(0, 3))
def test_multiply_adds_are_those_that_pytorch_counts(channels, out, k, stride, padding):
    found = cost.multiply_adds(channels, out, k, stride, padding, 9, 7)
    options = {"stride": stride, "padding": padding, "bias": False}
    dense = nn.Conv2d(channels, out, k, **options)
    assert found["dense"] == counted(dense, 1, channels, 9, 7)
    separable = LibrarySeparableConvolution(channels, out, k, **options)
    assert found["depthwise"] + found["pointwise"] == counted(separable, 1, channels, 9, 7)


@given(numbers, numbers, st.integers(1, 5))
def test_weights_are_those_that_pytorch_counts(channels, out, k):
    found = cost.count_weights(channels, out, k)
    assert found["dense"] == nn.Conv2d(channels, out, k).weight.numel()
    layer = LibrarySeparableConvolution(channels, out, k)
    assert found["depthwise"] == layer.depthwise.numel()
    assert found["pointwise"] == layer.pointwise.numel()


@given(st.integers(1, 512), st.integers(1, 512), st.integers(1, 9))
def test_the_factor_is_that_of_the_counts_and_stays_below_both_limits(channels, out, k):
    found = cost.count_weights(channels, out, k)
    factor = found["dense"] / (found["depthwise"] + found["pointwise"])
    assert cost.reduction(out, k) == pytest.approx(factor, rel=1e-12)
    assert factor < min(out, k * k)


def test_the_cost_of_both_networks_is_that_which_pytorch_counts():
    found = cost.network_cost(ConvNet.BLOCKS, 3, 3, 32, 10)
    for kind, conv in (("dense", nn.Conv2d), ("separable", LibrarySeparableConvolution)):
        model = convnet(conv=conv).eval()
        weights = sum(p.numel() for p in model.parameters() if p.dim() > 1)
        used = counted(model, 1, 3, 32, 32)
        assert found[kind] == {"weights": weights, "multiply_adds": used}


def test_mobilenet_spends_95_per_cent_of_its_multiply_adds_in_pointwise_convolutions():
    # Howard et al. (2017), table 1 for the layers and table 2 for the shares.
    layers = [(32, 64, 1, 112), (64, 128, 2, 112), (128, 128, 1, 56), (128, 256, 2, 56)]
    layers += [(256, 256, 1, 28), (256, 512, 2, 28)] + [(512, 512, 1, 14)] * 5
    layers += [(512, 1024, 2, 14), (1024, 1024, 1, 7)]
    total = {"depthwise": 0, "pointwise": 0}
    for channels, out, stride, size in layers:
        for step in total:
            total[step] += cost.multiply_adds(channels, out, 3, stride, 1, size, size)[step]
    first = cost.multiply_adds(3, 32, 3, 2, 1, 224, 224)["dense"]
    everything = sum(total.values()) + first + 1024 * 1000
    assert 100 * total["pointwise"] / everything == pytest.approx(94.86, abs=0.1)
    assert 100 * total["depthwise"] / everything == pytest.approx(3.06, abs=0.1)


def test_the_intensity_counts_the_bytes_of_tensors():
    x, y = torch.zeros(10, 6, 8, 9), torch.zeros(10, 4, 8, 9)
    weight = nn.Conv2d(6, 4, 3).weight
    operations = 2 * counted(nn.Conv2d(6, 4, 3, padding=1, bias=False), 10, 6, 8, 9)
    found = cost.arithmetic_intensity(6, 4, 3, 8, 9, 10)["dense"]
    assert found == pytest.approx(operations / (x.nbytes + y.nbytes + weight.nbytes))


@given(numbers, st.integers(1, 5), st.integers(1, 64))
def test_the_intensity_of_the_depthwise_step_is_below_a_quarter_of_the_kernel(channels, k, images):
    found = cost.arithmetic_intensity(channels, channels, k, 8, 8, images)
    assert found["depthwise"] < k * k / 4
