"""Public checks of the assignment `quantization`.

Every check takes the student's answer and returns a `CheckResult`. One example recurs, because it
can be worked out by hand: the weights -1, 0.2, 0.9 and 2, which two bits round to -1, 0, 1 and 2.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers import training
from helpers.checks.answers import (
    Array,
    as_array,
    as_number,
    as_tensor,
    ask,
    expect,
    kind,
    near,
    shown,
)
from helpers.checks.hints import Hints
from helpers.checks.pictures import Picture, graph
from helpers.checks.result import Claims, Wrong, public_check
from helpers.checks.trained import trained
from helpers.checks.values import accuracies, repeats, verdict
from helpers.checks.written import words
from helpers.dataset import Dataset
from helpers.history import History

__all__ = [
    "accuracies",
    "asked_by",
    "average_precision",
    "dequantize",
    "fine_tune",
    "hint",
    "layer_bits",
    "levels_changed",
    "memory_ratio",
    "quant_conv2d",
    "quantize",
    "quantize_linear",
    "quantize_nonzero",
    "quantize_parameters",
    "quantize_stochastic",
    "repeats",
    "round_trip",
    "ste",
    "stochastic_parameters",
    "trained",
    "verdict",
    "words",
]

hint = Hints(Path(__file__).with_name("hints.json"))

# Upper bound on the sum of eight float32 rounding errors, relative to the largest number that is
# rounded: each relative error is at most half of 2^-23.
ROUNDING = 4 * 2.0**-23

# The share of the quantized weights that training moves to other levels at least. Two epochs moved
# 9 % of those of 4 bits; an estimator that passes no gradient moves none.
LEAST_CHANGED = 0.01

WEIGHTS = (-1.0, 0.2, 0.9, 2.0)
LEVELS = (-1.0, 0.0, 1.0, 2.0)  # the weights rounded to two bits, in steps of 1
STEPS_SHOWN = 5  # of a staircase, so that each can be seen
LEVEL_COUNTS = {8: 256, 6: 64, 4: 16, 3: 8, 2: 4, 1: 2}

# ------------------------------------------------------------------------------------------------
# Affine quantization


@public_check("quantize")
def quantize(quantize: Callable[..., Any]) -> Claims:
    """Check the student's ``quantize(w, bits)``."""
    yield "returns codes in uint8 and in the shape of the weights, a scale and a minimum"
    for shape in ((4,), (2, 2)):
        w = np.array(WEIGHTS, np.float32).reshape(shape)
        _quantized(ask("quantize(w, 2)", quantize, w, 2), w)

    yield "finds the codes, scale and minimum of an example"
    w = np.array(WEIGHTS, np.float32)
    codes, scale, minimum = _quantized(ask("quantize(w, 2)", quantize, w, 2), w)
    example = (
        f"With 2 bits, `w = {shown(w)}` has four levels: -1, 0, 1 and 2, from its smallest to its "
        "largest weight."
    )
    stairs = _staircase(2, lambda w: _levels(quantize(w, 2)))
    expect(
        abs(minimum + 1) <= ROUNDING,
        f"{example}\nThe minimum is -1; yours is {minimum:.4g}.",
        stairs,
    )
    expect(
        abs(scale - 1) <= 3 * ROUNDING,
        f"{example}\nThe step from one level to the next is 1; your scale is {scale:.4g}.",
        stairs,
    )
    expect(
        codes.tolist() == [0, 1, 2, 3],
        f"{example}\nThe nearest levels have the codes [0, 1, 2, 3]; yours are {shown(codes)}.",
        stairs,
    )

    yield "begins at the smallest weight, even if zero is then on no level"
    w = np.array([0.25, 0.375, 1.75], np.float32)
    codes, scale, minimum = _quantized(ask("quantize(w, 2)", quantize, w, 2), w)
    rebuilt = codes * float(scale) + float(minimum)
    expect(
        bool(np.abs(rebuilt - [0.25, 0.25, 1.75]).max() <= 8 * ROUNDING),
        f"With 2 bits, `w = {shown(w)}` has the levels 0.25, 0.75, 1.25 and 1.75. Your codes, "
        f"scale and minimum give back {shown(rebuilt)}.",
        graph(w, rebuilt, [0.25, 0.25, 1.75], ("weight", "level")),
    )

    yield "rounds to the nearest of 256 levels by default (8 bits)"
    numbers = np.arange(256)
    for part in (0.3, -0.3):
        moved = np.where((numbers == 0) | (numbers == 255), 0, part)  # the ends make the range
        w = ((numbers + moved) / 64 - 1).astype(np.float32)
        codes, _, _ = _quantized(ask("quantize(w)", quantize, w), w)
        if wrong := np.flatnonzero(codes != numbers).tolist():
            side = "above" if part > 0 else "below"
            i = wrong[len(wrong) // 2]
            place = f"on level {i}" if i in (0, 255) else f"0.3 steps {side} level {i}"
            few = slice(max(i - 4, 0), i + 5)
            raise Wrong(
                f"Of the levels 0 to 255, a weight {place} got the code {codes[i]}.",
                graph(w[few], codes[few], numbers[few], ("weight", "code")),
            )

    yield "gives the smallest weight code 0 and the largest weight the last code"
    for bits in (8, 4, 3, 1):
        w = _skewed_weights()
        codes, _, _ = _quantized(ask(f"quantize(w, {bits})", quantize, w, bits), w)
        ends = (int(codes[w.argmin()]), int(codes[w.argmax()]))
        last = LEVEL_COUNTS[bits] - 1
        expect(
            ends == (0, last),
            f"With {bits} bits the codes should go from 0 to {last}; yours go from {ends[0]} "
            f"(smallest weight) to {ends[1]} (largest).",
        )

    yield "copes with weights that are all equal"
    w = np.full((2, 3), 0.25, np.float32)
    with np.errstate(divide="raise", invalid="raise"):  # 0/0 is no code, even if it looks like one
        codes, _, _ = _quantized(ask("quantize(w, 8)", quantize, w, 8), w)
    expect(
        (codes == codes.flat[0]).all(),
        f"All weights are 0.25, so all codes should be equal; yours are {shown(codes)}.",
    )

    yield "leaves `w` as it was"
    w = _skewed_weights()
    ask("quantize(w, 8)", quantize, w, 8)
    expect(np.array_equal(w, _skewed_weights()), "`w` itself has changed: work on a copy.")


@public_check("dequantize")
def dequantize(dequantize: Callable[..., Any]) -> Claims:
    """Check the student's ``dequantize(codes, scale, minimum)``."""
    call = "dequantize(codes, 0.5, -1.0)"
    codes = np.array([[0, 1], [3, 2]], np.uint8)

    yield "returns float32 in the shape of the codes"
    weights = as_array(f"`{call}`", ask(call, dequantize, codes, 0.5, -1.0), codes.shape)
    expect(
        weights.dtype == np.float32,
        f"`{call}` should be an array of float32; yours is an array of {weights.dtype}.",
    )

    yield "finds the weights of an example"
    expect(
        weights[0, 0] == -1,
        f"Code 0 stands for the minimum, here -1; your weight is {weights[0, 0]:.4g}.",
    )
    expected = np.array([[-1, -0.5], [0.5, 0]])
    expect(
        np.abs(weights - expected).max() <= ROUNDING,
        f"With a scale of 0.5 and a minimum of -1, the codes {shown(codes)} are the weights "
        f"{shown(expected)}; yours are {shown(weights)}.",
    )

    yield "finds the weights of large codes"
    codes = np.array([0, 128, 200, 255], np.uint8)
    call = "dequantize(codes, 2.0, 100.0)"
    weights = as_array(f"`{call}`", ask(call, dequantize, codes, 2.0, 100.0), codes.shape)
    expected = np.array([100, 356, 500, 610])
    expect(
        np.abs(weights - expected).max() <= 610 * ROUNDING,
        f"With a scale of 2 and a minimum of 100, the codes {shown(codes)} are the weights "
        f"{shown(expected)}; yours are {shown(weights)}. (A uint8 cannot hold more than 255.)",
    )


@public_check("quantize and dequantize")
def round_trip(quantize: Callable[..., Any], dequantize: Callable[..., Any]) -> Claims:
    """Check that the student's `quantize` and `dequantize` fit together."""

    def there_and_back(w: Array, bits: int) -> tuple[Array, float]:
        codes, scale, minimum = _quantized(ask(f"quantize(w, {bits})", quantize, w, bits), w)
        call = "dequantize(codes, scale, minimum)"
        return as_array(f"`{call}`", ask(call, dequantize, codes, scale, minimum), w.shape), scale

    def stairs(bits: int) -> Picture:
        return _staircase(bits, lambda w: dequantize(*quantize(w, bits)))

    yield "brings every weight back to within half a step"
    for bits in (8, 5, 2):
        w = _skewed_weights()
        back, scale = there_and_back(w, bits)
        error = np.abs(back.astype(np.float64) - w)
        expect(scale > 0, f"With {bits} bits your scale is {scale:.4g}; it should be above 0.")
        # In both directions together, five numbers are rounded; none is larger than the range.
        slack = 2 * ROUNDING * float(np.abs(w).max())
        worst = int(error.argmax())
        expect(
            error[worst] <= scale / 2 + slack,
            f"With {bits} bits the step is {scale:.4g}, but the weight {w[worst]:.4g} comes back "
            f"as {back[worst]:.4g}, which is {error[worst] / scale:.2f} steps away.",
            stairs(bits),
        )

    yield "brings equal weights back as they were"
    for value in (0.25, -3.0, 0.0):
        back, _ = there_and_back(np.full(5, value, np.float32), 4)
        expect(
            np.abs(back - value).max() <= ROUNDING * abs(value),
            f"Five weights of {value:g} should come back unchanged; yours are {shown(back)}.",
        )


@public_check("memory_ratio")
def memory_ratio(memory_ratio: Callable[..., Any]) -> Claims:
    """Check the student's ``memory_ratio(w)``."""
    call = "memory_ratio(w)"
    yield "counts all bytes of 100 weights"
    w = np.linspace(-1, 1, 100, dtype=np.float32)
    ratio = as_number(f"`{call}`", ask(call, memory_ratio, w))
    expect(
        not math.isclose(ratio, 4),
        "You found a ratio of 4. That would be right if only the codes had to be kept. What else "
        "does `dequantize` need?",
    )
    # The ratio is exact up to the order of one or two divisions, in double precision or float32.
    expect(
        math.isclose(ratio, 400 / 108, rel_tol=ROUNDING),
        f"100 weights take 400 bytes. Their codes and the rest that has to be kept take 108 bytes. "
        f"The ratio is 3.7037; you found {ratio:.5g}.",
    )

    yield "counts all bytes of other arrays"
    for shape, before, after in (((10, 100), 4000, 1008), ((2,), 8, 10)):
        w = np.linspace(-1, 1, before // 4, dtype=np.float32).reshape(shape)
        ratio = as_number(f"`{call}`", ask(call, memory_ratio, w))
        expect(
            math.isclose(ratio, before / after, rel_tol=ROUNDING),
            f"An array of shape {shape} is reduced from {before} to {after} bytes. The ratio is "
            f"{before / after:.5g}; you found {ratio:.5g}.",
        )


def _as_parameters(call: str, answer: Any, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the student's tensors, which should have the names and shapes of the given ones."""
    expect(
        isinstance(answer, Mapping),
        f"`{call}` should be a dict from names to tensors; yours is {kind(answer)}.",
    )
    expect(
        set(answer) == set(given),
        f"The names should be {', '.join(given)}; yours are {', '.join(map(str, answer))}.",
    )
    return {
        name: as_tensor(f"`{call}['{name}']`", answer[name], parameter.shape).detach().cpu()
        for name, parameter in given.items()
    }


@public_check("quantize_parameters")
def quantize_parameters(quantize_parameters: Callable[..., Any]) -> Claims:
    """Check the student's ``quantize_parameters(parameters, bits)``."""
    call = "quantize_parameters(parameters, 2)"

    def parameters() -> dict[str, Tensor]:
        return {
            "conv.weight": nn.Parameter(torch.tensor(WEIGHTS).view(4, 1, 1, 1)),
            "conv.bias": nn.Parameter(100 * torch.tensor(WEIGHTS)),
            "norm.weight": nn.Parameter(torch.ones(3)),
        }

    yield "returns a tensor for each parameter, in its shape"
    given = parameters()
    answer = ask(call, quantize_parameters, given, 2)
    quantized = _as_parameters(call, answer, given)

    yield "gives each parameter levels of its own"
    for name, size in (("conv.weight", 1), ("conv.bias", 100)):
        expected = size * torch.tensor(LEVELS)
        expect(
            near(quantized[name].flatten(), expected, size * 2 * ROUNDING),
            f"`{name}` is {shown(given[name].flatten())}. With two bits it should become "
            f"{shown(expected)}; you found {shown(quantized[name].flatten())}.",
        )

    yield "copes with a parameter whose values are all equal"
    expect(
        near(quantized["norm.weight"], torch.ones(3), ROUNDING),
        f"The weights of a new batch norm are all 1 and should stay 1; yours are "
        f"{shown(quantized['norm.weight'])}.",
    )

    yield "leaves the parameters as they were"
    expect(
        all(torch.equal(given[name], before) for name, before in parameters().items()),
        "The parameters that you were given have changed: write into new tensors.",
    )


# ------------------------------------------------------------------------------------------------
# Stochastic rounding


@public_check("quantize_stochastic")
def quantize_stochastic(quantize_stochastic: Callable[..., Any]) -> Claims:
    """Check the student's ``quantize_stochastic(w, bits, seed)``."""

    def asked(w: Array, seed: int) -> Array:
        # All arrays here range from 0 to 3, so that with 2 bits the weights are in units of codes.
        call = f"quantize_stochastic(w, 2, {seed})"
        codes, scale, minimum = _quantized(ask(call, quantize_stochastic, w, 2, seed), w)
        expect(
            abs(scale - 1) <= 3 * ROUNDING and abs(minimum) <= ROUNDING,
            "With 2 bits, weights from 0 to 3 have the levels 0, 1, 2, 3: the scale is 1 and the "
            f"minimum is 0. You found scale {scale:.4g} and minimum {minimum:.4g}.",
        )
        return codes

    yield "returns codes in uint8 and in the shape of the weights, a scale and a minimum"
    asked(np.array([[0, 1.25], [2.5, 3]], np.float32), 0)

    copies = 10_000
    fractions = (0.25, 0.5, 1.1, 2.8)
    w = np.array([0.0, 3.0] + [f for f in fractions for _ in range(copies)], np.float32)
    codes = asked(w, 0)
    by_fraction = {f: codes[w == np.float32(f)].astype(int) for f in fractions}

    yield "rounds to one of the two neighbouring levels"
    for fraction, found in by_fraction.items():
        below = math.floor(fraction)
        expect(
            bool(np.isin(found, (below, below + 1)).all()),
            f"The levels next to {fraction:g} are {below} and {below + 1}, but you have rounded it "
            f"to {shown(np.unique(found))}.",
        )

    yield "is right on average"
    # By Hoeffding's inequality, the mean of n codes, each of which is one of two neighbours, is
    # further than this from its expectation with a probability of at most one in a billion.
    bound = math.sqrt(math.log(2e9) / (2 * copies))
    for fraction, found in by_fraction.items():
        expect(
            abs(found.mean() - fraction) <= bound,
            f"{copies:,} weights at {fraction:g} (in steps above the minimum) should have a mean "
            f"code within {bound:.2f} of {fraction:g}; yours is {found.mean():.3f}.",
        )

    yield "does not move weights that lie on a level"
    levels = np.array([0, 1, 2, 3] * 50, np.float32)
    for seed in range(3):
        found = asked(levels, seed)
        expect(
            np.array_equal(found, levels),
            "Weights at exactly 0, 1, 2 and 3 steps need no rounding, but some have moved.",
        )

    yield "draws the same numbers for the same seed, and others for another seed"
    expect(
        np.array_equal(asked(w, 7), asked(w, 7)),
        "Two calls with seed 7 gave different codes: let `seed` decide all the random numbers.",
    )
    expect(
        not np.array_equal(asked(w, 7), asked(w, 8)),
        "Seed 7 and seed 8 gave the same codes: let `seed` decide the random numbers.",
    )

    yield "works with steps of any length"
    w = np.array([0.0, 300.0] + [150.0] * copies, np.float32)
    call = "quantize_stochastic(w, 2, 0)"
    codes, _, _ = _quantized(ask(call, quantize_stochastic, w, 2, 0), w)
    expect(
        codes[1] == 3 and bool(np.isin(codes[2:], (1, 2)).all()),
        "With 2 bits, weights from 0 to 300 have the levels 0, 100, 200 and 300. A weight of 150 "
        f"lies between the codes 1 and 2; yours are {shown(np.unique(codes[2:]))}.",
    )

    yield "draws a random number for each weight"
    rows = np.zeros((copies // 10 + 1, 10), np.float32)
    rows[0, 0], rows[1:] = 3, 1.5
    codes = asked(rows, 0)[1:]
    # A row, or a column, of ten weights that each go up or down by chance is seldom all alike.
    alike = (codes == codes[:, :1]).all(axis=1).mean()
    expect(
        alike < 0.1 and not (codes == codes[:1]).all(),
        "Many rows of ten weights, all half-way between two levels, were rounded alike within each "
        "row or within each column. Draw as many random numbers as there are weights.",
    )

    yield "copes with weights that are all equal"
    w = np.full(6, 0.25, np.float32)
    call = "quantize_stochastic(w, 2, 0)"
    with np.errstate(divide="raise", invalid="raise"):  # 0/0 is no code, even if it looks like one
        codes, _, _ = _quantized(ask(call, quantize_stochastic, w, 2, 0), w)
    expect(
        (codes == codes[0]).all(),
        f"All weights are 0.25, so all codes should be equal; yours are {shown(codes)}.",
    )


@public_check("stochastic_parameters")
def stochastic_parameters(stochastic_parameters: Callable[..., Any]) -> Claims:
    """Check the student's ``stochastic_parameters(parameters, bits, repeat)``."""
    # With two bits the levels are 0, 1, 2 and 3; the weights in between are halfway.
    halfway = torch.tensor([0.0, 3.0] + [0.5, 1.5] * 100)
    equal = torch.full((3,), 0.25)

    def asked(repeat: int) -> dict[str, Tensor]:
        call = f"stochastic_parameters(parameters, 2, {repeat})"
        given = {"first": halfway, "second": halfway.clone(), "equal": equal}
        answer = ask(call, stochastic_parameters, given, 2, repeat)
        return _as_parameters(call, answer, given)

    yield "returns a tensor for each parameter, in its shape"
    noisy = asked(0)

    yield "moves every weight to one of the two levels beside it"
    for name in ("first", "second"):
        expect(
            bool(((noisy[name] - halfway).abs() <= 0.5 + 6 * ROUNDING).all())
            and near(noisy[name], noisy[name].round(), 6 * ROUNDING),
            "With 2 bits, weights from 0 to 3 have the levels 0, 1, 2 and 3, and a weight of 0.5 "
            f"becomes 0 or 1. Yours become {shown(noisy[name][2:6])}, where {shown(halfway[2:6])} "
            "was given.",
        )
    expect(
        near(noisy["equal"], equal, ROUNDING),
        f"Weights that are all 0.25 should stay 0.25; yours are {shown(noisy['equal'])}.",
    )

    yield "rounds at random, with numbers of its own for each parameter and each repeat"
    # Of 200 fair coins, as many as 160 agree with 200 others in fewer than one in 10^16 cases.
    other = asked(1)
    for one, another, problem in (
        (noisy["first"], noisy["second"], "two equal parameters were rounded alike"),
        (noisy["first"], other["first"], "a parameter was rounded alike in the repeats 0 and 1"),
        (
            noisy["second"],
            other["first"],
            "the second parameter of repeat 0 was rounded like the first one of repeat 1",
        ),
    ):
        agree = int((one - another)[2:].abs().lt(0.5).sum())
        expect(
            agree < 160,
            f"Of 200 weights that lie halfway between two levels, {agree} went the same way when "
            f"{problem}. Independent random numbers agree about 100 times.",
        )

    yield "gives the same result for the same repeat"
    again = asked(0)
    expect(
        all(torch.equal(noisy[name], again[name]) for name in noisy),
        "Two calls with repeat 0 gave different weights: the seed should depend on the number of "
        "the repeat and on the position of the parameter, and on nothing else.",
    )


# ------------------------------------------------------------------------------------------------
# Straight-through estimator


@public_check("quantize_linear")
def quantize_linear(quantize_linear: Callable[..., Any]) -> Claims:
    """Check the student's ``quantize_linear(w, bits)``."""

    def asked(w: Tensor, bits: int | None) -> Tensor:
        call = f"quantize_linear(w, {bits})"
        return as_tensor(f"`{call}`", ask(call, quantize_linear, w, bits), w.shape)

    def stairs(bits: int) -> Picture:
        return _staircase(bits, lambda w: quantize_linear(torch.from_numpy(w), bits))

    yield "leaves the weights as they are at full precision, `bits=None`"
    w = torch.tensor(WEIGHTS)
    found = asked(w, None)
    expect(
        torch.equal(found, torch.tensor(WEIGHTS)),
        f"`w = {shown(w)}` should stay as it is; you returned {shown(found)}.",
    )

    yield "makes all weights zero with 0 bits"
    found = asked(w, 0)
    expect(
        not found.any(),
        f"0 bits hold no information: all weights become 0. You returned {shown(found)}.",
    )

    yield "finds the levels of an example with 2 bits and with 1 bit"
    for bits, expected in ((2, LEVELS), (1, (-1.0, -1.0, 2.0, 2.0))):
        w = torch.tensor(WEIGHTS)
        _expect_levels(w, bits, expected, asked(torch.tensor(WEIGHTS), bits), stairs(bits))

    yield "uses at most 2^bits levels, from the smallest to the largest weight"
    w = torch.from_numpy(_skewed_weights()).view(20, 10, 1, 1)
    slack = 2 * ROUNDING * float(w.abs().max())
    for bits in (2, 3, 4, 6):
        found = asked(w, bits)
        levels = found.flatten().sort().values
        count = 1 + int((levels.diff() > 2 * slack).sum())
        expect(
            count <= LEVEL_COUNTS[bits],
            f"{bits} bits can distinguish {LEVEL_COUNTS[bits]} levels; yours has {count}.",
            stairs(bits),
        )
        for name, end, its in (
            ("smallest", w.min(), found.min()),
            ("largest", w.max(), found.max()),
        ):
            expect(
                abs(float(end - its)) <= slack,
                f"With {bits} bits the {name} level should be the {name} weight, {float(end):.4g}; "
                f"yours is {float(its):.4g}.",
                stairs(bits),
            )

    yield "moves no weight by more than half a step"
    for bits in (2, 3, 4, 6):
        found = asked(w, bits)
        step = float(w.max() - w.min()) / (LEVEL_COUNTS[bits] - 1)
        error = (found - w).abs().flatten()
        worst = int(error.argmax())
        expect(
            float(error[worst]) <= step / 2 + slack,
            f"With {bits} bits the levels are {step:.4g} apart, but the weight "
            f"{float(w.flatten()[worst]):.4g} moved by {float(error[worst]):.4g}.",
            stairs(bits),
        )

    yield "copes with weights that are all equal"
    found = asked(torch.full((3,), 0.25), 4)
    expect(
        near(found, torch.full((3,), 0.25), ROUNDING),
        f"Weights that are all 0.25 should stay 0.25; you returned {shown(found)}.",
    )

    yield "leaves `w` as it was"
    w = torch.tensor(WEIGHTS)
    asked(w, 0)
    asked(w, 2)
    expect(torch.equal(w, torch.tensor(WEIGHTS)), "`w` itself has changed: work on a copy.")


@public_check("STE")
def ste(STE: type) -> Claims:
    """Check the student's ``STE``."""
    yield "is an autograd function"
    expect(
        isinstance(STE, type) and issubclass(STE, torch.autograd.Function),
        "STE should be a class derived from `torch.autograd.Function`.",
    )

    def forward(bits: int | None) -> tuple[Tensor, Tensor]:
        w = torch.tensor(WEIGHTS, requires_grad=True)
        call = f"STE.apply(w, {bits})"
        return w, as_tensor(f"`{call}`", ask(call, STE.apply, w, bits), w.shape)  # type: ignore[attr-defined]

    yield "quantizes in the forward pass"
    for bits, expected in ((2, LEVELS), (None, WEIGHTS), (0, (0.0,) * 4)):
        w, found = forward(bits)
        _expect_levels(w, bits, expected, found)

    yield "passes the gradient straight through in the backward pass"
    arriving = torch.tensor([3.0, -0.5, 0.25, -20.0])
    for bits in (2, 4, None, 0):
        w, found = forward(bits)
        expect(
            found.requires_grad,
            f"The result of `STE.apply(w, {bits})` is cut off from `w`: no gradient can flow back.",
        )
        ask(f"backward, after STE.apply(w, {bits}),", found.backward, arriving)
        _expect_straight_through(f"STE.apply(w, {bits})", "w", w.grad, arriving)


@public_check("QuantConv2d")
def quant_conv2d(QuantConv2d: Callable[..., Any]) -> Claims:
    """Check the student's ``QuantConv2d``."""

    def build(bits: int | None, weight: Tensor, bias: Tensor | None, **options: Any) -> nn.Module:
        """Build a layer with these weights; `weight` is (out, in / groups, kernel, kernel)."""
        size = (weight.shape[1] * options.get("groups", 1), weight.shape[0], weight.shape[2])
        options["bias"] = bias is not None
        given = "".join(f", {key}={value}" for key, value in options.items())
        call = f"QuantConv2d{size}"[:-1] + f", bits={bits}{given})"
        layer = ask(call, QuantConv2d, *size, bits=bits, **options)
        expect(isinstance(layer, nn.Module), f"`{call}` should be a layer, not {kind(layer)}.")
        usual = nn.Conv2d(*size, **options).state_dict()
        expect(
            layer.state_dict().keys() == usual.keys(),
            f"The state dictionary should have the keys {', '.join(usual)}, like that of "
            "`nn.Conv2d`, so that trained weights can be loaded; yours has "
            f"{', '.join(layer.state_dict())}.",
        )
        trained = {"weight": weight, "bias": bias}
        layer.load_state_dict({name: trained[name] for name in usual})
        return layer

    def small(bits: int | None) -> nn.Module:
        """Build a layer of 4 to 1 channels, whose outputs for unit vectors are its weights."""
        return build(bits, torch.tensor(WEIGHTS).view(1, 4, 1, 1), None)

    # The fifth vector is longer, which reveals layers that quantize their input or output.
    unit_vectors = torch.cat([torch.eye(4), torch.tensor([[0.0, 0, 0, 10]])]).view(5, 4, 1, 1)

    yield "takes the arguments of `nn.Conv2d` and `bits`, and has the same parameters"
    small(2)

    yield "computes with quantized weights"
    examples: tuple[tuple[int | None, Sequence[float]], ...] = ((2, LEVELS), (None, WEIGHTS))
    for bits, expected in examples:
        found = as_tensor("`layer(x)`", ask("layer(x)", small(bits), unit_vectors), (5, 1, 1, 1))
        _expect_levels(torch.tensor(WEIGHTS), bits, expected, found.detach().flatten()[:4])

    yield "supports stride, padding, dilation, groups and bias"
    # The weights already lie on the four levels, so that nothing is rounded, nor is the bias.
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-3, 4, (2, 4, 8, 8), generator=generator).float()
    for options, biased in (
        ({"stride": 2}, False),
        ({"padding": 1}, True),
        ({"dilation": 2, "padding": 2}, False),
        ({"groups": 2}, True),
    ):
        shape = (6, 4 // options.get("groups", 1), 3, 3)
        weight = torch.randint(-1, 3, shape, generator=generator).float()
        bias = torch.linspace(-1, 1, 6) if biased else None
        usual = nn.functional.conv2d(x, weight, bias, **options)
        words = ", ".join(f"{key}={value}" for key, value in options.items())
        call = f"layer(x) with {words}"
        found = as_tensor(f"`{call}`", ask(call, build(2, weight, bias, **options), x), usual.shape)
        # The output is a sum of products of at most 2 * 3, with weights that have rounding errors.
        slack = weight[0].numel() * 6 * 2 * ROUNDING
        expect(
            near(found.detach(), usual, slack),
            f"With {words}{' and a bias' if biased else ''}, weights on the levels should give the "
            "same output as `nn.Conv2d`, but yours does not.",
        )

    yield "keeps its float weights"
    layer = small(2)
    ask("layer(x)", layer, unit_vectors)
    weight = layer.get_parameter("weight")
    expect(
        torch.equal(weight.detach().flatten(), torch.tensor(WEIGHTS)),
        f"`layer.weight` was {shown(torch.tensor(WEIGHTS))}, but it is {shown(weight.flatten())} "
        "after the forward pass. Small updates can only add up in weights that are not rounded.",
    )

    yield "quantizes the weights that it has now, not those of an earlier call"
    layer.load_state_dict({"weight": 2 * torch.tensor(WEIGHTS).view(1, 4, 1, 1)})
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, unit_vectors), (5, 1, 1, 1))
    found = found.detach().flatten()[:4]
    expect(
        near(found, 2 * torch.tensor(LEVELS), 32 * ROUNDING),
        f"After all weights were doubled, the quantized ones should be "
        f"{shown(2 * torch.tensor(LEVELS))}; yours are {shown(found)}.",
    )

    yield "passes the gradient straight through to its float weights"
    layer = small(2)
    weight = layer.get_parameter("weight")
    arriving = torch.tensor([3.0, -0.5, 0.25, -20.0])
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, unit_vectors[:4]), (4, 1, 1, 1))
    expect(
        found.requires_grad,
        "The output is cut off from the weights: no gradient can flow back.",
    )
    ask("backward, after layer(x),", found.backward, arriving.view(4, 1, 1, 1))
    gradient = None if weight.grad is None else weight.grad.flatten()
    _expect_straight_through("layer(x)", "layer.weight", gradient, arriving)

    yield "passes gradients to its bias and to its input"
    layer = build(2, torch.tensor(WEIGHTS).view(1, 4, 1, 1), torch.zeros(1))
    x = torch.ones(1, 4, 1, 1, requires_grad=True)
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, x), (1, 1, 1, 1))
    ask("backward, after layer(x),", found.sum().backward)
    bias = layer.get_parameter("bias").grad
    expect(
        bias is not None and near(bias, torch.ones(1), 0.0),
        "The bias should get the gradient 1, as in `nn.Conv2d`, so that it is trained as well; "
        f"yours gets {None if bias is None else shown(bias)}.",
    )
    expect(
        x.grad is not None and near(x.grad.flatten(), torch.tensor(LEVELS), 16 * ROUNDING),
        f"The gradient of the input should be the quantized weights, {shown(torch.tensor(LEVELS))};"
        f" yours is {None if x.grad is None else shown(x.grad.flatten())}.",
    )


@dataclass
class _Trial:
    """What a student's `fine_tune` asks for.

    Attributes
    ----------
    answer
        What it returns.
    history
        The history that it gets from `fit`.
    saved
        The name and the network of each call of `train_or_load`.
    fitted
        The arguments of each call of `fit`, by name.
    data
        The data set of the notebook.
    """

    answer: Any = None
    history: History = field(default_factory=lambda: History([0.5], [0.8], [0.8], [0.01], [1.0]))
    saved: list[tuple[Any, Any]] = field(default_factory=list)
    fitted: list[dict[str, Any]] = field(default_factory=list)
    data: Any = None


TRIAL_CHECKPOINT = Path("trial.checkpoint")


def _tried(fine_tune: Callable[..., Any], stage_bits: tuple[int, ...], epochs: int) -> _Trial:
    """Call a student's `fine_tune`, with functions that only take notes in the place of others."""
    call = f'fine_tune("trial", {stage_bits}, {epochs})'
    names = getattr(fine_tune, "__globals__", None)
    expect(names is not None, f"`{call}` needs a function, but this is {kind(fine_tune)}.")
    assert names is not None
    trial = _Trial(data=names.get("dataset"))
    signature = inspect.signature(training.fit)

    def fit(*args: Any, **settings: Any) -> History:
        given = signature.bind(*args, **settings)  # an argument that is missing stops it as usual
        given.apply_defaults()
        trial.fitted.append(given.arguments)
        return trial.history

    def train_or_load(name: Any, train: Any, model: Any) -> Any:
        trial.saved.append((name, model))
        return ask("train(model, checkpoint)", train, model, TRIAL_CHECKPOINT)

    with _replaced(names, fit=fit, train_or_load=train_or_load):
        trial.answer = ask(call, fine_tune, "trial", stage_bits, epochs)
    return trial


def asked_by(
    fine_tune: Callable[..., Any], stage_bits: Sequence[int], epochs: int
) -> dict[str, Any]:
    """Say what a student's `fine_tune` asks for when it makes the artifact "trial".

    The hidden test uses it. Nothing is trained or saved.

    Returns
    -------
    dict
        Plain data: the name of the artifact, the number of epochs and the learning rate, and
        whether `fit` gets the network, the data set and the checkpoint.
    """
    trial = _tried(fine_tune, tuple(stage_bits), epochs)
    expect(len(trial.saved) == 1 and len(trial.fitted) == 1, "It should train one network, once.")
    (name, model), settings = trial.saved[0], trial.fitted[0]
    return {
        "artifact": name,
        "network": settings["model"] is model,
        "data": _same_data(settings["dataset"], trial.data),
        "epochs": settings["epochs"],
        "rate": settings["lr"],
        "checkpoint": settings["checkpoint"] == TRIAL_CHECKPOINT,
    }


def _same_data(found: Any, expected: Any) -> bool:
    """Whether two data sets are the same by name: one may have been loaded again."""
    return found is expected or (
        isinstance(found, Dataset) and isinstance(expected, Dataset) and found.name == expected.name
    )


@public_check("fine_tune")
def fine_tune(fine_tune: Callable[..., Any]) -> Claims:
    """Check what the student's ``fine_tune(name, stage_bits, epochs)`` asks for; nothing trains."""
    call = 'fine_tune("trial", (5, 6, 7), 2)'

    yield "calls `train_or_load` once, with the name, a function and a quantized network"
    trial = _tried(fine_tune, (5, 6, 7), 2)
    saved, fitted, answer = trial.saved, trial.fitted, trial.answer
    expect(len(saved) == 1, f"`{call}` calls `train_or_load` {len(saved)} times.")
    name, model = saved[0]
    expect(name == "trial", f'The artifact should be named "trial"; yours is named {name!r}.')
    expect(isinstance(model, nn.Module), f"The network should be a model, not {kind(model)}.")
    bits = [
        {layer.bits for layer in stage.modules() if hasattr(layer, "bits")}
        for stage in (getattr(model, f"stage{number}", nn.Identity()) for number in (1, 2, 3))
    ]
    expect(
        bits == [{5}, {6}, {7}],
        f"With `{call}`, the convolutions of the three stages should have 5, 6 and 7 bits; yours "
        f"have {', '.join(' and '.join(map(str, each)) or 'none' for each in bits)}.",
    )

    yield "trains that network with `fit`, for the epochs given and from the learning rate 0.01"
    expect(len(fitted) == 1, f"Your training function calls `fit` {len(fitted)} times.")
    settings = fitted[0]
    expect(
        settings["model"] is model,
        "`fit` should train the network that your function is given.",
    )
    expect(
        _same_data(settings["dataset"], trial.data),
        f"`fit` should train on `dataset`; yours gets {kind(settings['dataset'])}.",
    )
    expect(
        settings["epochs"] == 2,
        f"`{call}` should train for 2 epochs; yours trains for {settings['epochs']}.",
    )
    rate = settings["lr"]
    expect(rate == 0.01, f"The learning rate should be 0.01; yours is {rate}.")

    yield "hands on the checkpoint, from which an interrupted training continues"
    expect(
        settings["checkpoint"] == TRIAL_CHECKPOINT,
        "`fit` does not get the checkpoint: call it with `checkpoint=checkpoint`.",
    )

    yield "returns the network and the history"
    expect(
        isinstance(answer, tuple | list) and len(answer) == 2,
        f"Return two things, `model, history`; you returned {kind(answer)}.",
    )
    expect(answer[0] is model, "The first thing returned should be the network.")
    expect(
        answer[1] is trial.history,
        "The second should be the history that `train_or_load` returned.",
    )


@public_check("levels changed")
def levels_changed(models: Any, start: Any) -> Claims:
    """Check that the training of quantized networks has moved weights to other levels.

    Parameters
    ----------
    models
        The trained networks by what they are called, such as ``"2 bits"``.
    start
        The network before the training.
    """
    yield "gets the trained networks by name"
    expect(isinstance(models, Mapping), f"It should be a dict; yours is {kind(models)}.")
    for name, model in models.items():
        changed = count = 0
        for place, layer in model.named_modules():
            if isinstance(bits := getattr(layer, "bits", None), int):
                new, old = (
                    _numbers(m.get_parameter(f"{place}.weight").detach().cpu(), bits)
                    for m in (model, start)
                )
                changed, count = changed + int((new != old).sum()), count + new.numel()
        expect(count > 0, f"{name}: the network has no layers with a number of `bits`.")
        yield f"{name}: {changed / count:.1%} of the quantized weights are on another level"
        expect(
            changed >= LEAST_CHANGED * count,
            f"At least {LEAST_CHANGED:.0%} are needed. Whatever the accuracy is, the weights of "
            "the convolutions were hardly trained. Does `STE.backward` return the gradient?",
        )


def _numbers(w: Tensor, bits: int) -> Tensor:
    """Return the number of the level of each weight, counted from the smallest weight."""
    span = (w.max() - w.min()).clamp(min=torch.finfo(w.dtype).tiny)
    return torch.round((w - w.min()) / span * (2**bits - 1))


@contextmanager
def _replaced(names: dict[str, Any], **others: Any) -> Iterator[None]:
    """Put other functions in the place of some that a student's function calls."""
    before = {name: names[name] for name in others if name in names}
    names.update(others)
    try:
        yield
    finally:
        for name in others:
            del names[name]
        names.update(before)


@public_check("quantize_nonzero")
def quantize_nonzero(quantize_nonzero: Callable[..., Any]) -> Claims:
    """Check the student's ``quantize_nonzero(w, bits)``."""

    def asked(w: Tensor, bits: int | None) -> Tensor:
        call = f"quantize_nonzero(w, {bits})"
        return as_tensor(f"`{call}`", ask(call, quantize_nonzero, w, bits), w.shape)

    yield "returns all weights in their shape, and keeps zeros at exactly zero"
    w = torch.tensor([[0.0, -1.0], [0.3, 0.0], [1.1, 2.5]])
    found = asked(w, 2)
    expect(
        not found[w == 0].any(),
        f"`w` is {shown(w)}, and its zeros should stay exactly zero. You returned {shown(found)}.",
    )

    yield "spends the levels on the non-zero weights only"
    w = torch.tensor([0.0, 1.0, 2.1, 0.0, 2.9, 4.0])
    _expect_levels(w, 2, (0.0, 1.0, 2.0, 0.0, 3.0, 4.0), asked(w, 2))
    _expect_levels(-w, 2, (0.0, -1.0, -2.0, 0.0, -3.0, -4.0), asked(-w, 2))

    yield "supports full precision and 0 bits"
    _expect_levels(w, None, w.tolist(), asked(w, None))
    _expect_levels(w, 0, (0.0,) * 6, asked(w, 0))

    yield "copes with weights that are all zero"
    _expect_levels(torch.zeros(3), 4, (0.0,) * 3, asked(torch.zeros(3), 4))

    yield "leaves `w` as it was"
    w, before = torch.tensor([0, 1.0, 2.1]), torch.tensor([0, 1.0, 2.1])
    asked(w, 1)
    asked(w, 0)
    expect(torch.equal(w, before), "`w` itself has changed: work on a copy.")


# ------------------------------------------------------------------------------------------------
# Mixed precision


@public_check("layer_bits")
def layer_bits(layer_bits: Callable[..., Any]) -> Claims:
    """Check the student's ``layer_bits(layer, stage_bits)``."""

    def asked(layer: str) -> float:
        call = f'layer_bits("{layer}", (5, 6, 7))'
        return as_number(f"`{call}`", ask(call, layer_bits, layer, (5, 6, 7)))

    yield "gives the layers of each stage the bits of their stage"
    for layer, bits in (
        ("stage1.0.conv1", 5),
        ("stage1.2.conv2", 5),
        ("stage2.1.conv1", 6),
        ("stage2.0.shortcut.0", 6),
        ("stage3.0.conv1", 7),
        ("stage3.2.conv2", 7),
    ):
        expect(
            asked(layer) == bits,
            f'"{layer}" is in stage {layer[5]}. With `stage_bits` (5, 6, 7), this stage has {bits} '
            f"bits; you returned {asked(layer):g}.",
        )

    yield "keeps the first convolution and the classifier in float, at 32 bits"
    for layer in ("stem", "classifier"):
        expect(
            asked(layer) == 32,
            f'"{layer}" is not in a stage and stays at 32 bits; you returned {asked(layer):g}.',
        )


@public_check("average_precision")
def average_precision(average_precision: Callable[..., Any]) -> Claims:
    """Check the student's ``average_precision(sizes, bits)``."""

    def expect_average(
        sizes: dict[str, int], bits: dict[str, int], expected: float, why: str
    ) -> None:
        call = f"average_precision({sizes}, {bits})"
        found = as_number(f"`{call}`", ask(call, average_precision, sizes, bits))
        expect(
            math.isclose(found, expected, rel_tol=ROUNDING),
            f"`{call}`\nshould be {expected}: {why}. You found {found:.5g}.",
        )

    yield "is the number of bits of every layer, if all layers have the same"
    expect_average({"a": 20, "b": 7}, {"a": 4, "b": 4}, 4, "every weight has 4 bits")

    yield "counts every weight, not every layer"
    expect_average(
        {"small": 100, "large": 300},
        {"small": 8, "large": 4},
        5,
        "400 weights take 800 + 1200 bits",
    )

    yield "need not be a whole number"
    expect_average({"a": 30, "b": 10}, {"a": 2, "b": 4}, 2.5, "40 weights take 60 + 40 bits")

    yield "counts the layers that stay in float"
    expect_average(
        {"stem": 10, "stage1": 90},
        {"stem": 32, "stage1": 2},
        5,
        "100 weights take 320 + 180 bits",
    )

    yield "finds the bits of a layer by its name"
    expect_average(
        {"small": 100, "large": 300},
        {"large": 4, "small": 8},
        5,
        "the order of the second dictionary makes no difference",
    )


# ------------------------------------------------------------------------------------------------
# Used by several checks


def _skewed_weights() -> Array:
    """Return 200 weights that are not centred on zero, which reveals errors in the range."""
    return (np.random.default_rng(0).normal(0.3, 1, 200) ** 3).astype(np.float32)


def _quantized(answer: Any, w: Array) -> tuple[Array, float, float]:
    """Return codes, scale and minimum if the answer has the right form, else raise `Wrong`."""
    expect(
        isinstance(answer, tuple | list) and len(answer) == 3,
        f"Return three things, `codes, scale, minimum`; you returned {kind(answer)}"
        + (f" of {len(answer)}." if isinstance(answer, tuple | list) else "."),
    )
    codes = as_array("`codes`", answer[0], w.shape)
    expect(
        codes.dtype == np.uint8,
        f"The codes should be of type uint8, one byte each; yours are of {codes.dtype}.",
    )
    return codes, as_number("`scale`", answer[1]), as_number("`minimum`", answer[2])


def _staircase(bits: int, levels: Callable[[Array], Any]) -> Picture:
    """Return a picture of the first steps that a quantizer makes, beside those expected.

    The weights are made around the levels -1, 0, 1, ..., so that nothing has to be rounded here.

    Parameters
    ----------
    bits
        How many bits `levels` quantizes to.
    levels
        The student's code, from weights, (N,) float32, to the levels that they are rounded to.
    """
    last = 2**bits - 2
    around = [(n, part) for n in range(-1, STEPS_SHOWN - 1) for part in (-0.4, -0.2, 0.0, 0.2, 0.4)]
    steps = [(n + part, n) for n, part in around if -1 <= n + part <= last]
    weights = np.array([*(weight for weight, _ in steps), last], np.float32)  # the whole range
    return graph(
        weights[:-1],
        lambda: levels(weights.copy())[:-1],
        [level for _, level in steps],
        ("weight", "level"),
    )


def _levels(answer: tuple[Array, Any, Any]) -> Array:
    codes, scale, minimum = answer
    return codes * float(scale) + float(minimum)


def _expect_levels(
    w: Tensor,
    bits: int | None,
    expected: Sequence[float],
    found: Tensor,
    picture: Picture | None = None,
) -> None:
    right = torch.tensor(expected)
    expect(
        near(found.detach(), right, 2 * ROUNDING * float(w.detach().abs().max())),
        f"With {'full precision' if bits is None else f'{bits} bits'}, the weights {shown(w)} "
        f"should be {shown(right)}; you found {shown(found)}.",
        picture or graph(w, found, right, ("weight", "level")),
    )


def _expect_straight_through(
    call: str, name: str, gradient: Tensor | None, arriving: Tensor
) -> None:
    words = f"The gradient {shown(arriving)} arrives at `{call}`"
    if gradient is None:
        raise Wrong(f"{words}, but no gradient reaches `{name}`.")
    if not gradient.any():
        raise Wrong(
            f"{words}, but only zeros reach `{name}`, so no weight would be trained. Zero is the "
            "true gradient of rounding, which a straight-through estimator replaces."
        )
    expect(
        torch.equal(gradient, arriving),
        f"{words} and should reach `{name}` unchanged, but {shown(gradient)} reaches it.",
    )
