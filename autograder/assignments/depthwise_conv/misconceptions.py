"""Wrong solutions of `depthwise_conv`, as students write them.

Each makes one mistake and is otherwise right. Where a wrong solution calls the answer to another
question (`depthwise_conv2d` in `DepthwiseSeparableConvolution`, say), it calls the reference's
function here, and the student's own in a notebook.

If two mistakes give the same answers on some inputs, the one that shows on fewer inputs comes
first: an answer that is wrong on those inputs alone fits both, and the rarer mistake explains it.
"""

# Students write no type hints and no docstrings on methods.
# mypy: allow-untyped-defs
# ruff: noqa: D102

import torch
import torch.nn.functional as F
from torch import nn

from autograder.misconceptions import misconception
from helpers.reference.depthwise_conv import approximation, cost, layer
from helpers.reference.depthwise_conv.cost import count_weights, multiply_adds
from helpers.reference.depthwise_conv.layer import DepthwiseSeparableConvolution, depthwise_conv2d

# ------------------------------------------------------------------------------------------------
# layer.depthwise_conv2d


@misconception(of=layer.depthwise_conv2d)
def padding_of_half_the_kernel(x, weight, stride=1, padding=0):
    """You pad by half the kernel, whatever `padding` says.

    That keeps the size at stride 1, but it is only one choice of several. Add exactly as many zeros
    on each side as the argument says.
    """
    k = weight.shape[-1]
    x = F.pad(x, [k // 2] * 4)
    windows = x.unfold(2, k, stride).unfold(3, k, stride)
    return (windows * weight.view(1, -1, 1, 1, k, k)).sum((-1, -2))


@misconception(of=layer.depthwise_conv2d)
def padding_lost(x, weight, stride=1, padding=0):
    """You ignore the padding.

    The output is then smaller than asked for, and the border of the image counts less than its
    middle. Add zeros on all four sides before the kernel moves.
    """
    k = weight.shape[-1]
    windows = x.unfold(2, k, stride).unfold(3, k, stride)
    return (windows * weight.view(1, -1, 1, 1, k, k)).sum((-1, -2))


@misconception(of=layer.depthwise_conv2d)
def stride_lost(x, weight, stride=1, padding=0):
    """You ignore the stride and move the kernel by one pixel at a time.

    With a stride of 2, only every second position in each direction belongs to the output.
    """
    k = weight.shape[-1]
    x = F.pad(x, [padding] * 4)
    windows = x.unfold(2, k, 1).unfold(3, k, 1)
    return (windows * weight.view(1, -1, 1, 1, k, k)).sum((-1, -2))


@misconception(of=layer.depthwise_conv2d)
def padded_on_two_sides_only(x, weight, stride=1, padding=0):
    """You add all the zeros at the bottom and on the right.

    The size is right, but the image has moved against the kernel. Add as many zeros at the top and
    on the left as at the bottom and on the right.
    """
    k = weight.shape[-1]
    x = F.pad(x, [0, 2 * padding, 0, 2 * padding])
    windows = x.unfold(2, k, stride).unfold(3, k, stride)
    return (windows * weight.view(1, -1, 1, 1, k, k)).sum((-1, -2))


@misconception(of=layer.depthwise_conv2d)
def kernel_flipped(x, weight, stride=1, padding=0):
    """You flip the kernel, as the convolution of mathematics does.

    Convolution layers compute a cross-correlation: the weight at the top left of the kernel meets
    the pixel at the top left of its window.
    """
    k = weight.shape[-1]
    x = F.pad(x, [padding] * 4)
    windows = x.unfold(2, k, stride).unfold(3, k, stride)
    return (windows * weight.flip(2, 3).view(1, -1, 1, 1, k, k)).sum((-1, -2))


@misconception(of=layer.depthwise_conv2d)
def rows_and_columns_exchanged(x, weight, stride=1, padding=0):
    """You exchange the rows and the columns of the kernel.

    The first index of a kernel counts rows, as that of an image does. Transpose neither of them.
    """
    k = weight.shape[-1]
    x = F.pad(x, [padding] * 4)
    windows = x.unfold(2, k, stride).unfold(3, k, stride)
    return (windows * weight.transpose(2, 3).reshape(1, -1, 1, 1, k, k)).sum((-1, -2))


@misconception(of=layer.depthwise_conv2d)
def one_kernel_for_all_channels(x, weight, stride=1, padding=0):
    """You use the first kernel for all channels.

    In a depthwise convolution, channel number c has kernel number c, and only this one.
    """
    k = weight.shape[-1]
    x = F.pad(x, [padding] * 4)
    windows = x.unfold(2, k, stride).unfold(3, k, stride)
    return (windows * weight[0].view(1, 1, 1, 1, k, k)).sum((-1, -2))


@misconception(of=layer.depthwise_conv2d)
def channels_added_up(x, weight, stride=1, padding=0):
    """You add the channels up, so that every output channel is the same sum.

    That is what an ordinary convolution does. In the depthwise step no channel sees another one;
    the pointwise step mixes them.
    """
    return F.conv2d(x, weight.transpose(0, 1), stride=stride, padding=padding).expand(
        -1, x.shape[1], -1, -1
    )


@misconception(of=layer.depthwise_conv2d)
def one_output_channel(x, weight, stride=1, padding=0):
    """You add the channels up into a single one, as an ordinary convolution with one filter does.

    A depthwise convolution has as many output channels as input channels. Keep the results of the
    channels apart.
    """
    return F.conv2d(x, weight.transpose(0, 1), stride=stride, padding=padding)


@misconception(of=layer.depthwise_conv2d)
def with_the_librarys_groups(x, weight, stride=1, padding=0):
    """You let PyTorch compute the grouped convolution.

    Its numbers are right, but this question asks you to write the operation out, with the sum over
    the positions in the kernel.
    """
    return F.conv2d(x, weight, stride=stride, padding=padding, groups=x.shape[1])


# ------------------------------------------------------------------------------------------------
# layer.DepthwiseSeparableConvolution


@misconception(of=layer.DepthwiseSeparableConvolution)
class stride_in_both_steps(nn.Module):
    """You apply the stride in the pointwise step as well.

    The image then shrinks twice. The stride belongs to the depthwise step; the pointwise step works
    on every pixel that is left.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        y = depthwise_conv2d(x, self.depthwise, self.stride, self.padding)
        return F.conv2d(y, self.pointwise, self.bias, stride=self.stride)


@misconception(of=layer.DepthwiseSeparableConvolution)
class padding_in_both_steps(nn.Module):
    """You pad the image in the pointwise step as well.

    A 1x1 kernel needs no padding: the zeros become a border that no image has. The padding belongs
    to the depthwise step.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        y = depthwise_conv2d(x, self.depthwise, self.stride, self.padding)
        return F.conv2d(y, self.pointwise, self.bias, padding=self.padding)


@misconception(of=layer.DepthwiseSeparableConvolution)
class padding_forgotten(nn.Module):
    """You do not hand the padding on to the depthwise step.

    The output is then smaller than asked for: the layer forgets one of its arguments.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride = stride
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        y = depthwise_conv2d(x, self.depthwise, self.stride)
        return F.conv2d(y, self.pointwise, self.bias)


@misconception(of=layer.DepthwiseSeparableConvolution)
class stride_forgotten(nn.Module):
    """You do not hand the stride on to the depthwise step.

    The output keeps the size of the image, although the layer is asked to halve it.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.padding = padding
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        y = depthwise_conv2d(x, self.depthwise, padding=self.padding)
        return F.conv2d(y, self.pointwise, self.bias)


@misconception(of=layer.DepthwiseSeparableConvolution)
class bias_added_twice(nn.Module):
    """You add the bias twice.

    A convolution function that is given the bias has added it already: add it there or afterwards,
    but not in both places.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        y = depthwise_conv2d(x, self.depthwise, self.stride, self.padding)
        y = F.conv2d(y, self.pointwise, self.bias)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1)


@misconception(of=layer.DepthwiseSeparableConvolution)
class bias_forgotten(nn.Module):
    """You do not add the bias to the output.

    If the layer has a bias, each output channel is shifted by its number, after the pointwise step.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        y = depthwise_conv2d(x, self.depthwise, self.stride, self.padding)
        return F.conv2d(y, self.pointwise)


@misconception(of=layer.DepthwiseSeparableConvolution)
class bias_in_both_steps(nn.Module):
    """Your depthwise step has a bias of its own.

    It adds nothing: the pointwise step turns it into one constant for each output channel, which
    the bias of the layer can be as well. Keep the three parameters that the text names.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.depthwise_bias = nn.Parameter(torch.zeros(in_channels)) if bias else None

    def forward(self, x):
        y = depthwise_conv2d(x, self.depthwise, self.stride, self.padding)
        if self.depthwise_bias is not None:
            y = y + self.depthwise_bias.view(-1, 1, 1)
        return F.conv2d(y, self.pointwise, self.bias)


@misconception(of=layer.DepthwiseSeparableConvolution)
class relu_between_the_steps(nn.Module):
    """You apply ReLU between the two steps.

    Networks such as MobileNet do so, but this layer stands for a convolution and is linear: ReLU
    follows in the block, after batch norm.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        y = depthwise_conv2d(x, self.depthwise, self.stride, self.padding)
        return F.conv2d(torch.relu(y), self.pointwise, self.bias)


@misconception(of=layer.DepthwiseSeparableConvolution)
class pointwise_first(nn.Module):
    """You mix the channels first and convolve them afterwards, with one kernel per output channel.

    The order matters: there is one depthwise kernel for each input channel, and it acts before the
    pointwise step.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        y = F.conv2d(x, self.pointwise)
        y = depthwise_conv2d(y, self.depthwise, self.stride, self.padding)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1)


@misconception(of=layer.DepthwiseSeparableConvolution)
class depthwise_kernels_in_one_filter(nn.Module):
    """Your depthwise kernels have the shape (1, C, k, k): one filter, which adds the channels up.

    Each channel needs a result of its own, or else the pointwise step has nothing to mix: the shape
    is (C, 1, k, k).
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.depthwise = nn.Parameter(torch.randn(1, in_channels, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        y = F.conv2d(x, self.depthwise, stride=self.stride, padding=self.padding)
        return F.conv2d(y.expand(-1, x.shape[1], -1, -1), self.pointwise, self.bias)


@misconception(of=layer.DepthwiseSeparableConvolution)
class layer_with_groups(nn.Module):
    """You let PyTorch compute the grouped convolution.

    Its numbers are right, but this question asks you to do without it: use your own depthwise
    convolution in its place.
    """

    def __init__(self, in_channels, out_channels, k, stride=1, padding=0, bias=True):
        super().__init__()
        self.stride, self.padding = stride, padding
        self.depthwise = nn.Parameter(torch.randn(in_channels, 1, k, k) * 2**0.5 / k)
        pointwise = torch.randn(out_channels, in_channels, 1, 1)
        self.pointwise = nn.Parameter(pointwise * (2 / out_channels) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        groups = x.shape[1]
        y = F.conv2d(x, self.depthwise, stride=self.stride, padding=self.padding, groups=groups)
        return F.conv2d(y, self.pointwise, self.bias)


# ------------------------------------------------------------------------------------------------
# layer.dense_kernel


@misconception(of=layer.dense_kernel)
def kernel_of_the_output_channel(depthwise, pointwise):
    """You take the depthwise kernel of the output channel, not that of the input channel.

    The kernel belongs to the channel that it convolves, which is an input channel: c, not n.
    """
    channels = depthwise.shape[0]
    chosen = depthwise[torch.arange(pointwise.shape[0]) % channels]
    return pointwise * chosen


@misconception(of=layer.dense_kernel)
def kernels_averaged(depthwise, pointwise):
    """You use the mean of the depthwise kernels for every input channel.

    Each input channel keeps its own kernel; only its pointwise weight changes from one output
    channel to the next.
    """
    return pointwise * depthwise.mean(dim=0)


@misconception(of=layer.dense_kernel)
def kernels_added_to_weights(depthwise, pointwise):
    """You add the pointwise weights to the depthwise kernels.

    One step follows the other, so a pixel is multiplied by both weights: the dense kernel holds
    their products.
    """
    return pointwise + depthwise.squeeze(1)


# ------------------------------------------------------------------------------------------------
# layer.dw_conv_block


@misconception(of=layer.dw_conv_block)
def relu_before_batch_norm(in_channels, out_channels, stride=1):
    """Your block applies ReLU before batch norm.

    Batch norm then moves zeros to other values, and the output is negative in many places. The
    order is convolution, batch norm, ReLU.
    """
    return nn.Sequential(
        DepthwiseSeparableConvolution(
            in_channels, out_channels, 3, stride=stride, padding=1, bias=False
        ),
        nn.ReLU(),
        nn.BatchNorm2d(out_channels),
    )


@misconception(of=layer.dw_conv_block)
def batch_norm_first(in_channels, out_channels, stride=1):
    """Your block normalizes the input of the convolution.

    Batch norm belongs after the convolution: it gives each channel that ReLU meets a mean and a
    spread of its own.
    """
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        DepthwiseSeparableConvolution(
            in_channels, out_channels, 3, stride=stride, padding=1, bias=False
        ),
        nn.ReLU(),
    )


@misconception(of=layer.dw_conv_block)
def no_batch_norm(in_channels, out_channels, stride=1):
    """Your block has no batch norm.

    The question asks for three layers: convolution, batch norm, ReLU.
    """
    return nn.Sequential(
        DepthwiseSeparableConvolution(
            in_channels, out_channels, 3, stride=stride, padding=1, bias=False
        ),
        nn.ReLU(),
    )


@misconception(of=layer.dw_conv_block)
def no_relu(in_channels, out_channels, stride=1):
    """Your block has no ReLU.

    Without it, several blocks in a row are still one linear function in evaluation, which a single
    layer could compute.
    """
    return nn.Sequential(
        DepthwiseSeparableConvolution(
            in_channels, out_channels, 3, stride=stride, padding=1, bias=False
        ),
        nn.BatchNorm2d(out_channels),
    )


@misconception(of=layer.dw_conv_block)
def stride_of_one(in_channels, out_channels, stride=1):
    """Your block does not hand the stride on to its convolution.

    The images keep their size, and every later block has four times as much to do.
    """
    return nn.Sequential(
        DepthwiseSeparableConvolution(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


@misconception(of=layer.dw_conv_block)
def padding_of_zero(in_channels, out_channels, stride=1):
    """Your block does not pad the image, so each one takes two rows and two columns away.

    A 3x3 kernel needs a padding of 1 to keep the size at stride 1.
    """
    return nn.Sequential(
        DepthwiseSeparableConvolution(in_channels, out_channels, 3, stride=stride, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


# ------------------------------------------------------------------------------------------------
# Counting


@misconception(of=cost.count_weights)
def pointwise_left_out(in_channels, out_channels, k):
    """You leave out the pointwise step.

    Most weights of a separable convolution are there: one for each pair of an input channel and an
    output channel.
    """
    return {
        "dense": out_channels * in_channels * k * k,
        "depthwise": in_channels * k * k,
        "pointwise": 0,
    }


@misconception(of=cost.count_weights)
def depthwise_for_every_output_channel(in_channels, out_channels, k):
    """You count one depthwise kernel for each pair of channels.

    There is one kernel for each input channel, whatever the number of output channels. That is
    where the saving comes from.
    """
    return {
        "dense": out_channels * in_channels * k * k,
        "depthwise": out_channels * in_channels * k * k,
        "pointwise": out_channels * in_channels,
    }


@misconception(of=cost.count_weights)
def kernel_of_k_weights(in_channels, out_channels, k):
    """You count k weights for a kernel.

    A kernel covers k rows and k columns, which makes k times k weights.
    """
    return {
        "dense": out_channels * in_channels * k,
        "depthwise": in_channels * k,
        "pointwise": out_channels * in_channels,
    }


@misconception(of=cost.multiply_adds)
def at_the_size_of_the_input(in_channels, out_channels, k, stride, padding, height, width):
    """You count the pixels of the input.

    The kernel stops once for each pixel of the output. With a stride of 2 there are four times
    fewer, and without padding there are fewer as well.
    """
    counts = count_weights(in_channels, out_channels, k)
    return {step: weights * height * width for step, weights in counts.items()}


@misconception(of=cost.multiply_adds)
def pointwise_before_the_stride(in_channels, out_channels, k, stride, padding, height, width):
    """You count the pointwise step at the size of the input.

    The depthwise step has applied the stride already, so the pointwise step meets only the pixels
    that are left.
    """
    counts = count_weights(in_channels, out_channels, k)
    rows = (height + 2 * padding - k) // stride + 1
    columns = (width + 2 * padding - k) // stride + 1
    found = {step: weights * rows * columns for step, weights in counts.items()}
    return found | {"pointwise": counts["pointwise"] * height * width}


@misconception(of=cost.multiply_adds)
def padding_on_one_side(in_channels, out_channels, k, stride, padding, height, width):
    """You count the padding on one side only.

    Zeros are added at both ends of each row and each column, so that the size grows by twice the
    padding.
    """
    counts = count_weights(in_channels, out_channels, k)
    rows = (height + padding - k) // stride + 1
    columns = (width + padding - k) // stride + 1
    return {step: weights * rows * columns for step, weights in counts.items()}


@misconception(of=cost.reduction)
def factor_of_the_output_channels(out_channels, k):
    """You say that the factor is the number of output channels.

    That holds for the depthwise part alone. The pointwise weights stay, and with them the factor
    never exceeds k squared.
    """
    return out_channels


@misconception(of=cost.reduction)
def sum_of_the_two_terms(out_channels, k):
    """You return the share of the weights that is left.

    The factor by which they have become fewer is one divided by that share.
    """
    return 1 / out_channels + 1 / k**2


@misconception(of=cost.reduction)
def factor_of_the_kernel(out_channels, k):
    """You say that the factor is the number of pixels under the kernel.

    That is the limit for many output channels. With a finite number of them, the depthwise weights
    count as well.
    """
    return k * k


@misconception(of=cost.network_cost)
def stride_not_handed_on(blocks, in_channels, k, size, classes):
    """You count every block at the size of the images that enter the network.

    After a block with a stride of 2, the images have half as many rows and columns. Hand the new
    size on to the next block.
    """
    total = {kind: {"weights": 0, "multiply_adds": 0} for kind in ("dense", "separable")}
    for out_channels, stride in blocks:
        weights = count_weights(in_channels, out_channels, k)
        used = multiply_adds(in_channels, out_channels, k, stride, k // 2, size, size)
        for name, count in (("weights", weights), ("multiply_adds", used)):
            total["dense"][name] += count["dense"]
            total["separable"][name] += count["depthwise"] + count["pointwise"]
        in_channels = out_channels
    for kind in total.values():
        kind["weights"] += in_channels * classes
        kind["multiply_adds"] += in_channels * classes
    return total


@misconception(of=cost.network_cost)
def classifier_left_out(blocks, in_channels, k, size, classes):
    """You leave out the classifier.

    It is a linear layer with one weight for each channel and class, the same in both networks, and
    each is used once.
    """
    total = {kind: {"weights": 0, "multiply_adds": 0} for kind in ("dense", "separable")}
    for out_channels, stride in blocks:
        weights = count_weights(in_channels, out_channels, k)
        used = multiply_adds(in_channels, out_channels, k, stride, k // 2, size, size)
        for name, count in (("weights", weights), ("multiply_adds", used)):
            total["dense"][name] += count["dense"]
            total["separable"][name] += count["depthwise"] + count["pointwise"]
        in_channels, size = out_channels, (size + 2 * (k // 2) - k) // stride + 1
    return total


@misconception(of=cost.arithmetic_intensity)
def one_operation_for_a_multiply_add(in_channels, out_channels, k, height, width, images):
    """You count a multiply-add as one operation.

    It is a multiplication and an addition, two operations, as the peak of a processor counts them.
    """
    pixels = images * height * width
    moved = {"depthwise": 2 * in_channels}
    return {
        step: count * pixels / (4 * (count + moved.get(step, in_channels + out_channels) * pixels))
        for step, count in count_weights(in_channels, out_channels, k).items()
    }


@misconception(of=cost.arithmetic_intensity)
def numbers_for_bytes(in_channels, out_channels, k, height, width, images):
    """You divide by the number of values that are moved.

    The intensity is per byte, and a value in float32 takes four of them.
    """
    pixels = images * height * width
    moved = {"depthwise": 2 * in_channels}
    return {
        step: 2 * count * pixels / (count + moved.get(step, in_channels + out_channels) * pixels)
        for step, count in count_weights(in_channels, out_channels, k).items()
    }


@misconception(of=cost.arithmetic_intensity)
def weights_moved_for_every_image(in_channels, out_channels, k, height, width, images):
    """You move the weights anew for every image.

    All images of a batch use the same weights. Count them once, and the pixels of all images.
    """
    pixels = height * width
    moved = {"depthwise": 2 * in_channels}
    return {
        step: 2
        * count
        * pixels
        / (4 * (count + moved.get(step, in_channels + out_channels) * pixels))
        for step, count in count_weights(in_channels, out_channels, k).items()
    }


@misconception(of=cost.arithmetic_intensity)
def output_not_moved(in_channels, out_channels, k, height, width, images):
    """You leave out the output.

    It has to be written to memory, as the input has to be read. Count the values of both.
    """
    pixels = images * height * width
    return {
        step: 2 * count * pixels / (4 * (count + in_channels * pixels))
        for step, count in count_weights(in_channels, out_channels, k).items()
    }


# ------------------------------------------------------------------------------------------------
# approximation.best_separable


@misconception(of=approximation.best_separable)
def singular_value_forgotten(kernel):
    """You take the first singular vectors without the singular value.

    Both vectors have length 1, so every channel would have the same weight. Multiply one of them by
    the singular value.
    """
    out_channels, in_channels, k, _ = kernel.shape
    u, _, vh = torch.linalg.svd(kernel.transpose(0, 1).flatten(2), full_matrices=False)
    pointwise = u[:, :, 0].T.reshape(out_channels, in_channels, 1, 1)
    return vh[:, 0].reshape(in_channels, 1, k, k), pointwise


@misconception(of=approximation.best_separable)
def mean_kernel(kernel):
    """You take the mean kernel of each input channel as the depthwise kernel.

    Kernels of opposite sign cancel in a mean. The best direction is the first right singular vector
    of the channel's matrix.
    """
    depthwise = kernel.mean(dim=0).unsqueeze(1)
    along = (kernel * depthwise.squeeze(1)).sum((2, 3), keepdim=True)
    squares = depthwise.square().sum((2, 3)).view(1, -1, 1, 1)
    return depthwise, along / squares.clamp(min=torch.finfo(kernel.dtype).tiny)


@misconception(of=approximation.best_separable)
def one_matrix_for_all_channels(kernel):
    """You decompose one matrix for all input channels, so that they share a depthwise kernel.

    Each input channel may have a kernel of its own: decompose one matrix for each of them.
    """
    out_channels, in_channels, k, _ = kernel.shape
    u, s, vh = torch.linalg.svd(kernel.reshape(out_channels * in_channels, k * k))
    pointwise = (u[:, 0] * s[0]).reshape(out_channels, in_channels, 1, 1)
    return vh[0].reshape(1, 1, k, k).repeat(in_channels, 1, 1, 1), pointwise
