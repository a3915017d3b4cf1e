from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from torch import nn

from helpers.models import resnet20
from helpers.reference.quantization import affine
from helpers.reference.quantization.ste import (
    STE,
    QuantConv2d,
    SparseQuantConv2d,
    quantize_linear,
    quantize_nonzero,
)

# Large and small, but without overflow or underflow in float32.
weights = npst.arrays(
    np.float32,
    npst.array_shapes(max_dims=4, max_side=6),
    elements=st.floats(2**-20, 2**20, width=32) | st.floats(-(2**20), -(2**-20), width=32),
).map(torch.from_numpy)
bit_counts = st.integers(1, 8)

WEIGHTS = torch.tensor([-1, 0.2, 0.9, 2])
LEVELS = torch.tensor([-1.0, 0, 1, 2])


def rounding(w):
    """Return a bound on the rounding errors of `quantize_linear`.

    Six numbers are rounded to float32, each of them once. Five of them (the range, its multiple,
    the position, the level and its multiple) are at most twice the largest weight, once
    multiplied; the sixth, the sum with the smallest weight, is at most the largest weight.
    """
    return 6 * 2.0**-24 * 2 * float(w.abs().max())


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# quantize_linear


def test_an_example_by_hand():
    assert torch.allclose(quantize_linear(WEIGHTS, 2), LEVELS, rtol=0, atol=rounding(WEIGHTS))


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_it_agrees_with_torchs_fake_quantization(bits):
    # torch's grid always has a level at zero; ours has it if zero is a whole number of steps away.
    top = 2**bits - 1
    zero_point = top // 3
    steps = torch.rand(1000, generator=torch.Generator().manual_seed(0)) * top
    steps = torch.cat([torch.tensor([0.0, top]), steps])
    steps = steps[(steps.frac() - 0.5).abs() > 1e-3]  # next to a tie, either level is right
    w = (steps - zero_point) / 64

    theirs = torch.fake_quantize_per_tensor_affine(w, 1 / 64, zero_point, 0, top)

    assert torch.allclose(quantize_linear(w, bits), theirs, rtol=0, atol=rounding(w))


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
def test_on_the_interval_from_0_to_1_it_agrees_with_the_quantizer_of_dorefa(bits):
    x = torch.linspace(0, 1, 1000)
    n = 2**bits - 1
    x = x[((n * x).frac() - 0.5).abs() > 1e-3]
    assert torch.allclose(quantize_linear(x, bits), (n * x).round() / n, rtol=0, atol=rounding(x))


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_it_agrees_with_affine_quantization(bits):
    w = random(2000) ** 3
    position = (w - w.min()) / (w.max() - w.min()) * (2**bits - 1)
    w = w[((position.frac() - 0.5).abs() > 1e-3) | (w == w.min()) | (w == w.max())]
    theirs = torch.from_numpy(affine.dequantize(*affine.quantize(w.numpy(), bits)))
    assert torch.allclose(quantize_linear(w, bits), theirs, rtol=0, atol=rounding(w))


@given(weights, bit_counts)
def test_it_uses_at_most_two_to_the_bits_levels(w, bits):
    assert quantize_linear(w, bits).unique().numel() <= 2**bits


@given(weights, bit_counts)
def test_the_smallest_and_the_largest_weight_are_levels(w, bits):
    quantized = quantize_linear(w, bits)
    assert quantized.min() == w.min()
    assert abs(float(quantized.max() - w.max())) <= rounding(w)


@given(weights, bit_counts)
def test_no_weight_moves_by_more_than_half_a_step(w, bits):
    step = float(w.max().double() - w.min().double()) / (2**bits - 1)
    error = (quantize_linear(w, bits).double() - w.double()).abs().max()
    assert error <= step / 2 + rounding(w)


def test_none_is_full_precision():
    assert torch.equal(quantize_linear(WEIGHTS, None), WEIGHTS)


def test_zero_bits_give_zeros():
    assert torch.equal(quantize_linear(WEIGHTS, 0), torch.zeros(4))


@pytest.mark.parametrize("bits", [1, 4])
def test_equal_weights_do_not_change(bits):
    assert torch.equal(quantize_linear(torch.full((3,), -2.5), bits), torch.full((3,), -2.5))


def test_an_empty_tensor_stays_empty():
    assert quantize_linear(torch.empty(0, 3), 4).shape == (0, 3)


@pytest.mark.parametrize("bits", [-1, 25, 32])
def test_bits_beyond_float32_are_refused(bits):
    with pytest.raises(ValueError, match="None for full precision"):
        quantize_linear(WEIGHTS, bits)


def test_the_weights_are_not_changed():
    w = WEIGHTS.clone()
    quantize_linear(w, 2)
    assert torch.equal(w, WEIGHTS)


# quantize_nonzero


def test_zeros_stay_zero_where_the_grid_has_no_level_at_zero():
    w = torch.tensor([[0, -1.0], [0.3, 0], [1.1, 2.5]])
    assert (quantize_linear(w, 2)[w == 0] != 0).all()
    assert (quantize_nonzero(w, 2)[w == 0] == 0).all()


def test_zeros_take_no_part_in_the_range():
    w = torch.tensor([0, 1, 2.1, 0, 2.9, 4])
    expected = torch.tensor([0.0, 1, 2, 0, 3, 4])
    assert torch.allclose(quantize_nonzero(w, 2), expected, rtol=0, atol=rounding(w))


@pytest.mark.parametrize("bits", [None, 0, 1, 4])
def test_without_zeros_it_is_the_linear_quantizer(bits):
    w = random(4, 5)
    assert torch.equal(quantize_nonzero(w, bits), quantize_linear(w, bits))


@pytest.mark.parametrize("bits", [None, 0, 4])
def test_a_layer_of_zeros_stays_zero(bits):
    assert torch.equal(quantize_nonzero(torch.zeros(2, 3), bits), torch.zeros(2, 3))


# STE


@pytest.mark.parametrize("bits", [None, 0, 1, 4])
def test_the_forward_pass_quantizes(bits):
    w = random(50)
    assert torch.equal(STE.apply(w, bits), quantize_linear(w, bits))


@pytest.mark.parametrize("bits", [None, 0, 1, 4])
def test_the_backward_pass_is_the_identity(bits):
    w = random(50).requires_grad_()
    arriving = 10 * random(50, seed=1)
    STE.apply(w, bits).backward(arriving)
    assert torch.equal(w.grad, arriving)


def test_the_gradient_is_that_of_adding_a_constant():
    # The other way to write a straight-through estimator.
    w = random(50).requires_grad_()
    (ours,) = torch.autograd.grad(STE.apply(w, 3).pow(2).sum(), w)
    constant = (quantize_linear(w, 3) - w).detach()
    (theirs,) = torch.autograd.grad((w + constant).pow(2).sum(), w)
    # w + (q - w) is q up to two roundings, which the square's derivative doubles.
    assert torch.allclose(ours, theirs, rtol=0, atol=8 * 2.0**-24 * float(w.detach().abs().max()))


# The layers


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2, "padding": 1},
        {"dilation": 2, "bias": False},
        {"groups": 2, "padding": "same"},
        {"padding": 1, "padding_mode": "reflect"},
    ],
    ids=str,
)
def test_a_quantized_convolution_is_a_convolution_with_quantized_weights(options):
    layer = QuantConv2d(4, 6, 3, bits=3, **options)
    usual = nn.Conv2d(4, 6, 3, **options)
    usual.load_state_dict(layer.state_dict())
    usual.weight.data = quantize_linear(layer.weight.data, 3)
    x = random(2, 4, 9, 9)
    assert torch.equal(layer(x), usual(x))


def test_full_precision_is_the_default():
    layer = QuantConv2d(4, 6, 3)
    x = random(2, 4, 9, 9)
    assert torch.equal(layer(x), F.conv2d(x, layer.weight, layer.bias))


def test_a_trained_float_layer_can_be_loaded():
    usual = nn.Conv2d(4, 6, 3)
    layer = QuantConv2d(4, 6, 3, bits=4)
    layer.load_state_dict(usual.state_dict())
    assert torch.equal(layer.weight, usual.weight)


def test_the_float_weights_get_the_gradient_of_the_quantized_ones():
    layer = QuantConv2d(4, 6, 3, bits=2)
    x = random(2, 4, 9, 9)
    before = layer.weight.detach().clone()

    layer(x).pow(2).sum().backward()

    quantized = quantize_linear(before, 2).requires_grad_()
    F.conv2d(x, quantized, layer.bias).pow(2).sum().backward()
    assert torch.equal(layer.weight.grad, quantized.grad)
    assert torch.equal(layer.weight, before)


def test_a_sparse_layer_leaves_zeros_out():
    layer = SparseQuantConv2d(4, 6, 3, bits=2, bias=False)
    layer.weight.data[::2] = 0
    output = layer(random(2, 4, 9, 9))
    assert not output[:, ::2].any()
    assert output[:, 1::2].all()


def test_a_sparse_layer_passes_the_gradient_straight_through():
    layer = SparseQuantConv2d(4, 6, 3, bits=2)
    layer.weight.data[::2] = 0
    x = random(2, 4, 9, 9)

    layer(x).pow(2).sum().backward()

    quantized = quantize_nonzero(layer.weight.detach(), 2).requires_grad_()
    F.conv2d(x, quantized, layer.bias).pow(2).sum().backward()
    assert torch.equal(layer.weight.grad, quantized.grad)


def test_a_resnet_with_quantized_stages_takes_the_weights_of_a_float_one():
    float_model = resnet20().eval()
    model = resnet20(conv=partial(QuantConv2d, bits=4)).eval()
    model.load_state_dict(float_model.state_dict())
    assert type(model.stem) is nn.Conv2d
    assert model.get_submodule("stage2.1.conv1").bits == 4
