"""The nearest separable convolution is nearer than any other that is tried."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.reference.depthwise_conv.approximation import best_separable
from helpers.reference.depthwise_conv.layer import dense_kernel

sizes = st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))


def drawn(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def error(kernel, depthwise, pointwise):
    return (dense_kernel(depthwise, pointwise) - kernel).square().sum().item()


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_a_separable_kernel_is_found_again(size):
    out, channels, k, seed = size
    kernel = dense_kernel(drawn(seed, channels, 1, k, k), drawn(seed + 1, out, channels, 1, 1))
    depthwise, pointwise = best_separable(kernel)
    assert depthwise.shape == (channels, 1, k, k)
    assert pointwise.shape == (out, channels, 1, 1)
    torch.testing.assert_close(dense_kernel(depthwise, pointwise), kernel)


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_what_is_left_over_are_the_other_singular_values(size):
    out, channels, k, seed = size
    kernel = drawn(seed, out, channels, k, k)
    matrices = kernel.transpose(0, 1).flatten(2)
    left = sum((torch.linalg.svdvals(m)[1:] ** 2).sum().item() for m in matrices)
    assert error(kernel, *best_separable(kernel)) == pytest.approx(left, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(sizes)
def test_no_small_change_makes_it_nearer(size):
    out, channels, k, seed = size
    kernel = drawn(seed, out, channels, k, k)
    depthwise, pointwise = best_separable(kernel)
    least = error(kernel, depthwise, pointwise)
    for step in (1e-3, 1e-1):
        moved = depthwise + step * drawn(seed + 2, *depthwise.shape)
        also = pointwise + step * drawn(seed + 3, *pointwise.shape)
        assert error(kernel, moved, also) >= least - 1e-9


def test_the_single_precision_of_the_notebook_is_kept():
    depthwise, pointwise = best_separable(drawn(0, 5, 3, 3, 3).float())
    assert depthwise.dtype == pointwise.dtype == torch.float32
