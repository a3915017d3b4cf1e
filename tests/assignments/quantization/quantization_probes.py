"""Inputs that tell the wrong solutions of `quantization` from right ones and from each other."""

import numpy as np
import torch

from autograder.hidden import gradient
from helpers.assignments.quantization import checks
from helpers.reference.quantization import affine, mixed_precision, ste

# Skewed weights reveal a wrong range; none of them is near a tie at 2, 3 or 4 bits.
ARRAY = np.array([-0.5, -0.31, 0.02, 0.26, 0.7, 1.11, 1.6], np.float32)
TENSOR = torch.from_numpy(ARRAY)
BYTES = np.array([0, 3, 200, 255], np.uint8)
PARAMETERS = {"w": TENSOR.view(7, 1), "b": 100 * TENSOR, "c": 0.1 + TENSOR}
UPSTREAM = torch.tensor([3.0, -0.5, 0.25, -20.0, 0.5, 2.0, -1.0])
SIZES = {"stem": 10, "stage1": 90, "stage2": 300}
BITS = {"stem": 32, "stage1": 2, "stage2": 4}
IMAGE = torch.randn((1, 2, 6, 6), generator=torch.Generator().manual_seed(0))
KERNELS = torch.randn((3, 2, 3, 3), generator=torch.Generator().manual_seed(1)) + 0.3


def call(*args):
    return lambda answer: answer(*args)


def mean_codes(quantize_stochastic):
    """Return the mean codes of many equal weights, which hardly depend on the random numbers."""
    copies = 20_000
    w = np.repeat(np.array([0, 0.2, 1.4, 2.9, 3], np.float32), copies)
    codes, scale, minimum = quantize_stochastic(w, 2, 0)
    return codes.reshape(5, copies).mean(axis=1).round(1), scale, minimum


def means_and_agreements(stochastic_parameters):
    """Return the mean of many equal weights, and how often other random numbers give the same."""
    w = torch.tensor([0.0, 3.0] + [1.4] * 20_000)
    parameters = {"a": w, "b": w.clone()}
    one, other = (stochastic_parameters(parameters, 2, repeat) for repeat in (0, 1))
    pairs = [(one["a"], one["b"]), (one["a"], other["a"]), (one["b"], other["a"])]
    same = [round((a == b).float().mean().item(), 1) for a, b in pairs]
    return round(one["a"][2:].mean().item(), 1), same


def backward(STE):
    return gradient(STE.apply, TENSOR, 2, upstream=UPSTREAM)


def layer_after_a_step(QuantConv2d):
    """Return the output, and the weights and their gradient afterwards."""
    layer = QuantConv2d(2, 3, 3, bits=2, stride=2, padding=1, bias=False)
    layer.load_state_dict({"weight": KERNELS.clone()})
    output = layer(IMAGE)
    output.pow(2).sum().backward()
    return output.detach(), layer.weight.detach().clone(), layer.weight.grad


PROBES = {
    affine.quantize: [call(ARRAY, 8), call(ARRAY, 3)],
    affine.dequantize: [call(BYTES, 0.5, -1.0)],
    affine.memory_ratio: [call(ARRAY)],
    affine.quantize_parameters: [call(PARAMETERS, 3)],
    affine.quantize_stochastic: [mean_codes],
    affine.stochastic_parameters: [means_and_agreements],
    ste.quantize_linear: [call(TENSOR, bits) for bits in (None, 0, 3)],
    ste.STE: [backward],
    ste.QuantConv2d: [layer_after_a_step],
    ste.quantize_nonzero: [
        call(torch.tensor([0.0, 1.0, 2.1, 0.0, 2.9, 4.0]), 2),
        call(torch.tensor([0.0, -1.0, 2.1, 0.0, 2.9, 4.0]), 2),
    ],
    mixed_precision.layer_bits: [
        call(layer, (5, 6, 7))
        for layer in ("stem", "stage1.2.conv1", "stage2.0.conv1", "stage3.1.conv2", "classifier")
    ],
    mixed_precision.average_precision: [call(SIZES, BITS)],
}

PUBLIC_CHECKS = {
    affine.quantize: checks.quantize,
    affine.dequantize: checks.dequantize,
    affine.memory_ratio: checks.memory_ratio,
    affine.quantize_parameters: checks.quantize_parameters,
    affine.quantize_stochastic: checks.quantize_stochastic,
    affine.stochastic_parameters: checks.stochastic_parameters,
    ste.quantize_linear: checks.quantize_linear,
    ste.STE: checks.ste,
    ste.QuantConv2d: checks.quant_conv2d,
    ste.quantize_nonzero: checks.quantize_nonzero,
    mixed_precision.layer_bits: checks.layer_bits,
    mixed_precision.average_precision: checks.average_precision,
}
