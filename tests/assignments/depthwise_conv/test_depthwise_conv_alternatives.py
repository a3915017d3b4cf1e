"""Correct answers that differ from the reference earn every point of `depthwise_conv`.

Every function here is a correct answer to the question that it is named after; only the number at
the end of the name is added.
"""

import numpy as np
import torch
import torch.nn.functional as F
from alternatives import each_alternative, judged_alternative
from torch import nn

from helpers.assignments.depthwise_conv import checks
from helpers.reference.depthwise_conv import cost, layer
from helpers.reference.depthwise_conv.layer import depthwise_conv2d

# ------------------------------------------------------------------------------------------------
# The layer


def depthwise_conv2d_1(x, weight, stride=1, padding=0):
    """Windows as views, and one einsum."""
    k = weight.shape[-1]
    windows = F.pad(x, [padding] * 4).unfold(2, k, stride).unfold(3, k, stride)
    return torch.einsum("bchwij,cij->bchw", windows, weight[:, 0])


def depthwise_conv2d_2(x, weight, stride=1, padding=0):
    """An ordinary convolution for each channel."""
    found = [
        F.conv2d(x[:, c : c + 1], weight[c : c + 1], stride=stride, padding=padding)
        for c in range(x.shape[1])
    ]
    return torch.cat(found, dim=1)


def depthwise_conv2d_3(x, weight, stride=1, padding=0):
    """`F.unfold`, which copies the windows into columns."""
    b, c, height, _ = x.shape
    k = weight.shape[-1]
    columns = F.unfold(x, k, padding=padding, stride=stride).view(b, c, k * k, -1)
    rows = (height + 2 * padding - k) // stride + 1
    return (weight.view(1, c, k * k, 1) * columns).sum(dim=2).view(b, c, rows, -1)


def depthwise_conv2d_4(x, weight, stride=1, padding=0):
    """The dense kernel with zeros between different channels."""
    c, _, k, _ = weight.shape
    kernel = x.new_zeros(c, c, k, k)
    kernel[range(c), range(c)] = weight[:, 0]
    return F.conv2d(x, kernel, stride=stride, padding=padding)


class DepthwiseSeparableConvolution_1(nn.Module):
    """A 1x1 convolution of the library for the channels."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
        super().__init__()
        self.options = (stride, padding)
        self.depthwise = nn.Parameter(torch.empty(in_channels, 1, kernel_size, kernel_size))
        self.pointwise = nn.Parameter(torch.empty(out_channels, in_channels, 1, 1))
        nn.init.kaiming_normal_(self.depthwise)
        nn.init.kaiming_normal_(self.pointwise, mode="fan_out")
        self.register_parameter("bias", nn.Parameter(torch.zeros(out_channels)) if bias else None)

    def forward(self, x):
        return F.conv2d(
            depthwise_conv2d(x, self.depthwise, *self.options), self.pointwise, self.bias
        )


class DepthwiseSeparableConvolution_2(DepthwiseSeparableConvolution_1):
    """A matrix product over the channels as the last dimension."""

    def forward(self, x):
        z = depthwise_conv2d(x, self.depthwise, *self.options).movedim(1, -1)
        return F.linear(z, self.pointwise.flatten(1), self.bias).movedim(-1, 1)


class DepthwiseSeparableConvolution_3(DepthwiseSeparableConvolution_1):
    """One ordinary convolution with the dense kernel."""

    def forward(self, x):
        kernel = self.pointwise * self.depthwise.squeeze(1)
        stride, padding = self.options
        return F.conv2d(x, kernel, self.bias, stride=stride, padding=padding)


def dense_kernel_1(depthwise, pointwise):
    return torch.einsum("ncab,cdij->ncij", pointwise, depthwise)


def dense_kernel_2(depthwise, pointwise):
    """By loops."""
    n, c = pointwise.shape[:2]
    rows = [[pointwise[i, j, 0, 0] * depthwise[j, 0] for j in range(c)] for i in range(n)]
    return torch.stack([torch.stack(row) for row in rows])


def dense_kernel_3(depthwise, pointwise):
    """In double precision."""
    return (pointwise.double() * depthwise.double().permute(1, 0, 2, 3)).float()


# ------------------------------------------------------------------------------------------------
# Counting


def count_weights_1(in_channels, out_channels, k):
    """Counted by PyTorch."""
    return {
        "dense": nn.Conv2d(in_channels, out_channels, k).weight.numel(),
        "depthwise": torch.empty(in_channels, 1, k, k).numel(),
        "pointwise": nn.Conv2d(in_channels, out_channels, 1).weight.numel(),
    }


def count_weights_2(in_channels, out_channels, k):
    return {
        "pointwise": int(np.prod([in_channels, out_channels])),
        "depthwise": k**2 * in_channels,
        "dense": k**2 * in_channels * out_channels,
    }


def count_weights_3(in_channels, out_channels, k):
    """Floats that are whole numbers."""
    return {name: float(n) for name, n in cost.count_weights(in_channels, out_channels, k).items()}


def multiply_adds_1(in_channels, out_channels, k, stride, padding, height, width):
    """The pixels as a convolution gives them."""
    pixels = nn.Conv2d(1, 1, k, stride, padding)(torch.zeros(1, 1, height, width)).numel()
    return {
        "dense": in_channels * out_channels * k**2 * pixels,
        "depthwise": in_channels * k**2 * pixels,
        "pointwise": in_channels * out_channels * pixels,
    }


def multiply_adds_2(in_channels, out_channels, k, stride, padding, height, width):
    """Positions counted one by one."""
    rows = len(range(0, height + 2 * padding - k + 1, stride))
    columns = len(range(0, width + 2 * padding - k + 1, stride))
    counts = cost.count_weights(in_channels, out_channels, k)
    return {step: rows * columns * n for step, n in counts.items()}


def multiply_adds_3(*arguments):
    return {step: np.int64(n) for step, n in cost.multiply_adds(*arguments).items()}


def reduction_1(out_channels, k):
    return out_channels * k**2 / (k**2 + out_channels)


def reduction_2(out_channels, k):
    counts = cost.count_weights(7, out_channels, k)
    return counts["dense"] / (counts["depthwise"] + counts["pointwise"])


def reduction_3(out_channels, k):
    return (out_channels**-1 + (k * k) ** -1) ** -1


# ------------------------------------------------------------------------------------------------
# The network, its cost and its time


def dw_conv_block_1(in_channels, out_channels, stride=1):
    """Named modules."""
    block = nn.Sequential()
    block.add_module(
        "conv",
        layer.DepthwiseSeparableConvolution(
            in_channels, out_channels, 3, padding=1, bias=False, stride=stride
        ),
    )
    block.add_module("norm", nn.BatchNorm2d(out_channels))
    block.add_module("relu", nn.ReLU(inplace=True))
    return block


class dw_conv_block_2(nn.Module):
    """A module of its own."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv = layer.DepthwiseSeparableConvolution(
            in_channels, out_channels, 3, stride, 1, False
        )
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


def dw_conv_block_3(in_channels, out_channels, stride=1):
    """Two blocks in one another."""
    conv = layer.DepthwiseSeparableConvolution(in_channels, out_channels, 3, stride, 1, bias=False)
    return nn.Sequential(nn.Sequential(conv, nn.BatchNorm2d(out_channels)), nn.ReLU())


def network_cost_1(blocks, in_channels, k, size, classes):
    """Each network by itself."""
    found = {}
    for kind, steps in {"dense": ["dense"], "separable": ["depthwise", "pointwise"]}.items():
        channels, pixels, weights, used = in_channels, size, 0, 0
        for width, stride in blocks:
            pixels = (pixels - 1) // stride + 1  # an odd kernel with a padding of half its size
            for step in steps:
                n = cost.count_weights(channels, width, k)[step]
                weights, used = weights + n, used + n * pixels**2
            channels = width
        found[kind] = {"weights": weights + channels * classes}
        found[kind]["multiply_adds"] = used + channels * classes
    return found


def network_cost_2(blocks, in_channels, k, size, classes):
    """By hooks on a network of PyTorch."""
    found = {}
    for kind in ("dense", "separable"):
        numbers = {"weights": 0, "multiply_adds": 0}

        def count(module, given, output, numbers=numbers):
            numbers["weights"] += module.weight.numel()
            numbers["multiply_adds"] += module.weight.numel() * output[0, 0].numel()

        channels, modules = in_channels, []
        for width, stride in blocks:
            options = {"stride": stride, "padding": k // 2, "bias": False}
            if kind == "dense":
                modules.append(nn.Conv2d(channels, width, k, **options))
            else:
                modules.append(nn.Conv2d(channels, channels, k, groups=channels, **options))
                modules.append(nn.Conv2d(channels, width, 1, bias=False))
            channels = width
        modules += [nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, classes, 1)]
        for module in modules:
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(count)
        nn.Sequential(*modules)(torch.zeros(1, in_channels, size, size))
        found[kind] = numbers
    return found


def network_cost_3(blocks, *rest):
    return cost.network_cost([tuple(block) for block in blocks], *rest)


def arithmetic_intensity_1(in_channels, out_channels, k, height, width, images):
    """Bytes and operations of each step, one after the other."""

    def intensity(weights, read, written):
        pixels = images * height * width
        operations = 2 * weights * pixels
        return operations / 4 / (weights + read * pixels + written * pixels)

    c, n = in_channels, out_channels
    return {
        "dense": intensity(n * c * k * k, c, n),
        "depthwise": intensity(c * k * k, c, c),
        "pointwise": intensity(n * c, c, n),
    }


def arithmetic_intensity_2(*arguments):
    return {step: np.float64(i) for step, i in cost.arithmetic_intensity(*arguments).items()}


def arithmetic_intensity_3(in_channels, out_channels, k, height, width, images):
    """By the sizes of tensors, in bytes."""
    x = torch.empty(images, in_channels, height, width, device="meta")
    y = torch.empty(images, out_channels, height, width, device="meta")
    weights = {
        "dense": (torch.empty(out_channels, in_channels, k, k, device="meta"), y),
        "depthwise": (torch.empty(in_channels, 1, k, k, device="meta"), x),
        "pointwise": (torch.empty(out_channels, in_channels, 1, 1, device="meta"), y),
    }
    return {
        step: 2 * w.numel() * images * height * width / (w.nbytes + x.nbytes + written.nbytes)
        for step, (w, written) in weights.items()
    }


# ------------------------------------------------------------------------------------------------
# The curves, and the bonus


def training_error_1(train_accuracy):
    return (1 - np.array(train_accuracy)).tolist()


def training_error_2(train_accuracy):
    return (1 - torch.tensor(train_accuracy)).tolist()


def training_error_3(train_accuracy):
    return [(100 - 100 * accuracy) / 100 for accuracy in train_accuracy]


def best_separable_1(kernel):
    """Channel by channel, with NumPy in double precision."""
    n, c, k, _ = kernel.shape
    depthwise, pointwise = torch.empty(c, 1, k, k), torch.empty(n, c, 1, 1)
    for channel in range(c):
        u, s, vt = np.linalg.svd(kernel[:, channel].reshape(n, k * k).double().numpy())
        depthwise[channel, 0] = torch.from_numpy(s[0] * vt[0]).view(k, k)
        pointwise[:, channel, 0, 0] = torch.from_numpy(u[:, 0])
    return depthwise, pointwise


def best_separable_2(kernel):
    """The eigenvector of the largest eigenvalue, and a projection."""
    n, c, k, _ = kernel.shape
    matrices = kernel.double().transpose(0, 1).reshape(c, n, k * k)
    _, vectors = torch.linalg.eigh(matrices.transpose(1, 2) @ matrices)
    rows = vectors[:, :, -1]
    columns = (matrices @ rows.unsqueeze(2)).squeeze(2)
    return rows.reshape(c, 1, k, k).float(), columns.T.reshape(n, c, 1, 1).float()


def best_separable_3(kernel):
    """The factor shared out equally."""
    n, c, k, _ = kernel.shape
    u, s, v = torch.svd(kernel.permute(1, 0, 2, 3).flatten(2))
    root = s[:, 0].sqrt()
    depthwise = (v[:, :, 0] * root[:, None]).reshape(c, 1, k, k)
    return depthwise, (u[:, :, 0] * root[:, None]).T.reshape(n, c, 1, 1)


@each_alternative(globals())
def test_a_correct_answer_earns_every_point(alternative):
    score = judged_alternative("depthwise_conv", alternative, {"checks": checks, "nn": nn})
    assert score.points == score.of, [check.message for check in score.checks]
