"""Wrong solutions of `quantization`, as students write them.

Each makes one mistake and is otherwise right. Where a wrong solution calls the answer to another
question (`quantize` in `quantize_parameters`, say), it calls the reference's function here, and the
student's own in a notebook.

If two mistakes give the same answers on some inputs, the one that shows on fewer inputs comes
first: an answer that is wrong on those inputs alone fits both, and the rarer mistake explains it.
"""

# Students write neither type hints nor docstrings on methods.
# mypy: allow-untyped-defs
# ruff: noqa: D102

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from autograder.misconceptions import misconception
from helpers.reference.quantization import affine, mixed_precision, ste
from helpers.reference.quantization.affine import dequantize, quantize, quantize_stochastic
from helpers.reference.quantization.ste import STE, quantize_linear

# ------------------------------------------------------------------------------------------------
# affine.quantize


@misconception(of=affine.quantize)
def steps_as_many_as_levels(w, bits=8):
    """You divide the range into 2^n steps.

    With n bits there are 2^n levels, and one step fewer than levels: the largest weight should get
    exactly the last code.
    """
    minimum = float(w.min())
    scale = float(w.max() - w.min()) / 2**bits
    codes = np.round((w - minimum) / scale)
    return np.minimum(codes, 2**bits - 1).astype(np.uint8), scale, minimum


@misconception(of=affine.quantize)
def range_from_zero(w, bits=8):
    """Your range runs from zero to the largest weight.

    All negative weights end up at code 0: the lowest level has to be the smallest weight, wherever
    that lies.
    """
    scale = float(w.max()) / (2**bits - 1)
    codes = np.clip(np.round(w / scale), 0, 2**bits - 1)
    return codes.astype(np.uint8), scale, 0.0


@misconception(of=affine.quantize)
def truncates(w, bits=8):
    """You cut off the fraction instead of rounding.

    Every weight moves down to the level below it, by up to a whole step, which is what `astype`
    alone does: the nearest level is at most half a step away.
    """
    minimum = float(w.min())
    scale = float(w.max() - w.min()) / (2**bits - 1)
    codes = ((w - minimum) / scale).astype(np.uint8)
    return codes, scale, minimum


@misconception(of=affine.quantize)
def signed_codes_wrap(w, bits=8):
    """You use signed codes around zero, which wrap around in uint8.

    There, -1 becomes 255: affine codes count the levels upwards from the smallest weight, so none
    of them is negative.
    """
    scale = float(np.abs(w).max()) / (2 ** (bits - 1) - 1)
    codes = np.round(w / scale).astype(np.int8)
    return codes.astype(np.uint8), scale, 0.0


# ------------------------------------------------------------------------------------------------
# affine.dequantize


@misconception(of=affine.dequantize)
def forgets_the_minimum(codes, scale, minimum):
    """You rescale the codes but leave out the minimum.

    All weights are shifted, and the smallest comes back as 0: which weight does code 0 stand for?
    """
    return codes.astype(np.float32) * np.float32(scale)


@misconception(of=affine.dequantize)
def forgets_the_scale(codes, scale, minimum):
    """You add the minimum but do not rescale the codes.

    Neighbouring levels are now 1 apart: how far apart are the weights that they stand for?
    """
    return codes.astype(np.float32) + np.float32(minimum)


@misconception(of=affine.dequantize)
def shifts_before_scaling(codes, scale, minimum):
    """You add the minimum to the codes and then multiply the sum by the scale.

    The minimum is a weight already, not a code: undo the steps of `quantize` in the opposite order.
    """
    return (codes.astype(np.float32) + np.float32(minimum)) * np.float32(scale)


# ------------------------------------------------------------------------------------------------
# affine.memory_ratio


@misconception(of=affine.memory_ratio)
def overhead_forgotten(w):
    """You compare the weights with their codes alone and get exactly 4.

    The codes are of no use without the scale and the minimum, which take up memory too.
    """
    codes, _, _ = quantize(w)
    return w.size * 4 / codes.nbytes


@misconception(of=affine.memory_ratio)
def bits_taken_for_bytes(w):
    """You count 8 for every code and 4 for every float32 weight.

    A code has 8 bits, which is 1 byte: use the same unit on both sides.
    """
    return w.size * 4 / (w.size * 8 + 8)


@misconception(of=affine.memory_ratio)
def ratio_upside_down(w):
    """You divide the quantized size by the float32 size.

    The ratio says how many times smaller the array becomes, so it is the other way round: above 1
    for all but the smallest arrays.
    """
    return (w.size + 8) / (w.size * 4)


# ------------------------------------------------------------------------------------------------
# affine.quantize_parameters


@misconception(of=affine.quantize_parameters)
def one_scale_for_the_network(parameters, bits):
    """You use one scale and one minimum for the whole network.

    Tensors with small weights are then left with very few levels: give every tensor the range of
    its own weights.
    """
    everything = torch.cat([p.detach().flatten() for p in parameters.values()])
    minimum = everything.min()
    scale = (everything.max() - minimum) / (2**bits - 1)
    return {
        name: torch.round((p.detach() - minimum) / scale) * scale + minimum
        for name, p in parameters.items()
    }


@misconception(of=affine.quantize_parameters)
def scale_of_the_last_tensor(parameters, bits):
    """You dequantize all tensors with the scale and the minimum of the last one.

    You quantized each tensor with its own, and the three results of `quantize` belong together.
    """
    codes = {}
    for name, p in parameters.items():
        codes[name], scale, minimum = quantize(p.detach().cpu().numpy(), bits)
    return {name: torch.from_numpy(dequantize(c, scale, minimum)) for name, c in codes.items()}


@misconception(of=affine.quantize_parameters)
def vectors_left_in_float(parameters, bits):
    """You leave biases and batch norm in float.

    That is common in practice, but here every parameter is to be quantized.
    """
    result = {}
    for name, p in parameters.items():
        p = p.detach()
        if p.dim() > 1:
            p = torch.from_numpy(dequantize(*quantize(p.cpu().numpy(), bits)))
        result[name] = p
    return result


@misconception(of=affine.quantize_parameters)
def codes_for_weights(parameters, bits):
    """You put the codes in place of the weights.

    The network computes with weights, not with whole numbers that count from 0: dequantize the
    codes first.
    """
    return {
        name: torch.from_numpy(quantize(p.detach().cpu().numpy(), bits)[0].astype(np.float32))
        for name, p in parameters.items()
    }


# ------------------------------------------------------------------------------------------------
# affine.quantize_stochastic


@misconception(of=affine.quantize_stochastic)
def still_rounds_to_nearest(w, bits, seed):
    """Your codes do not depend on chance.

    Every weight goes to its nearest level whatever the seed, but a weight that lies a quarter of a
    step above a level should go up one time in four.
    """
    return quantize(w, bits)


@misconception(of=affine.quantize_stochastic)
def always_rounds_up(w, bits, seed):
    """You round every weight up, so the weights grow on average.

    They should go up only sometimes: the closer they are to the level above, the more often.
    """
    minimum = float(w.min())
    scale = float(w.max() - w.min()) / (2**bits - 1)
    codes = np.ceil((w - minimum) / scale)
    return np.minimum(codes, 2**bits - 1).astype(np.uint8), scale, minimum


@misconception(of=affine.quantize_stochastic)
def noise_then_round(w, bits, seed):
    """You add noise between 0 and 1 and then round to the nearest level.

    The noise is half a step on average, so the weights move up by half a step on average: which way
    of rounding would undo that?
    """
    minimum = float(w.min())
    scale = float(w.max() - w.min()) / (2**bits - 1)
    noise = np.random.default_rng(seed).random(w.shape)
    codes = np.round((w - minimum) / scale + noise)
    return np.minimum(codes, 2**bits - 1).astype(np.uint8), scale, minimum


@misconception(of=affine.quantize_stochastic)
def noise_after_rounding(w, bits, seed):
    """You round first and then move the rounded codes at random.

    By then the fraction that says how often a weight should go up is lost: let chance decide about
    the rounding itself.
    """
    codes, scale, minimum = quantize(w, bits)
    noise = np.random.default_rng(seed).integers(-1, 2, w.shape)
    codes = np.clip(codes.astype(int) + noise, 0, 2**bits - 1)
    return codes.astype(np.uint8), scale, minimum


@misconception(of=affine.quantize_stochastic)
def fair_coin(w, bits, seed):
    """You go up or down with equal probability, wherever the weight lies.

    A weight close to the level above should go up most of the time; otherwise the mean is wrong.
    """
    minimum = float(w.min())
    scale = float(w.max() - w.min()) / (2**bits - 1)
    up = np.random.default_rng(seed).random(w.shape) < 0.5
    codes = np.floor((w - minimum) / scale) + up
    return np.minimum(codes, 2**bits - 1).astype(np.uint8), scale, minimum


@misconception(of=affine.quantize_stochastic)
def chances_swapped(w, bits, seed):
    """You go up with the probability of going down.

    A weight just above a level then nearly always leaves it: the nearer level should be the more
    likely one.
    """
    minimum = float(w.min())
    scale = float(w.max() - w.min()) / (2**bits - 1)
    position = (w - minimum) / scale
    below = np.floor(position)
    up = np.random.default_rng(seed).random(w.shape) > position - below
    return np.minimum(below + up, 2**bits - 1).astype(np.uint8), scale, minimum


# ------------------------------------------------------------------------------------------------
# affine.stochastic_parameters


@misconception(of=affine.stochastic_parameters)
def rounds_to_nearest(parameters, bits, repeat):
    """You round every parameter to the nearest level, the same in all repeats.

    Nothing is left to chance then: use your stochastic quantizer, with a seed made of the number of
    the repeat and the position of the parameter.
    """
    nearest = {}
    for name, parameter in parameters.items():
        w = parameter.detach().cpu().numpy()
        nearest[name] = torch.from_numpy(dequantize(*quantize(w, bits)))
    return nearest


@misconception(of=affine.stochastic_parameters)
def one_seed_for_all_parameters(parameters, bits, repeat):
    """You use the same random numbers for every parameter.

    The rounding errors of the layers are then not independent of each other: the seed has to depend
    on the position of the parameter as well.
    """
    noisy = {}
    for name, parameter in parameters.items():
        w = parameter.detach().cpu().numpy()
        noisy[name] = torch.from_numpy(dequantize(*quantize_stochastic(w, bits, repeat)))
    return noisy


@misconception(of=affine.stochastic_parameters)
def the_same_in_every_repeat(parameters, bits, repeat):
    """You use the same random numbers in every repeat.

    Ten repeats are then ten times the same network: the seed has to depend on the number of the
    repeat as well.
    """
    noisy = {}
    for index, (name, parameter) in enumerate(parameters.items()):
        w = parameter.detach().cpu().numpy()
        noisy[name] = torch.from_numpy(dequantize(*quantize_stochastic(w, bits, index)))
    return noisy


@misconception(of=affine.stochastic_parameters)
def seeds_that_come_back(parameters, bits, repeat):
    """Your seed is the number of the repeat plus the position of the parameter.

    The second parameter of repeat 0 then has the random numbers of the first one of repeat 1, and
    so on. Multiply the number of the repeat by more than the number of parameters.
    """
    noisy = {}
    for index, (name, parameter) in enumerate(parameters.items()):
        w = parameter.detach().cpu().numpy()
        noisy[name] = torch.from_numpy(dequantize(*quantize_stochastic(w, bits, repeat + index)))
    return noisy


# ------------------------------------------------------------------------------------------------
# ste.quantize_linear


@misconception(of=ste.quantize_linear)
def power_of_two_steps(w, bits):
    """You divide the range into 2^n steps.

    That makes 2^n + 1 levels, one more than n bits can tell apart: 2^n levels have 2^n - 1 steps
    between them.
    """
    if bits is None:
        return w
    if bits == 0:
        return w * 0
    if w.min() == w.max():
        return w
    alpha = w.max() - w.min()
    beta = w.min()
    return torch.round((w - beta) / alpha * 2**bits) / 2**bits * alpha + beta


@misconception(of=ste.quantize_linear)
def scales_by_the_maximum(w, bits):
    """You scale by the largest weight alone, as if the weights started at zero.

    Dynamic scaling uses the whole range: its width and its lower end.
    """
    if bits is None:
        return w
    if bits == 0:
        return w * 0
    if w.min() == w.max():
        return w
    alpha = w.max()
    steps = 2**bits - 1
    return torch.round(w / alpha * steps) / steps * alpha


@misconception(of=ste.quantize_linear)
def not_scaled_back(w, bits):
    """You return levels in [0, 1] without scaling them back.

    The result should be weights again, from the smallest weight to the largest.
    """
    if bits is None:
        return w
    if bits == 0:
        return w * 0
    if w.min() == w.max():
        return w
    alpha = w.max() - w.min()
    beta = w.min()
    steps = 2**bits - 1
    return torch.round((w - beta) / alpha * steps) / steps


@misconception(of=ste.quantize_linear)
def not_shifted_back(w, bits):
    """You scale back by alpha but do not add beta again.

    The smallest weight becomes 0: undo both steps of the scaling, the division and the shift.
    """
    if bits is None:
        return w
    if bits == 0:
        return w * 0
    if w.min() == w.max():
        return w
    alpha = w.max() - w.min()
    beta = w.min()
    steps = 2**bits - 1
    return torch.round((w - beta) / alpha * steps) / steps * alpha


@misconception(of=ste.quantize_linear)
def always_rounds_down(w, bits):
    """You round every weight down to the level below it.

    The weights decrease by half a step on average, and the error is up to a whole step: take the
    nearest level.
    """
    if bits is None:
        return w
    if bits == 0:
        return w * 0
    if w.min() == w.max():
        return w
    alpha = w.max() - w.min()
    beta = w.min()
    steps = 2**bits - 1
    return torch.floor((w - beta) / alpha * steps) / steps * alpha + beta


@misconception(of=ste.quantize_linear)
def zero_bits_taken_for_none(w, bits):
    """You return the weights unchanged for 0 bits.

    `if not bits` is true for both `None` and 0, which are opposites here: full precision, and no
    information at all.
    """
    if not bits:
        return w
    if w.min() == w.max():
        return w
    alpha = w.max() - w.min()
    beta = w.min()
    steps = 2**bits - 1
    return torch.round((w - beta) / alpha * steps) / steps * alpha + beta


# ------------------------------------------------------------------------------------------------
# ste.STE


@misconception(of=ste.STE)
class GradientOfRounding(torch.autograd.Function):
    """Your backward pass returns the true gradient of rounding, which is zero.

    No weight would ever learn: a straight-through estimator pretends that the quantizer is not
    there.
    """

    @staticmethod
    def forward(ctx, w, bits):
        return quantize_linear(w, bits)

    @staticmethod
    def backward(ctx, gradient):
        return torch.zeros_like(gradient), None


@misconception(of=ste.STE)
class GradientMaskedAtTheEnds(torch.autograd.Function):
    """You stop the gradient of the smallest and the largest weight, as if they were clipped.

    The range is taken from the weights themselves, so nothing is ever clipped.
    """

    @staticmethod
    def forward(ctx, w, bits):
        ctx.save_for_backward(w)
        return quantize_linear(w, bits)

    @staticmethod
    def backward(ctx, gradient):
        (w,) = ctx.saved_tensors
        return gradient * ((w > w.min()) & (w < w.max())), None


@misconception(of=ste.STE)
class GradientMaskedOutsideOne(torch.autograd.Function):
    """You stop the gradient of weights beyond -1 and 1, as if they were clipped.

    Training with binary weights, -1 and 1, does clip the float weights; here the range follows the
    weights, and nothing is clipped.
    """

    @staticmethod
    def forward(ctx, w, bits):
        ctx.save_for_backward(w)
        return quantize_linear(w, bits)

    @staticmethod
    def backward(ctx, gradient):
        (w,) = ctx.saved_tensors
        return gradient * (w.abs() <= 1), None


@misconception(of=ste.STE)
class GradientClipped(torch.autograd.Function):
    """You clip the gradient to [-1, 1].

    "Straight through" means that the gradient passes unchanged, whatever its size.
    """

    @staticmethod
    def forward(ctx, w, bits):
        return quantize_linear(w, bits)

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(-1, 1), None


@misconception(of=ste.STE)
class GradientScaledByAlpha(torch.autograd.Function):
    """You multiply the gradient by alpha.

    The forward pass divides by alpha first and multiplies by it at the end, so the two cancel: the
    gradient passes unchanged.
    """

    @staticmethod
    def forward(ctx, w, bits):
        ctx.save_for_backward(w)
        return quantize_linear(w, bits)

    @staticmethod
    def backward(ctx, gradient):
        (w,) = ctx.saved_tensors
        return gradient * (w.max() - w.min()), None


@misconception(of=ste.STE)
class GradientQuantized(torch.autograd.Function):
    """You quantize the gradient as well.

    Only the weights have few bits here: the gradient keeps its full precision, so that small steps
    can add up.
    """

    @staticmethod
    def forward(ctx, w, bits):
        ctx.bits = bits
        return quantize_linear(w, bits)

    @staticmethod
    def backward(ctx, gradient):
        return quantize_linear(gradient, ctx.bits), None


# ------------------------------------------------------------------------------------------------
# ste.QuantConv2d


@misconception(of=ste.QuantConv2d)
class QuantizesTheInput(nn.Conv2d):
    """You quantize the input of the layer and compute with float weights.

    Only the weights have few bits here; the activations stay in float.
    """

    def __init__(self, *args, bits=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.bits = bits

    def forward(self, x):
        x = STE.apply(x, self.bits)
        return F.conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


@misconception(of=ste.QuantConv2d)
class QuantizesTheOutput(nn.Conv2d):
    """You quantize the result of the convolution and compute with float weights.

    Only the weights have few bits here; the activations stay in float.
    """

    def __init__(self, *args, bits=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.bits = bits

    def forward(self, x):
        return STE.apply(super().forward(x), self.bits)


@misconception(of=ste.QuantConv2d)
class NeverQuantizes(nn.Conv2d):
    """Your layer stores the number of bits but computes with the float weights.

    Its forward pass has to send the weights through the quantizer.
    """

    def __init__(self, *args, bits=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.bits = bits


@misconception(of=ste.QuantConv2d)
class ForgetsStrideAndPadding(nn.Conv2d):
    """Your convolution runs with the default stride and without padding.

    You quantize the weights correctly, but the layer's own settings (`self.stride`, `self.padding`
    and so on) have to be passed on too.
    """

    def __init__(self, *args, bits=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.bits = bits

    def forward(self, x):
        return F.conv2d(x, STE.apply(self.weight, self.bits), self.bias)


@misconception(of=ste.QuantConv2d)
class QuantizesWithoutSTE(nn.Conv2d):
    """Your output is right, but almost no gradient gets back to the weights.

    You call the quantizer itself, whose rounding stops the gradient: `STE.apply` quantizes in the
    same way and lets the gradient through.
    """

    def __init__(self, *args, bits=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.bits = bits

    def forward(self, x):
        w = quantize_linear(self.weight, self.bits)
        return F.conv2d(x, w, self.bias, self.stride, self.padding, self.dilation, self.groups)


@misconception(of=ste.QuantConv2d)
class OverwritesTheWeight(nn.Conv2d):
    """Your output is right, but you overwrite the float weights with the quantized ones.

    Small gradient steps are then rounded away: keep `self.weight` as it is and quantize it anew in
    every pass.
    """

    def __init__(self, *args, bits=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.bits = bits

    def forward(self, x):
        self.weight.data = quantize_linear(self.weight.data, self.bits)
        return super().forward(x)


# ------------------------------------------------------------------------------------------------
# ste.quantize_nonzero


@misconception(of=ste.quantize_nonzero)
def zeros_in_the_range(w, bits):
    """Your zeros stay zero, but they take part in the range of the quantizer.

    If all remaining weights have the same sign, levels are wasted on the gap to zero: take the
    range of the non-zero weights.
    """
    return quantize_linear(w, bits) * (w != 0)


@misconception(of=ste.quantize_nonzero)
def quantizes_the_zeros(w, bits):
    """You quantize all weights, including the pruned ones.

    The levels rarely include zero, so the pruned weights come back: they have to stay exactly zero.
    """
    return quantize_linear(w, bits)


@misconception(of=ste.quantize_nonzero)
def returns_only_the_kept(w, bits):
    """You return only the non-zero weights, without their places.

    The layer needs all of its weights in their original shape, with the zeros where they were.
    """
    kept = w[w != 0]
    return quantize_linear(kept, bits) if len(kept) else kept


# ------------------------------------------------------------------------------------------------
# mixed_precision.layer_bits


@misconception(of=mixed_precision.layer_bits)
def stages_from_zero(layer, stage_bits):
    """You use the number of the stage as the index into `stage_bits`.

    Stages are counted from one and Python's indices from zero: the bits of stage 1 come first.
    """
    for i in range(3):
        if layer.startswith(f"stage{i}"):
            return stage_bits[i]
    return 32


@misconception(of=mixed_precision.layer_bits)
def stages_reversed(layer, stage_bits):
    """You mix up the stages: stage 1 gets the last of the three numbers.

    The numbers are in the order in which an image passes through the network.
    """
    for i in range(3):
        if layer.startswith(f"stage{i + 1}"):
            return stage_bits[2 - i]
    return 32


@misconception(of=mixed_precision.layer_bits)
def block_taken_for_stage(layer, stage_bits):
    """You take the number of the block for that of the stage.

    In "stage2.1.conv1" the stage is 2, and the 1 after it is the block within the stage.
    """
    if not layer.startswith("stage"):
        return 32
    return stage_bits[int(layer.split(".")[1])]


@misconception(of=mixed_precision.layer_bits)
def ends_quantized_too(layer, stage_bits):
    """You quantize the first convolution and the classifier as well.

    Both are small, and they handle the image and the scores directly: they stay in float, at 32
    bits.
    """
    if layer.startswith("stage1") or layer == "stem":
        return stage_bits[0]
    if layer.startswith("stage2"):
        return stage_bits[1]
    return stage_bits[2]


# ------------------------------------------------------------------------------------------------
# mixed_precision.average_precision


@misconception(of=mixed_precision.average_precision)
def mean_over_layers(sizes, bits):
    """You average over the layers, as if all had the same number of weights.

    A layer of 36,864 weights costs 16 times as much as one of 2,304: average over the weights.
    """
    return sum(bits[layer] for layer in sizes) / len(sizes)


@misconception(of=mixed_precision.average_precision)
def float_layers_left_out(sizes, bits):
    """You leave out the layers that stay in float.

    They have few weights, but at 32 bits each these weights raise the average, and the layers are
    part of the network.
    """
    body = [layer for layer in sizes if bits[layer] < 32]
    return sum(sizes[layer] * bits[layer] for layer in body) / sum(sizes[layer] for layer in body)


@misconception(of=mixed_precision.average_precision)
def float_layers_cost_nothing(sizes, bits):
    """You count the weights of the float layers but not their bits.

    Each of these weights takes 32 bits, so you leave out the most expensive ones.
    """
    total = sum(sizes[layer] * bits[layer] for layer in sizes if bits[layer] < 32)
    return total / sum(sizes.values())
