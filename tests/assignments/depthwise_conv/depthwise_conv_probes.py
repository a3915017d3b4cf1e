"""Inputs that tell the wrong solutions of `depthwise_conv` from right ones and from each other."""

import torch
from torch import nn

from helpers.assignments.depthwise_conv import checks
from helpers.reference.depthwise_conv import approximation, cost, layer


def drawn(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


IMAGES = drawn(0, 2, 4, 9, 7)
KERNELS = drawn(1, 4, 1, 3, 3)
POINTWISE = drawn(2, 4, 4, 1, 1)
BIAS = drawn(3, 4)


def call(*args):
    return lambda answer: answer(*args)


def groups(depthwise_conv2d):
    return checks.groups_used(depthwise_conv2d, IMAGES, KERNELS)


def outputs(layer_class):
    """Return the parameters and outputs of layers, and the groups that they use."""
    found = []
    for bias, stride, padding in ((False, 1, 0), (True, 1, 1), (True, 2, 0), (False, 2, 1)):
        made = layer_class(4, 4, 3, stride=stride, padding=padding, bias=bias)
        found.append({name: list(p.shape) for name, p in made.named_parameters()})
        given = {"depthwise": KERNELS, "pointwise": POINTWISE} | ({"bias": BIAS} if bias else {})
        try:
            made.load_state_dict(given)
        except RuntimeError:
            found.append("other parameters")
            continue
        found += [made(IMAGES).detach(), checks.groups_used(made, IMAGES)]
    return found


def of_a_block(dw_conv_block):
    """Return the output, and its mean and spread with a large shift in batch norm."""
    found = []
    for stride in (1, 2):
        torch.manual_seed(0)
        block = dw_conv_block(4, 6, stride)
        output = block(IMAGES).detach()
        found += [list(output.shape), output]
        for module in block.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.bias, 100.0)
        output = block(IMAGES).detach()
        found.append(bool((output.mean((0, 2, 3)) - 100).abs().max() < 1))
        found.append(bool((output.std((0, 2, 3)) - 1).abs().max() < 0.1))
    return found


def dense_of_the_best(best_separable):
    """Return dense kernels, in which a factor may be shared out in any way."""
    return [
        layer.dense_kernel(*best_separable(kernel)).detach()
        for kernel in (POINTWISE * KERNELS.squeeze(1), drawn(4, 6, 4, 3, 3))
    ]


PROBES = {
    layer.depthwise_conv2d: [
        call(IMAGES, KERNELS),
        call(IMAGES, KERNELS, 2),
        call(IMAGES, KERNELS, 1, 1),
        call(IMAGES, KERNELS, 1, 2),
        groups,
    ],
    layer.DepthwiseSeparableConvolution: [outputs],
    layer.dense_kernel: [call(KERNELS, drawn(5, 6, 4, 1, 1))],
    layer.dw_conv_block: [of_a_block],
    cost.count_weights: [call(3, 5, 3)],
    cost.multiply_adds: [call(3, 5, 3, 2, 1, 8, 11), call(3, 5, 3, 1, 1, 8, 11)],
    cost.reduction: [call(8, 3)],
    cost.network_cost: [call([(4, 2), (3, 1)], 2, 3, 6, 5)],
    cost.arithmetic_intensity: [call(3, 5, 3, 4, 6, 10)],
    approximation.best_separable: [dense_of_the_best],
}

PUBLIC_CHECKS = {
    layer.depthwise_conv2d: checks.depthwise_conv2d,
    layer.DepthwiseSeparableConvolution: checks.separable_convolution,
    layer.dense_kernel: checks.dense_kernel,
    layer.dw_conv_block: checks.dw_conv_block,
    cost.count_weights: checks.count_weights,
    cost.multiply_adds: checks.multiply_adds,
    cost.reduction: checks.reduction,
    cost.network_cost: checks.network_cost,
    cost.arithmetic_intensity: checks.arithmetic_intensity,
    approximation.best_separable: checks.best_separable,
}
