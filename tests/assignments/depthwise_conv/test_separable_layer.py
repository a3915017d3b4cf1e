"""The reference layers agree with PyTorch's own convolutions and do what the text says."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers.assignments.depthwise_conv.checks import groups_used
from helpers.models import convnet
from helpers.reference.depthwise_conv.layer import (
    DepthwiseSeparableConvolution,
    dense_kernel,
    depthwise_conv2d,
    dw_conv_block,
)
from helpers.reference.depthwise_conv.library import LibrarySeparableConvolution

sizes = st.tuples(
    st.integers(1, 5),  # input channels
    st.integers(1, 6),  # output channels
    st.integers(1, 5),  # kernel
    st.integers(1, 3),  # stride
    st.integers(0, 3),  # padding
    st.integers(5, 9),  # rows
    st.integers(5, 9),  # columns
)
dtypes = st.sampled_from([torch.float32, torch.float64])


def drawn(seed, *shape, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def close(found, expected):
    # At most 5*5*5 products of numbers of a few units.
    assert found.dtype == expected.dtype
    atol = 1000 * torch.finfo(found.dtype).eps * float(1 + expected.detach().abs().max())
    torch.testing.assert_close(found, expected, rtol=0, atol=atol)


def torchs_own(channels, out, k, stride, padding, weights):
    """Return a grouped convolution and a 1x1 convolution, as modules of PyTorch."""
    options = {"stride": stride, "padding": padding, "bias": False}
    depthwise = nn.Conv2d(channels, channels, k, groups=channels, **options)
    pointwise = nn.Conv2d(channels, out, 1, bias=True)
    model = nn.Sequential(depthwise, pointwise).to(weights["depthwise"].dtype)
    model.load_state_dict(
        {
            "0.weight": weights["depthwise"],
            "1.weight": weights["pointwise"],
            "1.bias": weights["bias"],
        }
    )
    return model


@settings(deadline=None, max_examples=60)
@given(sizes, dtypes)
def test_both_layers_agree_with_torch_and_with_the_dense_kernel(size, dtype):
    channels, out, k, stride, padding, height, width = size
    weights = {
        "depthwise": drawn(1, channels, 1, k, k, dtype=dtype),
        "pointwise": drawn(2, out, channels, 1, 1, dtype=dtype),
        "bias": drawn(3, out, dtype=dtype),
    }
    x = drawn(4, 2, channels, height, width, dtype=dtype)
    expected = torchs_own(channels, out, k, stride, padding, weights)(x)
    for layer_class in (DepthwiseSeparableConvolution, LibrarySeparableConvolution):
        layer = layer_class(channels, out, k, stride=stride, padding=padding).to(dtype)
        layer.load_state_dict(weights)
        close(layer(x), expected)
    kernel = dense_kernel(weights["depthwise"], weights["pointwise"])
    close(F.conv2d(x, kernel, weights["bias"], stride=stride, padding=padding), expected)


@settings(deadline=None, max_examples=30)
@given(sizes)
def test_the_gradients_of_both_layers_agree(size):
    channels, out, k, stride, padding, height, width = size
    own = DepthwiseSeparableConvolution(channels, out, k, stride, padding).double()
    library = LibrarySeparableConvolution(channels, out, k, stride, padding).double()
    library.load_state_dict(own.state_dict())
    x = drawn(5, 2, channels, height, width, dtype=torch.float64)
    for layer in (own, library):
        layer(x).square().sum().backward()
    for name, parameter in own.named_parameters():
        close(parameter.grad, library.get_parameter(name).grad)


@settings(deadline=None, max_examples=30)
@given(sizes)
def test_no_channel_sees_another_one_in_the_depthwise_step(size):
    channels, _, k, stride, padding, height, width = size
    x, weight = drawn(6, 1, channels, height, width), drawn(7, channels, 1, k, k)
    before = depthwise_conv2d(x, weight, stride, padding)
    x[:, 0] = 0
    after = depthwise_conv2d(x, weight, stride, padding)
    assert torch.equal(after[:, 1:], before[:, 1:])
    assert not after[:, 0].any()


def test_the_kernel_is_not_flipped():
    x = torch.arange(9.0).view(1, 1, 3, 3)
    weight = torch.zeros(1, 1, 2, 2)
    weight[0, 0, 0, 1] = 1
    assert depthwise_conv2d(x, weight)[0, 0].tolist() == [[1, 2], [4, 5]]


def test_for_each_input_channel_the_dense_kernel_has_rank_1():
    kernel = dense_kernel(drawn(8, 5, 1, 3, 3), drawn(9, 7, 5, 1, 1))
    for matrix in kernel.transpose(0, 1).flatten(2):
        assert torch.linalg.matrix_rank(matrix) == 1


def test_the_reference_uses_no_groups_and_the_library_does():
    x = drawn(10, 1, 6, 5, 5)
    assert groups_used(DepthwiseSeparableConvolution(6, 4, 3), x) == 1
    assert groups_used(LibrarySeparableConvolution(6, 4, 3), x) == 6


def test_groups_are_found_however_they_are_asked_for():
    x, weight = drawn(11, 2, 3, 5, 5), drawn(12, 3, 1, 3, 3)
    grouped = nn.Conv2d(3, 3, 3, groups=3)
    assert groups_used(grouped, x) == 3
    assert groups_used(lambda x: F.conv2d(x, weight, groups=3), x) == 3
    by_channel = torch.vmap(
        lambda image, kernel: F.conv2d(image, kernel[None]), in_dims=(1, 0), out_dims=1
    )
    assert groups_used(lambda x: by_channel(x[:, :, None], weight), x) == 3
    with torch.inference_mode():
        assert groups_used(grouped, x) == 3
    assert groups_used(lambda x: grouped(x.requires_grad_()).sum().backward(), x.clone()) == 3
    assert groups_used(lambda x: F.conv_transpose2d(x, weight, groups=3), x) == 3
    assert groups_used(lambda x: F.conv2d(x, weight.transpose(0, 1)), x) == 1


def test_the_weights_are_drawn_with_the_variance_of_the_text():
    torch.manual_seed(0)
    layer = LibrarySeparableConvolution(2000, 100, 3)
    # The standard deviation of n numbers has a standard error of about 1 / sqrt(2 n) of itself.
    assert layer.depthwise.std().item() == pytest.approx((2 / 9) ** 0.5, rel=0.02)
    assert layer.pointwise.std().item() == pytest.approx((2 / 100) ** 0.5, rel=0.01)
    assert not layer.bias.any()


def test_a_layer_shows_its_sizes():
    text = repr(LibrarySeparableConvolution(3, 5, 3, stride=2, padding=1, bias=False))
    assert text == (
        "LibrarySeparableConvolution(3, 5, kernel_size=3, stride=2, padding=1, bias=False)"
    )


def test_the_networks_of_both_layers_have_the_same_parameters():
    own, library = (
        convnet(conv=c) for c in (DepthwiseSeparableConvolution, LibrarySeparableConvolution)
    )
    own.load_state_dict(library.state_dict())
    x = drawn(13, 2, 3, 32, 32)
    close(own.eval()(x), library.eval()(x))
    assert sum(p.numel() for p in own.parameters() if p.dim() > 1) == 18_491


def test_a_block_is_convolution_batch_norm_and_relu():
    block = dw_conv_block(4, 6, stride=2)
    assert [type(module) for module in block] == [
        DepthwiseSeparableConvolution,
        nn.BatchNorm2d,
        nn.ReLU,
    ]
    assert block(drawn(14, 2, 4, 9, 7)).shape == (2, 6, 5, 4)
    assert block[0].bias is None
