"""What the public checks of `depthwise_conv` say about wrong answers, and which right ones pass."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.assignments.depthwise_conv import misconceptions as wrong
from helpers.assignments.depthwise_conv import checks
from helpers.reference.depthwise_conv import approximation, cost, layer

# Other correct ways to write it


def test_windows_may_be_cut_out_by_unfold():
    def depthwise_conv2d(x, weight, stride=1, padding=0):
        k = weight.shape[-1]
        windows = F.pad(x, [padding] * 4).unfold(2, k, stride).unfold(3, k, stride)
        return torch.einsum("bchwij,cij->bchw", windows, weight[:, 0])

    assert checks.depthwise_conv2d(depthwise_conv2d)


def test_a_block_may_be_a_module_of_its_own():
    class Block(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv = layer.DepthwiseSeparableConvolution(
                in_channels, out_channels, 3, stride, 1, False
            )
            self.norm = nn.BatchNorm2d(out_channels)

        def forward(self, x):
            return self.norm(self.conv(x)).relu()

    assert checks.dw_conv_block(Block)


def test_a_factor_may_be_shared_out_in_any_way():
    def best_separable(kernel):
        depthwise, pointwise = approximation.best_separable(kernel)
        return -7 * depthwise, pointwise / -7

    assert checks.best_separable(best_separable)


@pytest.mark.parametrize("errors", [[0.9, 0.5, 0.0], [1 - 0.1, 1 - 0.5, 0]])
def test_errors_are_shares(errors):
    assert checks.training_error(lambda accuracies: errors)


# Wrong answers, and what the student reads


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (wrong.one_kernel_for_all_channels, "Each channel has its own kernel"),
        (wrong.channels_added_up, "no channel is added to another"),
        (wrong.one_output_channel, "should have the shape (1, 2, 2, 2)"),
        (wrong.kernel_flipped, "picks that pixel, which is 1"),
        (wrong.rows_and_columns_exchanged, "rows and columns are exchanged"),
        (wrong.stride_lost, "should have the shape"),
        (wrong.padding_lost, "should have the shape"),
        (wrong.with_the_librarys_groups, "groups=4"),
    ],
)
def test_the_check_of_the_depthwise_step_says_what_is_wrong(answer, words):
    assert words in " ".join(checks.depthwise_conv2d(answer).problem.split())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (wrong.layer_with_groups, "groups=4"),
        (wrong.bias_in_both_steps, "depthwise_bias"),
        (wrong.depthwise_kernels_in_one_filter, "(4, 1, 3, 3)"),
        (wrong.stride_in_both_steps, "stride=2"),
        (wrong.bias_added_twice, "bias=True"),
    ],
)
def test_the_check_of_the_layer_says_what_is_wrong(answer, words):
    assert words in checks.separable_convolution(answer).problem


def test_weights_that_are_all_zero_are_named():
    class Zeros(layer.DepthwiseSeparableConvolution):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            nn.init.zeros_(self.pointwise)

    assert "`pointwise` are equal" in checks.separable_convolution(Zeros).problem


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (wrong.relu_before_batch_norm, "smallest number"),
        (wrong.no_relu, "smallest number"),
        (wrong.no_batch_norm, "[24, 36]"),
        (wrong.padding_of_zero, "should have the shape (8, 6, 9, 9)"),
        (wrong.stride_of_one, "should have the shape (8, 6, 5, 5)"),
    ],
)
def test_the_check_of_the_block_says_what_is_wrong(answer, words):
    assert words in checks.dw_conv_block(answer).problem


def test_the_number_of_pixels_is_told():
    problem = checks.multiply_adds(wrong.at_the_size_of_the_input).problem
    assert "16 pixels" in problem


def test_a_missing_step_is_named():
    def count_weights(*sizes):
        return {"dense": cost.count_weights(*sizes)["dense"]}

    assert "depthwise" in checks.count_weights(count_weights).problem


def test_accuracies_in_place_of_errors_are_told():
    assert "should be 0.9" in checks.training_error(list).problem
