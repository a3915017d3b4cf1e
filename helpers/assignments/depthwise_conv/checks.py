"""Public checks of the assignment `depthwise_conv`.

Every check takes the student's answer and returns a `CheckResult`.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.checks.answers import as_number, as_tensor, ask, expect, kind, near, shown
from helpers.checks.hints import Hints
from helpers.checks.result import Claims, Wrong, public_check
from helpers.checks.trained import trained
from helpers.checks.values import verdict
from helpers.checks.written import words

__all__ = [
    "arithmetic_intensity",
    "best_separable",
    "count_weights",
    "dense_kernel",
    "depthwise_conv2d",
    "dw_conv_block",
    "groups_used",
    "hint",
    "multiply_adds",
    "network_cost",
    "reduction",
    "separable_convolution",
    "trained",
    "training_error",
    "verdict",
    "words",
]

hint = Hints(Path(__file__).with_name("hints.json"))

STEPS = ("dense", "depthwise", "pointwise")

# ------------------------------------------------------------------------------------------------
# The groups of a convolution


class _Convolutions(TorchDispatchMode):
    """Record the number of groups of every convolution that PyTorch carries out."""

    def __init__(self) -> None:
        super().__init__()
        self.groups = [1]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        # In inference mode, and in a backward pass, a convolution is another operation.
        if "conv" in func.name():
            names = [argument.name for argument in func._schema.arguments]
            given = dict(zip(names, args, strict=False)) | (kwargs or {})
            self.groups.append(int(given.get("groups", 1)))
        return func(*args, **(kwargs or {}))


def groups_used(function: Callable[..., Any], *args: Any) -> int:
    """Return the largest number of groups of a convolution that ``function(*args)`` computes.

    It is 1 if there is none. It does not matter how the grouped convolution was asked for:
    ``nn.Conv2d``, ``F.conv2d`` and ``torch.vmap`` all end in the same operation of PyTorch.
    """
    recorder = _Convolutions()
    with recorder:
        function(*args)
    return max(recorder.groups)


def _expect_no_groups(function: Callable[..., Any], *args: Any) -> None:
    groups = groups_used(function, *args)
    expect(
        groups == 1,
        f"PyTorch has computed a convolution with groups={groups}. That is the library's own "
        "depthwise convolution: write the operation out, as the formula does.",
    )


# ------------------------------------------------------------------------------------------------
# The layer


def _drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _rounding(terms: int, magnitude: Tensor) -> float:
    """Return how far apart two sums of so many products may be.

    In any order, the rounding error of each is at most `terms` times half a unit of the precision,
    times the sum of the magnitudes of the products; the largest of these sums is `magnitude`.
    """
    return (terms + 2) * torch.finfo(magnitude.dtype).eps * float(magnitude.max())


def _library_depthwise(x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    return F.conv2d(x, weight, stride=stride, padding=padding, groups=x.shape[1])


@public_check("depthwise_conv2d")
def depthwise_conv2d(depthwise_conv2d: Callable[..., Any]) -> Claims:
    """Check the student's ``depthwise_conv2d(x, weight, stride, padding)``."""

    def asked(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        call = f"depthwise_conv2d(x, weight, {stride}, {padding})"
        shape = _library_depthwise(x, weight, stride, padding).shape
        answer = ask(call, depthwise_conv2d, x, weight, stride, padding)
        of = f"with `x` of shape {tuple(x.shape)} and `weight` of shape {tuple(weight.shape)}"
        return as_tensor(f"`{call}`, {of},", answer, tuple(shape)).detach()

    yield "multiplies each channel by its own 1x1 kernel"
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).expand(1, 2, 2, 2).clone()
    found = asked(x, torch.tensor([10.0, 100.0]).view(2, 1, 1, 1))[0]
    expected = torch.tensor([10.0, 100.0]).view(2, 1, 1) * x[0]
    expect(
        near(found, expected, 0.0),
        "Two equal channels, [[1, 2], [3, 4]], meet the 1x1 kernels 10 and 100. The output is "
        f"{shown(expected)}; yours is {shown(found)}. Each channel has its own kernel, and no "
        "channel is added to another.",
    )

    yield "has the size that the kernel leaves, with as many output channels as input channels"
    for height, width in ((5, 7), (3, 4)):
        asked(_drawn(0, 2, 3, height, width), _drawn(1, 3, 1, 3, 3))

    yield "does not flip the kernel"
    x = torch.arange(9.0).view(1, 1, 3, 3)
    weight = torch.zeros(1, 1, 3, 3)
    weight[0, 0, 0, 1] = 1
    found = asked(x, weight)[0, 0]
    expect(
        near(found, x[0, 0, :1, 1:2], 0.0),
        "The kernel is 1 at row 0, column 1, and 0 elsewhere, so it picks that pixel, which is 1. "
        f"Your output is {shown(found)}. (Pixel 7 lies opposite, pixel 3 where rows and columns "
        "are exchanged.)",
    )

    yield "moves the kernel by the stride"
    x, weight = torch.arange(35.0).view(1, 1, 5, 7), torch.ones(1, 1, 1, 1)
    found = asked(x, weight, 2)[0, 0]
    expected = x[0, 0, ::2, ::2]
    expect(
        near(found, expected, 0.0),
        "With the 1x1 kernel 1 and stride 2, every second pixel of every second row is left: "
        f"{shown(expected)}; yours is {shown(found)}.",
    )

    yield "adds zeros around the image, as many as `padding` says"
    x, weight = torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3)
    found = asked(x, weight, 1, 1)[0, 0]
    expected = torch.tensor([[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]])
    expect(
        near(found, expected, 0.0),
        "A 3x3 kernel of ones on a 3x3 image of ones, with a padding of 1, counts how many ones it "
        f"covers: {shown(expected)}; yours is {shown(found)}.",
    )
    asked(x, weight, 1, 2)

    yield "agrees with `F.conv2d(groups=...)` on odd sizes, strides, paddings, and in float64"
    for k, stride, padding, dtype in (
        (3, 1, 1, torch.float32),
        (3, 2, 1, torch.float32),
        (5, 3, 1, torch.float32),
        (2, 2, 0, torch.float64),
        (3, 2, 3, torch.float64),
    ):
        x, weight = _drawn(k, 2, 4, 9, 7).to(dtype), _drawn(stride, 4, 1, k, k).to(dtype)
        found = asked(x, weight, stride, padding)
        expected = _library_depthwise(x, weight, stride, padding)
        allowed = _rounding(k * k, _library_depthwise(x.abs(), weight.abs(), stride, padding))
        expect(
            near(found, expected, allowed),
            f"With a {k}x{k} kernel, stride {stride}, padding {padding} and {dtype}, the output "
            f"differs by up to {float((found - expected).abs().max()):.2g}; rounding explains "
            f"{allowed:.2g}.",
        )

    yield "computes no grouped convolution"
    x, weight = _drawn(3, 1, 4, 5, 5), _drawn(4, 4, 1, 3, 3)
    for stride, padding in ((1, 0), (1, 1), (2, 0), (2, 1)):
        _expect_no_groups(depthwise_conv2d, x, weight, stride, padding)

    yield "passes gradients to `x` and to `weight`"
    x, weight = _drawn(3, 1, 4, 5, 5).requires_grad_(), _drawn(4, 4, 1, 3, 3).requires_grad_()
    output = ask("depthwise_conv2d(x, weight, 1, 1)", depthwise_conv2d, x, weight, 1, 1)
    expect(output.requires_grad, "No gradient passes: compute with PyTorch, without `.detach()`.")
    found_slopes = torch.autograd.grad(output.sum(), (x, weight), allow_unused=True)
    expected_slopes = torch.autograd.grad(_library_depthwise(x, weight, 1, 1).sum(), (x, weight))
    for name, slope, right in zip(("x", "weight"), found_slopes, expected_slopes, strict=True):
        expect(slope is not None, f"No gradient reaches `{name}`: is it detached?")
        expect(near(slope, right, 1e-4), f"The gradient of `{name}` is not that of the formula.")
    x, weight = x.detach(), weight.detach()

    yield "leaves `x` and `weight` as they were"
    before = (x.clone(), weight.clone())
    ask("depthwise_conv2d(x, weight, 1, 1)", depthwise_conv2d, x, weight, 1, 1)
    expect(
        torch.equal(x, before[0]) and torch.equal(weight, before[1]),
        "`x` or `weight` itself has changed: work on copies.",
    )


def _library_separable(
    x: Tensor, weights: Mapping[str, Tensor], stride: int = 1, padding: int = 0
) -> Tensor:
    y = _library_depthwise(x, weights["depthwise"], stride, padding)
    return F.conv2d(y, weights["pointwise"], weights.get("bias"))


@public_check("DepthwiseSeparableConvolution")
def separable_convolution(layer_class: Callable[..., Any]) -> Claims:
    """Check the student's class ``DepthwiseSeparableConvolution``."""

    def made(sizes: tuple[int, int, int], dtype: torch.dtype, **options: Any) -> nn.Module:
        given = "".join(f", {name}={value}" for name, value in options.items())
        call = f"DepthwiseSeparableConvolution({', '.join(map(str, sizes))}{given})"
        layer = ask(call, layer_class, *sizes, **options)
        expect(isinstance(layer, nn.Module), f"`{call}` should be a module; it is {kind(layer)}.")
        return layer.to(dtype)

    def weights(sizes: tuple[int, int, int], bias: bool, dtype: torch.dtype) -> dict[str, Tensor]:
        channels, out, k = sizes
        found = {"depthwise": _drawn(1, channels, 1, k, k), "pointwise": _drawn(2, out, channels)}
        found["pointwise"] = found["pointwise"].view(out, channels, 1, 1)
        if bias:
            found["bias"] = _drawn(3, out)
        return {name: tensor.to(dtype) for name, tensor in found.items()}

    yield "has the parameters that the text names, and no others"
    for bias in (True, False):
        layer = made((4, 6, 3), torch.float32, bias=bias)
        given = weights((4, 6, 3), bias, torch.float32)
        shapes = {name: tuple(w.shape) for name, w in given.items()}
        found = {name: tuple(p.shape) for name, p in layer.named_parameters()}
        expect(
            found == shapes,
            f"With 4 input channels, 6 output channels, a 3x3 kernel and bias={bias}, the "
            f"parameters should be {shapes}; yours are {found}.",
        )

    yield "starts with random weights"
    for name, parameter in made((4, 6, 3), torch.float32).named_parameters():
        expect(
            name == "bias" or float(parameter.detach().std()) > 0.01,
            f"All weights of `{name}` are equal, or nearly so. Equal weights get equal gradients.",
        )

    yield "draws them anew for each layer, with the variances of the text"
    first, second = (made((64, 128, 5), torch.float32) for _ in range(2))
    for name, variance in (("depthwise", 2 / 25), ("pointwise", 2 / 128)):
        weight = first.get_parameter(name).detach()
        expect(
            not torch.equal(weight, second.get_parameter(name)),
            f"`{name}` is the same in two new layers: draw its numbers anew, and set no seed.",
        )
        expect(
            weight.unique().numel() > 0.9 * weight.numel(),
            f"Many numbers in `{name}` are equal: draw every number by itself.",
        )
        # With 1,600 numbers or more, chance explains a difference of 2 %.
        expect(
            abs(float(weight.std()) - variance**0.5) < 0.15 * variance**0.5,
            f"From 64 to 128 channels and with a 5x5 kernel, the numbers in `{name}` should have "
            f"the variance {variance:.3g}; yours have {float(weight.var()):.3g}.",
        )
    shift = first.get_parameter("bias").detach()
    expect(
        not shift.any(), f"`bias` should be zero at first; yours begins with {shown(shift[:3])}."
    )

    yield "agrees with a grouped convolution and a 1x1 convolution"
    cases: list[tuple[tuple[int, int, int], torch.dtype, dict[str, Any]]] = [
        ((4, 6, 1), torch.float32, {"bias": False}),
        ((4, 6, 3), torch.float32, {"bias": False}),
        ((4, 6, 3), torch.float32, {"bias": False, "padding": 1}),
        ((4, 6, 3), torch.float32, {"bias": False, "stride": 2}),
        ((4, 6, 3), torch.float32, {"bias": True, "padding": 1}),
        ((5, 5, 3), torch.float32, {"bias": True, "stride": 2, "padding": 1}),
        ((3, 2, 5), torch.float64, {"bias": True, "stride": 2, "padding": 2}),
    ]
    for sizes, dtype, options in cases:
        layer = made(sizes, dtype, **options)
        given = weights(sizes, options["bias"], dtype)
        try:
            layer.load_state_dict(given)
        except RuntimeError as error:
            raise Wrong(f"Weights with these names cannot be loaded: {error}") from error
        x = _drawn(5, 2, sizes[0], 9, 7).to(dtype)
        moved = {name: value for name, value in options.items() if name != "bias"}
        expected = _library_separable(x, given, **moved)
        magnitude = _library_separable(x.abs(), {k: w.abs() for k, w in given.items()}, **moved)
        words_of_case = (
            f"with {sizes[0]} input channels, {sizes[1]} output channels, a {sizes[2]}x{sizes[2]} "
            f"kernel, {', '.join(f'{name}={value}' for name, value in options.items())}"
        )
        answer = ask("layer(x)", layer, x)
        found_output = as_tensor(f"The output {words_of_case}", answer, tuple(expected.shape))
        allowed = _rounding(sizes[0] * sizes[2] ** 2 + 1, magnitude)
        off = (found_output.detach() - expected).abs()
        expect(
            bool((off <= allowed).all()),
            f"The output {words_of_case}, differs by up to {float(off.max()):.2g}; rounding "
            f"explains {allowed:.2g}.",
        )

    yield "computes no grouped convolution"
    layer = made((4, 6, 3), torch.float32)
    x = _drawn(5, 2, 4, 9, 7)
    _expect_no_groups(layer, x)

    yield "passes gradients to every parameter and to the images"
    x.requires_grad_()
    layer(x).square().sum().backward()
    expect(x.grad is not None, "No gradient reaches the images.")
    for name, parameter in layer.named_parameters():
        expect(parameter.grad is not None, f"No gradient reaches `{name}`.")

    yield "computes with the weights that it has, not with those of its first call"
    with torch.no_grad():
        before = layer(x)
        for parameter in layer.parameters():
            parameter.mul_(2)
        expect(
            not near(layer(x), before, 1e-3),
            "The weights have changed since the first call, but the output has not: keep nothing "
            "that depends on them.",
        )


@public_check("dense_kernel")
def dense_kernel(dense_kernel: Callable[..., Any]) -> Claims:
    """Check the student's ``dense_kernel(depthwise, pointwise)``."""
    call = "dense_kernel(depthwise, pointwise)"

    yield "finds the kernel of an example"
    depthwise = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 1, 2, 2)
    pointwise = torch.tensor([10.0, 100.0]).view(2, 1, 1, 1)
    found = as_tensor(f"`{call}`", ask(call, dense_kernel, depthwise, pointwise), (2, 1, 2, 2))
    expected = torch.tensor([10.0, 100.0]).view(2, 1, 1, 1) * depthwise
    expect(
        near(found.detach(), expected, 0.0),
        "One input channel with the kernel [[1, 2], [3, 4]] and the pointwise weights 10 and 100: "
        f"the dense kernel is {shown(expected)}; yours is {shown(found.detach())}.",
    )

    yield "gives the same convolution for several input channels"
    depthwise, pointwise = _drawn(1, 3, 1, 3, 3), _drawn(2, 5, 3, 1, 1)
    answer = ask(call, dense_kernel, depthwise, pointwise)
    found = as_tensor(f"`{call}`", answer, (5, 3, 3, 3)).detach()
    x = _drawn(3, 2, 3, 6, 7)
    given = {"depthwise": depthwise, "pointwise": pointwise}
    allowed = _rounding(28, _library_separable(x.abs(), {k: w.abs() for k, w in given.items()}))
    expect(
        near(F.conv2d(x, found), _library_separable(x, given), allowed),
        "A convolution with your kernel gives another output than the two steps.",
    )


@public_check("dw_conv_block")
def dw_conv_block(dw_conv_block: Callable[..., Any]) -> Claims:
    """Check the student's ``dw_conv_block(in_channels, out_channels, stride)``."""

    def made(stride: int) -> nn.Module:
        call = f"dw_conv_block(4, 6, {stride})"
        block = ask(call, dw_conv_block, 4, 6, stride)
        expect(isinstance(block, nn.Module), f"`{call}` should be a module; it is {kind(block)}.")
        return block

    x = _drawn(0, 8, 4, 9, 9)
    yield "keeps the size of the image at stride 1 and halves it, rounded up, at stride 2"
    for stride, size in ((1, 9), (2, 5)):
        answer = ask("block(x)", made(stride), x)
        as_tensor(f"The output at stride {stride}", answer, (8, 6, size, size))

    yield "has 60 weights in its convolution, two numbers per channel in batch norm, and no bias"
    block = made(1)
    sizes = sorted(p.numel() for p in block.parameters())
    expect(
        sizes == [6, 6, 24, 36],
        "A separable 3x3 convolution from 4 to 6 channels has 36 depthwise and 24 pointwise "
        f"weights, and batch norm has 6 factors and 6 shifts; your parameters have {sizes} "
        "numbers. (Batch norm subtracts the mean, and with it any bias.)",
    )

    yield "ends with ReLU"
    output = ask("block(x)", block, x).detach()
    expect(bool((output >= 0).all()), f"The smallest number is {float(output.min()):.3g}.")
    expect(bool((output == 0).any()), "No number is 0, though batch norm makes half negative.")

    yield "has batch norm between the convolution and ReLU"
    # What batch norm gives has mean 0 and variance 1. Undo it: with a shift of 100, ReLU has no
    # effect, and the channels have to have exactly this mean.
    shifts = [module for module in block.modules() if isinstance(module, nn.BatchNorm2d)]
    expect(len(shifts) == 1, f"The block has {len(shifts)} layers of batch norm, not one.")
    with torch.no_grad():
        shifts[0].bias.fill_(100.0)
    output = ask("block(x)", block, x).detach()
    means, deviations = output.mean((0, 2, 3)), output.std((0, 2, 3), correction=0)
    expect(
        near(means, torch.full((6,), 100.0), 0.01) and near(deviations, torch.ones(6), 0.01),
        "With a shift of 100 in batch norm, each channel should have mean 100 and deviation 1 "
        f"after ReLU; yours have the means {shown(means)} and the deviations {shown(deviations)}.",
    )

    yield "moves the running mean of batch norm a tenth of the way to that of the batch"
    block = made(1)
    (norm,) = (module for module in block.modules() if isinstance(module, nn.BatchNorm2d))
    seen: list[Tensor] = []
    handle = norm.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    ask("block(x)", block.train(), x)
    handle.remove()
    expect(
        isinstance(norm.running_mean, Tensor)
        and len(seen) == 1
        and near(norm.running_mean, 0.1 * seen[0].detach().mean((0, 2, 3)), 1e-4),
        "After one batch in training, the running mean should be a tenth of the batch's mean, as "
        "`nn.BatchNorm2d` does by default.",
    )


# ------------------------------------------------------------------------------------------------
# Counting


def _expect_counts(call: str, answer: Any, expected: Mapping[str, float], tell: str) -> None:
    expect(isinstance(answer, Mapping), f"`{call}` should be a dict; yours is {kind(answer)}.")
    expect(
        set(answer) == set(expected),
        f"The keys should be {', '.join(expected)}; yours are {', '.join(map(str, answer))}.",
    )
    for name, number in expected.items():
        found = as_number(f"`{call}['{name}']`", answer[name])
        expect(
            math.isclose(found, number, rel_tol=1e-9),
            f"{tell}\nUnder `{name}` there should be {number:,.6g}; you found {found:,.6g}.",
        )


@public_check("count_weights")
def count_weights(count_weights: Callable[..., Any]) -> Claims:
    """Check the student's ``count_weights(in_channels, out_channels, k)``."""
    yield "counts the weights of an example, which PyTorch counts as well"
    for channels, out, k in ((2, 3, 3), (16, 32, 5), (7, 7, 1)):
        call = f"count_weights({channels}, {out}, {k})"
        layers = {
            "dense": nn.Conv2d(channels, out, k, bias=False),
            "depthwise": nn.Conv2d(channels, channels, k, groups=channels, bias=False),
            "pointwise": nn.Conv2d(channels, out, 1, bias=False),
        }
        expected = {name: layer.weight.numel() for name, layer in layers.items()}
        answer = ask(call, count_weights, channels, out, k)
        _expect_counts(call, answer, expected, f"From {channels} to {out} channels, {k}x{k}:")


@public_check("multiply_adds")
def multiply_adds(multiply_adds: Callable[..., Any]) -> Claims:
    """Check the student's ``multiply_adds(...)``."""

    def tested(channels: int, out: int, k: int, *rest: int) -> None:
        stride, padding, height, width = rest
        call = f"multiply_adds({', '.join(map(str, (channels, out, k, *rest)))})"
        x = torch.zeros(1, 1, height, width)
        pixels = F.conv2d(x, torch.zeros(1, 1, k, k), stride=stride, padding=padding).numel()
        expected = {
            "dense": channels * out * k * k * pixels,
            "depthwise": channels * k * k * pixels,
            "pointwise": channels * out * pixels,
        }
        answer = ask(call, multiply_adds, channels, out, k, *rest)
        tell = f"The output of `{call}` has {pixels} pixels, and each uses every weight once."
        _expect_counts(call, answer, expected, tell)

    yield "counts an example with stride 1 and a padding that keeps the size"
    tested(2, 3, 3, 1, 1, 4, 5)
    yield "counts at the size of the output, with stride and without padding"
    tested(2, 3, 3, 2, 1, 8, 8)
    tested(4, 8, 3, 1, 0, 6, 7)
    yield "counts odd sizes"
    tested(3, 5, 5, 2, 1, 11, 9)


@public_check("reduction")
def reduction(reduction: Callable[..., Any]) -> Claims:
    """Check the student's ``reduction(out_channels, k)``."""
    yield "is the ratio of the weights of two layers"
    for out, k in ((2, 1), (9, 3), (128, 3), (7, 5)):
        call = f"reduction({out}, {k})"
        found = as_number(f"`{call}`", ask(call, reduction, out, k))
        expected = 4 * out * k * k / (4 * k * k + 4 * out)
        expect(
            math.isclose(found, expected, rel_tol=1e-9),
            f"With 4 input channels, {out} output channels and k = {k}, {4 * out * k * k} weights "
            f"become {4 * k * k} + {4 * out}: a factor of {expected:.4g}. You found {found:.4g}.",
        )


@public_check("network_cost")
def network_cost(network_cost: Callable[..., Any]) -> Claims:
    """Check the student's ``network_cost(blocks, in_channels, k, size, classes)``."""
    cases: list[tuple[str, list[tuple[int, int]], int, dict[str, tuple[int, int]]]] = [
        (
            "adds up one block and the classifier",
            [(4, 1)],
            6,
            # 4*2*9 + 4*5 weights; the first part is used 36 times
            {"dense": (92, 2612), "separable": (46, 956)},
        ),
        (
            "hands the channels and the size on to the next block",
            [(4, 2), (3, 1)],
            6,
            # 9 pixels in both blocks: 72 + 108 + 15, and 26 + 48 + 15
            {"dense": (195, 1635), "separable": (89, 681)},
        ),
        (
            "halves an odd size as a convolution does: 7 rows become 4",
            [(4, 2), (3, 1)],
            7,
            # 16 pixels in both blocks
            {"dense": (195, 2895), "separable": (89, 1199)},
        ),
    ]
    for claim, blocks, size, expected in cases:
        yield claim
        call = f"network_cost({blocks}, 2, 3, {size}, 5)"
        answer = ask(call, network_cost, blocks, 2, 3, size, 5)
        expect(isinstance(answer, Mapping), f"`{call}` should be a dict; it is {kind(answer)}.")
        expect(
            set(answer) == set(expected),
            f"The keys should be dense and separable; yours are {', '.join(map(str, answer))}.",
        )
        for name, (weights, used) in expected.items():
            numbers = {"weights": weights, "multiply_adds": used}
            tell = f"`{call}`, the {name} network:"
            _expect_counts(f"{call}['{name}']", answer[name], numbers, tell)


@public_check("arithmetic_intensity")
def arithmetic_intensity(arithmetic_intensity: Callable[..., Any]) -> Claims:
    """Check the student's ``arithmetic_intensity(...)``."""
    yield "finds the intensities of an example"
    call = "arithmetic_intensity(2, 3, 3, 4, 5, 10)"
    answer = ask(call, arithmetic_intensity, 2, 3, 3, 4, 5, 10)
    # 200 output pixels; 54, 18 and 6 weights; 2 channels in, 3 (or 2) out
    expected = {
        "dense": 2 * 54 * 200 / (4 * (54 + 5 * 200)),
        "depthwise": 2 * 18 * 200 / (4 * (18 + 4 * 200)),
        "pointwise": 2 * 6 * 200 / (4 * (6 + 5 * 200)),
    }
    _expect_counts(call, answer, expected, "There are 10 x 4 x 5 = 200 pixels in each channel.")

    yield "counts every image and every channel"
    call = "arithmetic_intensity(64, 32, 5, 8, 8, 1)"
    answer = ask(call, arithmetic_intensity, 64, 32, 5, 8, 8, 1)
    counts = {"dense": 51_200, "depthwise": 1600, "pointwise": 2048}
    channels = {"dense": 96, "depthwise": 128, "pointwise": 96}
    expected = {
        step: 2 * count * 64 / (4 * (count + channels[step] * 64)) for step, count in counts.items()
    }
    _expect_counts(call, answer, expected, "There are 64 pixels in each channel.")


# ------------------------------------------------------------------------------------------------
# The trained network, and the bonus


@public_check("training_error")
def training_error(training_error: Callable[..., Any]) -> Claims:
    """Check the student's ``training_error(train_accuracy)``."""
    yield "gives the share of the training images that are wrong, epoch by epoch"
    call = "training_error([0.1, 0.5, 1.0])"
    answer = ask(call, training_error, [0.1, 0.5, 1.0])
    expect(isinstance(answer, list), f"`{call}` should be a list; yours is {kind(answer)}.")
    expect(len(answer) == 3, f"Three epochs give three errors; you have {len(answer)}.")
    for epoch, (found, expected) in enumerate(zip(answer, (0.9, 0.5, 0.0), strict=True), start=1):
        number = as_number(f"The error of epoch {epoch}", found)
        expect(
            math.isclose(number, expected, abs_tol=1e-9),
            f"The error of epoch {epoch} should be {expected:g}; you found {number:g}.",
        )


@public_check("best_separable")
def best_separable(best_separable: Callable[..., Any]) -> Claims:
    """Check the student's ``best_separable(kernel)``."""
    call = "best_separable(kernel)"

    def asked(kernel: Tensor) -> Tensor:
        filters, channels, size, _ = kernel.shape
        answer = ask(call, best_separable, kernel)
        expect(
            isinstance(answer, tuple | list) and len(answer) == 2,
            f"`{call}` should return two tensors; yours is {kind(answer)}.",
        )
        depthwise = as_tensor("The first result", answer[0], (channels, 1, size, size))
        pointwise = as_tensor("The second result", answer[1], (filters, channels, 1, 1))
        return torch.einsum("nc,cij->ncij", pointwise[:, :, 0, 0], depthwise[:, 0]).detach()

    eps = torch.finfo(torch.float32).eps
    yield "finds a kernel that is separable"
    depthwise, pointwise = _drawn(1, 3, 1, 3, 3), _drawn(2, 5, 3, 1, 1)
    kernel = torch.einsum("nc,cij->ncij", pointwise[:, :, 0, 0], depthwise[:, 0])
    found = asked(kernel)
    # A singular value decomposition is exact up to a small multiple of the precision.
    allowed = 100 * eps * float(kernel.norm())
    expect(
        near(found, kernel, allowed),
        "This kernel is that of a separable convolution, so nothing should be lost; yours is off "
        f"by up to {float((found - kernel).abs().max()):.2g}.",
    )

    yield "comes as near as possible to a kernel that is not"
    kernel = _drawn(3, 5, 3, 3, 3)
    found = asked(kernel)
    # By Eckart and Young, what is left of a channel's matrix is all singular values but the first.
    left = sum(
        float(torch.linalg.matrix_norm(matrix).square() - torch.linalg.matrix_norm(matrix, 2) ** 2)
        for matrix in kernel.transpose(0, 1).flatten(2)
    )
    error = float((found - kernel).square().sum())
    expect(
        error <= left + 100 * eps * float(kernel.norm()) ** 2,
        f"The sum of the squared differences could be {left:.4g}; yours is {error:.4g}.",
    )

    yield "copes with an input channel whose weights are all zero"
    kernel = _drawn(4, 5, 3, 3, 3)
    kernel[:, 1] = 0
    found = asked(kernel)
    expect(not found[:, 1].any(), "The channel that is zero should stay zero; yours does not.")
