"""Correct answers that differ from the reference earn every point of `quantization`.

They use other orders of operations, other precisions and other random generators: a hidden test
must not depend on a difference in the last bit. Every function here is a correct answer to the
question that it is named after; only the number at the end of the name is added.
"""

import re

import numpy as np
import torch
import torch.nn.functional as F
from alternatives import each_alternative, judged_alternative
from torch import nn

from helpers.reference.quantization import affine, ste

# ------------------------------------------------------------------------------------------------
# Affine quantization


def quantize_1(w, bits=8):
    """All in float32; a scale of one for equal weights."""
    low = w.min()
    scale = (w.max() - low) / np.float32(2**bits - 1)
    if scale == 0:
        scale = np.float32(1)
    return np.rint((w - low) / scale).astype(np.uint8), scale, low


def quantize_2(w, bits=8):
    """Multiply by the inverse of the step, in tensors; arrays of one element as numbers."""
    t = torch.from_numpy(w)
    span = t.max() - t.min()
    inverse = (2**bits - 1) / span if span > 0 else torch.tensor(0.0)
    codes = torch.round((t - t.min()) * inverse).to(torch.uint8).numpy()
    return codes, (span / (2**bits - 1)).numpy(), t.min().numpy()


def quantize_3(w, bits=8):
    """Round half up, with a floor."""
    low, high = np.float64(w.min()), np.float64(w.max())
    scale = (high - low) / (2**bits - 1) if high > low else 1e-8
    return np.floor((w.astype(np.float64) - low) / scale + 0.5).astype(np.uint8), scale, low


def dequantize_1(codes, scale, minimum):
    return np.float32(scale) * codes.astype(np.float32) + np.float32(minimum)


def dequantize_2(codes, scale, minimum):
    return (torch.from_numpy(codes).float() * scale + minimum).numpy()


def memory_ratio_1(w):
    return w.nbytes / (w.nbytes / 4 + 8)


def memory_ratio_2(w):
    return np.float32(4 * w.size / (w.size + 8))


def quantize_parameters_1(parameters, bits):
    """All in tensors."""
    result = {}
    for name, p in parameters.items():
        span = p.max() - p.min()
        scale = span / (2**bits - 1) if span > 0 else torch.ones(())
        result[name] = torch.round((p - p.min()) / scale) * scale + p.min()
    return result


def quantize_stochastic_1(w, bits, seed):
    """In float32, with NumPy's old generator."""
    np.random.seed(seed)
    top = 2**bits - 1
    scale = (w.max() - w.min()) / np.float32(top) or np.float32(1)
    position = (w - w.min()) / scale
    up = np.random.rand(*w.shape) < position - np.floor(position)
    return np.minimum(np.floor(position) + up, top).astype(np.uint8), scale, w.min()


def quantize_stochastic_2(w, bits, seed):
    """Add symmetric noise and round to nearest, with torch's generator."""
    generator = torch.Generator().manual_seed(seed)
    top = 2**bits - 1
    t = torch.from_numpy(w).double()
    scale = (t.max() - t.min()).item() / top
    if scale == 0:
        return np.zeros(w.shape, np.uint8), 0.0, t.min().item()
    noise = torch.rand(t.shape, generator=generator, dtype=torch.float64) - 0.5
    codes = torch.round((t - t.min()) / scale + noise).clamp(0, top)
    return codes.to(torch.uint8).numpy(), scale, t.min().item()


def stochastic_parameters_1(parameters, bits, repeat):
    """One long stream of seeds, with the other way of rounding at random."""
    seeds = iter(range(10_000 * repeat, 10_000 * (repeat + 1)))
    result = {}
    for name, p in parameters.items():
        codes, scale, low = quantize_stochastic_2(p.detach().numpy(), bits, next(seeds))
        result[name] = torch.from_numpy(codes).float() * scale + low
    return result


def stochastic_parameters_2(parameters, bits, repeat):
    """All in tensors, with seeds from NumPy's sequence of seeds."""
    result = {}
    for position, (name, p) in enumerate(parameters.items()):
        seed = int(np.random.SeedSequence([repeat, position]).generate_state(1)[0])
        generator = torch.Generator().manual_seed(seed)
        step = (p.max() - p.min()) / (2**bits - 1)
        up = torch.rand(p.shape, generator=generator)
        codes = torch.floor((p - p.min()) / step + up).clamp(max=2**bits - 1) if step > 0 else 0
        result[name] = (codes * step + p.min()).expand(p.shape)
    return result


def stochastic_parameters_3(parameters, bits, repeat):
    """The reference's rounding, with the position multiplied instead of the repeat."""
    return {
        name: torch.from_numpy(
            affine.dequantize(*affine.quantize_stochastic(p.detach().numpy(), bits, seed))
        )
        for seed, (name, p) in zip(range(repeat, 10**6, 997), parameters.items(), strict=False)
    }


# ------------------------------------------------------------------------------------------------
# The straight-through estimator


def quantize_linear_1(w, bits):
    """Scale to [0, 1] first, as in the formula; guard the division against an empty range."""
    if bits is None:
        return w
    if bits == 0:
        return w * 0
    alpha, beta = w.max() - w.min(), w.min()
    scaled = (w - beta) / alpha.clamp(min=torch.finfo(w.dtype).tiny)
    return torch.round(scaled * (2**bits - 1)) / (2**bits - 1) * alpha + beta


def quantize_linear_2(w, bits):
    """In double precision, with the step as a number."""
    if bits is None:
        return w.clone()
    if bits == 0 or w.max() == w.min():
        return torch.zeros_like(w) if bits == 0 else w
    wide = w.double()
    step = (wide.max() - wide.min()) / (2**bits - 1)
    return (torch.round((wide - wide.min()) / step) * step + wide.min()).to(w.dtype)


class STE_1(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, bits):
        ctx.bits = bits
        return quantize_linear_1(w, bits).clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clone(), None


class QuantConv2d_1(nn.Conv2d):
    """The straight-through estimator with `detach`."""

    def __init__(self, *args, bits=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.bits = bits

    def forward(self, x):
        w = self.weight
        w = w + (quantize_linear_2(w, self.bits) - w).detach()
        return self._conv_forward(x, w, self.bias)


class QuantConv2d_2(nn.Conv2d):
    """All arguments are named and in another order."""

    def __init__(self, in_channels, out_channels, kernel_size, bits=None, **options):
        super().__init__(in_channels, out_channels, kernel_size, **options)
        self.bits = bits

    def forward(self, x):
        settings = {name: getattr(self, name) for name in ("stride", "padding", "dilation")}
        weight = ste.STE.apply(self.weight, self.bits)
        return F.conv2d(x, weight, self.bias, groups=self.groups, **settings)


def quantize_nonzero_1(w, bits):
    """Fill the gaps instead of extracting the kept weights."""
    kept = w != 0
    if not kept.any():
        return w
    # Putting the smallest kept weight in place of the zeros does not change the range.
    filled = torch.where(kept, w, w[kept].min())
    return torch.where(kept, quantize_linear_1(filled, bits), 0.0)


# ------------------------------------------------------------------------------------------------
# Mixed precision


def layer_bits_1(layer, stage_bits):
    found = re.match(r"stage(\d)\.", layer)
    return stage_bits[int(found[1]) - 1] if found else 32


def layer_bits_2(layer, stage_bits):
    table = {"stem": 32.0, "classifier": 32.0}
    table |= {f"stage{i + 1}": float(bits) for i, bits in enumerate(stage_bits)}
    return table[layer.split(".")[0]]


def average_precision_1(sizes, bits):
    names = sorted(sizes)
    return np.average([bits[n] for n in names], weights=[sizes[n] for n in names])


# ------------------------------------------------------------------------------------------------


@each_alternative(globals())
def test_another_right_answer_earns_every_point(alternative):
    score = judged_alternative("quantization", alternative, beside={"np": np})
    assert (score.points, score.messages) == (score.of, [])
