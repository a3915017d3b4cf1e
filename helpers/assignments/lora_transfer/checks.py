"""Public checks of the assignment `lora_transfer`.

Every check takes the student's answer and returns a `CheckResult`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from helpers.checks.answers import (
    as_number,
    as_tensor,
    ask,
    expect,
    expect_keys,
    kind,
    near,
    shown,
)
from helpers.checks.figures import axes_are_named, lines_are_named, panels_of
from helpers.checks.hints import Hints
from helpers.checks.result import Claims, Wrong, public_check
from helpers.checks.trained import trained
from helpers.checks.values import verdict
from helpers.checks.written import words
from helpers.history import History

__all__ = [
    "costs",
    "curves",
    "energy_held",
    "freeze",
    "freeze_all_but",
    "hint",
    "lora_conv",
    "lora_linear",
    "merge",
    "trained",
    "training_cost",
    "unmerge",
    "useful_rank",
    "verdict",
    "words",
]

hint = Hints(Path(__file__).with_name("hints.json"))

ROUNDING = 1e-5
"""Room for some ten float32 roundings, relative to numbers of at most a hundred."""

MODELS = ("pt_net", "net_freeze", "net_freeze_lora")

# ------------------------------------------------------------------------------------------------
# Freezing


def _small_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), nn.Linear(4, 2)
    )


def _batch() -> Tensor:
    return torch.tensor([[1.0, 2.0], [-3.0, 0.5], [4.0, -1.0], [0.0, 2.5]])


def _train(model: nn.Module, weight_decay: float = 0.1) -> None:
    """Train for two steps, as a loop does that hands all parameters to the optimizer."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=weight_decay)
    for _ in range(2):
        model.train()
        optimizer.zero_grad(set_to_none=False)
        model(_batch()).square().sum().backward()
        optimizer.step()


@public_check("freeze")
def freeze(freeze: Callable[..., Any]) -> Claims:
    """Check the student's ``freeze(module)``."""
    yield "changes the module in place and renames nothing in it"
    model = _small_network()
    names = list(model.state_dict())
    ask("freeze(module)", freeze, model[1])
    expect(
        list(model.state_dict()) == names,
        f"The names in the network were {', '.join(names)}; after `freeze` they are "
        f"{', '.join(model.state_dict())}. Weights that were saved would not be found.",
    )

    yield "leaves the inputs of the module as they are"
    found = ask("model(x)", model, _batch())
    expect(
        isinstance(found, Tensor) and found.shape == (4, 2),
        f"The output of the network should have the shape (4, 2); it is {shown(found)}.",
    )

    yield "stops the parameters, in spite of momentum and weight decay"
    before = {name: w.clone() for name, w in model.state_dict().items()}
    _train(model)
    after = model.state_dict()
    for name in (n for n in names if n.startswith("1.") and n.endswith(("weight", "bias"))):
        expect(
            torch.equal(before[name], after[name]),
            f"After two steps of SGD with weight decay, `{name}` of the frozen module is "
            f"{shown(after[name].flatten()[:4])}; it was {shown(before[name].flatten()[:4])}.",
        )

    yield "stops the statistics of batch norm, although the network is put into training mode"
    name = "1.1.running_mean"
    expect(
        torch.equal(before[name], after[name]),
        f"The running mean was {shown(before[name])}, and after two batches it is "
        f"{shown(after[name])}. `model.train()` reaches the frozen module too: it has to stay in "
        "evaluation mode.",
    )

    yield "computes in training mode what it computes in evaluation mode"
    inputs = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
    outputs = [model.train(mode)[1](inputs).detach() for mode in (False, True)]
    expect(
        near(outputs[1], outputs[0], ROUNDING),
        f"In evaluation mode the frozen module gives {shown(outputs[0][0])} for an example, and in "
        f"training mode {shown(outputs[1][0])}: there, its batch norm normalises by the batch. The "
        "module has to stay in evaluation mode.",
    )

    yield "lets the rest of the network train"
    for name in ("0.weight", "2.weight"):
        expect(
            not torch.equal(before[name], after[name]),
            f"`{name}` is outside the frozen module, but it has not changed in two steps. "
            "Gradients have to pass through the frozen module to what comes before it.",
        )


@public_check("freeze_all_but")
def freeze_all_but(freeze_all_but: Callable[..., Any]) -> Claims:
    """Check the student's ``freeze_all_but(model, trained)``."""
    for trained_parts in (("2",), ("1", "2")):
        yield f"with `trained={trained_parts}`, trains just these parts"
        model = _small_network()
        ask(f"freeze_all_but(model, {trained_parts})", freeze_all_but, model, trained_parts)
        for name, part in model.named_children():
            trains = all(p.requires_grad for p in part.parameters())
            expect(
                trains == (name in trained_parts),
                f"The part {name!r} should {'train' if name in trained_parts else 'be frozen'}, "
                f"but its parameters {'are trained' if trains else 'are frozen'}.",
            )

    yield "goes by whole names, in whatever order they stand"
    for kept in (["part10", "fc"], ["part1", "fc"]):
        model = nn.Sequential()
        for name in ("part1", "part10", "fc"):
            model.add_module(name, nn.Linear(2, 2))
        ask(f"freeze_all_but(model, {kept})", freeze_all_but, model, kept)
        for name, part in model.named_children():
            expect(
                part.get_parameter("weight").requires_grad == (name in kept),
                f"Of the parts part1, part10 and fc, {' and '.join(kept)} should train, "
                f"but {name} {'is frozen' if name in kept else 'trains too'}.",
            )

    yield "freezes the statistics of batch norm in the other parts"
    model = _small_network()
    ask("freeze_all_but(model, ('2',))", freeze_all_but, model, ("2",))
    model.train()
    model(_batch())
    mean = model[1].get_buffer("1.running_mean")
    expect(
        not mean.any(),
        f"A running mean in a frozen part was 0; after a batch in training mode it is "
        f"{shown(mean)}.",
    )


@public_check("training_cost")
def training_cost(training_cost: Callable[..., Any]) -> Claims:
    """Check the student's ``training_cost(model)``."""
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 5, bias=False))
    for frozen, count in ((False, 22), (True, 14)):
        yield f"counts {count} of 22 parameters where {'8 are' if frozen else 'none is'} frozen"
        if frozen:
            model[0].requires_grad_(False)
        found = ask("training_cost(model)", training_cost, model)
        expect_keys(found, ("trained parameters", "optimizer bytes"), "an entry")
        for key, expected in (("trained parameters", count), ("optimizer bytes", 4 * count)):
            number = as_number(f"`{key}`", found[key])
            expect(number == expected, f"`{key}` should be {expected}; yours is {number:g}.")

    yield "counts a layer once that stands in two places"
    shared = nn.Linear(2, 2)
    found = ask("training_cost(model)", training_cost, nn.Sequential(shared, nn.ReLU(), shared))
    number = as_number("`trained parameters`", found["trained parameters"])
    expect(number == 6, f"The optimizer gets its 6 parameters once; you count {number:g}.")


# ------------------------------------------------------------------------------------------------
# LoRA


def _lora(call: str, layer_class: Callable[..., Any], base: nn.Module, r: int, alpha: float) -> Any:
    """Build a layer, and check the form that all of the notebook relies on."""
    weight = base.get_parameter("weight")
    shapes = {"A": (r, *weight.shape[1:]), "B": (weight.shape[0], r)}
    names = {*shapes, *(f"base.{name}" for name in base.state_dict())}
    layer = ask(call, layer_class, base, r, alpha)
    expect(isinstance(layer, nn.Module), f"`{call}` should be a layer, not {kind(layer)}.")
    found = dict(layer.named_parameters())
    for name, shape in shapes.items():
        expect(name in found, f"The layer has no parameter `{name}`: use `nn.Parameter`.")
        expect(
            tuple(found[name].shape) == shape,
            f"`{name}` should have the shape {shape}; yours has {tuple(found[name].shape)}.",
        )
        expect(found[name].requires_grad, f"`{name}` should be trained, but it is frozen.")
    for name, parameter in found.items():
        expect(
            name in shapes or not parameter.requires_grad,
            f"`{name}` should be frozen: only `A` and `B` are trained.",
        )
    expect(layer.base is base, "`base` should be the layer that is given itself, and no copy.")
    found_scale = as_number("`scale`", getattr(layer, "scale", None))
    expect(
        math.isclose(found_scale, alpha / r, rel_tol=1e-6),
        f"`scale` should be alpha / r = {alpha / r:g}; yours is {found_scale:g}.",
    )
    again = ask(call, layer_class, deepcopy(base), r, alpha)
    expect(
        not torch.equal(layer.get_parameter("A"), again.get_parameter("A")),
        "`A` is the same in two new layers: draw it at random, and set no seed.",
    )
    saved = set(layer.state_dict())
    expect(
        saved == names,
        f"What is saved of the layer should be {', '.join(sorted(names))}; of yours it is "
        f"{', '.join(sorted(saved))}. A saved network could not be loaded into another one.",
    )
    return layer


def _passes_gradients(layer: Any, x: Tensor) -> None:
    """Check the gradients of the factors and of the input against finite differences."""
    x = x.clone().requires_grad_()
    layer(x).sum().backward()
    for name in ("A", "B"):
        expect(
            layer.get_parameter(name).grad is not None,
            f"No gradient reaches `{name}`, so it would never learn.",
        )
    gradient = x.grad
    if gradient is None:
        raise Wrong("No gradient reaches `x`, nor what comes before the layer.")
    with torch.no_grad():
        # The layer is linear in x, so that a difference is exact up to rounding.
        step = torch.linspace(-1, 1, x.numel()).view(x.shape)
        difference = float((layer(x + step) - layer(x)).sum())
        slope = float((gradient * step).sum())
    expect(
        math.isclose(slope, difference, rel_tol=1e-3, abs_tol=1e-2),
        "The gradient of `x` does not fit the output: is `x` detached on the way to the update?",
    )
    layer.zero_grad()


def _starts_as_its_base(layer: Any, x: Tensor, expected: Tensor) -> None:
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, x), tuple(expected.shape))
    expect(
        not layer.B.any(), f"`B` should be zero; yours begins with {shown(layer.B.detach()[0])}."
    )
    expect(bool(layer.A.any()), "`A` is zero: with a zero `B` beside it, neither would ever learn.")
    expect(
        layer.A.unique().numel() > layer.A.numel() // 2,
        "`A` should be random, but many of its numbers are equal. If its rows are, then the update "
        "has rank 1 for ever.",
    )
    values = torch.linalg.svdvals(layer.A.detach().flatten(1))
    expect(
        bool(values[-1] > 1e-4 * values[0]),
        "The rows of `A` depend on each other, as those of 1, 2, 3, ... do: draw them at random.",
    )
    expect(
        near(found.detach(), expected, ROUNDING),
        "A new layer should give what its base gives, because `B` is zero at the start. Yours "
        f"gives {shown(found.detach().flatten()[:4])} where the base gives "
        f"{shown(expected.flatten()[:4])}.",
    )


@public_check("LoRALinear")
def lora_linear(LoRALinear: Callable[..., Any]) -> Claims:
    """Check the student's ``LoRALinear(base, r, alpha)``."""
    call = "LoRALinear(base, 2, 6)"
    yield "freezes its base, and has trained factors `A` and `B`"
    base = nn.Linear(3, 4)
    x = torch.tensor([[1.0, 0.0, -1.0], [2.0, 1.0, 0.5]])
    expected = base(x).detach()
    layer = _lora(call, LoRALinear, base, 2, 6.0)

    yield "starts as its base"
    _starts_as_its_base(layer, x, expected)

    yield "adds alpha / r times B A to the weight"
    with torch.no_grad():
        layer.A.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
        layer.B.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]]))
    right = torch.zeros(4, 3)
    right[0, 0], right[1, 1] = 3.0, 6.0  # alpha / r is 3
    update = as_tensor("`layer.update()`", ask("layer.update()", layer.update), (4, 3)).detach()
    expect(
        near(update, right, ROUNDING),
        "With r = 2, alpha = 6, the first two unit vectors as the rows of `A`, and 1 and 2 on the "
        f"diagonal of `B`, the update has 3 and 6 on its diagonal; yours is {shown(update[:2])}.",
    )
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, x), (2, 4)).detach()
    expect(
        near(found, expected + x @ right.T, ROUNDING),
        "The output does not fit the update: it should be that of the base plus `x` times the "
        "transposed update.",
    )

    yield "passes gradients to both factors and to the input"
    _passes_gradients(layer, x)

    yield "leaves the update out once it is merged"
    layer.merged = True
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, x), (2, 4)).detach()
    expect(
        near(found, expected, ROUNDING),
        "With `layer.merged = True` the weight holds the update, so the layer computes with its "
        "base alone.",
    )


class Mergeable(nn.Module):
    """A layer with an update, as `merge` and `unmerge` find it.

    Parameters
    ----------
    weight
        The weight of the base, (out, in).
    A, B
        The factors, (r, in) and (out, r).
    scale
        Factor of the update.
    """

    def __init__(self, weight: Tensor, A: Tensor, B: Tensor, scale: float) -> None:
        super().__init__()
        out, into = weight.shape
        self.base = nn.Linear(into, out)
        self.base.weight.data.copy_(weight)
        self.base.requires_grad_(False)
        self.A = nn.Parameter(A.clone())
        self.B = nn.Parameter(B.clone())
        self.scale = scale
        self.merged = False

    def update(self) -> Tensor:
        return self.scale * torch.matmul(self.B, self.A)


def _update_of_two() -> Mergeable:
    return Mergeable(torch.randn(2, 3), torch.ones(1, 3), torch.ones(2, 1), scale=2.0)


@public_check("merge")
def merge(merge: Callable[..., Any]) -> Claims:
    """Check the student's ``merge(layer)``."""
    layer = _update_of_two()
    start, bias = layer.base.weight.clone(), layer.base.bias.clone()
    added = torch.full((2, 3), 2.0)

    yield "adds the update to the weight, and notes it"
    ask("merge(layer)", merge, layer)
    _differs(layer, start, added, "The update is 2 everywhere")
    _expect_bias(layer, bias)
    expect(layer.merged is True, "`layer.merged` should be True afterwards.")
    expect(
        not layer.base.weight.requires_grad,
        "The weight has a gradient now: merge under `torch.no_grad()`.",
    )

    expect(
        bool((layer.A == 1).all() and (layer.B == 1).all()),
        "`A` and `B` should stay as they are: `unmerge` needs them.",
    )

    yield "refuses to merge twice"
    _refuses("merge", merge, layer)
    _differs(layer, start, added, "The second merge should change nothing")


@public_check("unmerge")
def unmerge(unmerge: Callable[..., Any]) -> Claims:
    """Check the student's ``unmerge(layer)``."""
    layer = _update_of_two()
    start, bias = layer.base.weight.clone(), layer.base.bias.clone()
    layer.merged = True

    yield "takes the update out of the weight, and notes it"
    ask("unmerge(layer)", unmerge, layer)
    _differs(layer, start, torch.full((2, 3), -2.0), "The update is 2 everywhere")
    expect(
        bool((layer.A == 1).all() and (layer.B == 1).all()),
        "`A` and `B` should stay as they are: the update goes on, beside the weight.",
    )
    _expect_bias(layer, bias)
    expect(layer.merged is False, "`layer.merged` should be False afterwards.")
    expect(
        not layer.base.weight.requires_grad,
        "The weight has a gradient now: unmerge under `torch.no_grad()`.",
    )

    yield "refuses what is not merged"
    _refuses("unmerge", unmerge, layer)
    _differs(layer, start, torch.full((2, 3), -2.0), "The second time should change nothing")


def _expect_bias(layer: Mergeable, before: Tensor) -> None:
    expect(torch.equal(layer.base.bias, before), "The bias has changed; only the weight should.")


def _differs(layer: Mergeable, start: Tensor, expected: Tensor, why: str) -> None:
    found = layer.base.weight.detach() - start
    expect(near(found, expected, ROUNDING), f"{why}; the weight has changed by {shown(found)}.")


def _refuses(name: str, function: Callable[..., Any], layer: nn.Module) -> None:
    try:
        function(layer)
    except RuntimeError:
        return
    except Exception as error:
        raise Wrong(
            f"`{name}` should raise a RuntimeError, not a {type(error).__name__}."
        ) from error
    raise Wrong(f"`{name}` should raise a RuntimeError, but it ran a second time without one.")


@public_check("useful_rank")
def useful_rank(useful_rank: Callable[..., Any]) -> Claims:
    """Check the student's ``useful_rank(out, into)``."""
    for out, into, expected, why in (
        (4, 4, 1, "the weight has 16 parameters; rank 1 has 8 and rank 2 has 16, no fewer"),
        (10, 90, 8, "the weight has 900 parameters; rank 8 has 800 and rank 9 has 900, no fewer"),
        (1, 7, 0, "the weight has 7 parameters, and rank 1 has 8"),
    ):
        call = f"useful_rank({out}, {into})"
        yield f"finds `{call}`"
        found = as_number(f"`{call}`", ask(call, useful_rank, out, into))
        expect(found == expected, f"`{call}` should be {expected}: {why}. You found {found:g}.")


@public_check("LoRAConv2d")
def lora_conv(LoRAConv2d: Callable[..., Any]) -> Claims:
    """Check the student's ``LoRAConv2d(base, r, alpha)``."""
    call = "LoRAConv2d(base, 2, 8)"
    yield "freezes its base, and has trained factors `A` and `B`"
    torch.manual_seed(0)
    base = nn.Conv2d(3, 4, 3, stride=2, padding=1, dilation=2)
    x = torch.randn(2, 3, 8, 8)
    expected = base(x).detach()
    layer = _lora(call, LoRAConv2d, base, 2, 8.0)

    yield "starts as its base, with its stride, padding and dilation"
    _starts_as_its_base(layer, x, expected)

    yield "adds alpha / r times B A to the weight"
    with torch.no_grad():
        layer.B.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]))
    first, second = 4 * layer.A.detach()  # alpha / r is 4
    right = torch.stack([first, second, torch.zeros_like(first), first + second])
    update = as_tensor("`layer.update()`", ask("layer.update()", layer.update), (4, 3, 3, 3))
    expect(
        near(update.detach(), right, ROUNDING),
        "With r = 2, alpha = 8 and a first row (1, 0) in `B`, the first filter of the update is 4 "
        f"times the first filter in `A`. The update of the first filter begins with "
        f"{shown(right[0, 0, 0])}; yours with {shown(update.detach()[0, 0, 0])}.",
    )
    added = nn.functional.conv2d(x, right, stride=2, padding=1, dilation=2)
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, x), tuple(expected.shape)).detach()
    expect(
        near(found, expected + added, 10 * ROUNDING),
        "The output does not fit the update: it should be that of a convolution with the weight "
        "plus the update, with the same bias, stride, padding and dilation.",
    )

    yield "passes gradients to both factors and to the input"
    _passes_gradients(layer, x)

    yield "keeps settings that differ for rows and columns"
    other = nn.Conv2d(3, 4, 3, stride=(2, 1), padding=(0, 1), dilation=(1, 2))
    right = other(x).detach()
    found = ask("layer(x)", ask(call, LoRAConv2d, other, 2, 8.0), x)
    found = as_tensor("`layer(x)`", found, tuple(right.shape)).detach()
    expect(near(found, right, 10 * ROUNDING), "The output is not that of the base at the start.")

    yield "leaves the update out once it is merged"
    layer.merged = True
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, x), tuple(expected.shape)).detach()
    expect(
        near(found, expected, 10 * ROUNDING),
        "With `layer.merged = True` the weight holds the update, so the layer computes with its "
        "base alone.",
    )


@public_check("energy_held")
def energy_held(energy_held: Callable[..., Any]) -> Claims:
    """Check the student's ``energy_held(update, r)``."""
    diagonal = torch.diag(torch.tensor([3.0, 0.0, -4.0]))
    yield "finds the shares of a diagonal matrix with 3, 0 and -4"
    for r, expected in ((1, 16 / 25), (2, 1.0)):
        call = f"energy_held(update, {r})"
        found = as_number(f"`{call}`", ask(call, energy_held, diagonal, r))
        expect(
            math.isclose(found, expected, abs_tol=1e-4),
            f"The singular values are 4, 3 and 0, and the squares sum to 25. `{call}` should be "
            f"{expected:g}; yours is {found:.4g}.",
        )

    yield "reads the weight of a convolution as a matrix with a row for each output channel"
    filters = torch.zeros(2, 2, 2, 2)
    filters[0, 0, 0, 0], filters[1, 0, 1, 1] = 1.0, 2.0
    found = as_number("`energy_held`", ask("energy_held(update, 1)", energy_held, filters, 1))
    expect(
        math.isclose(found, 0.8, abs_tol=1e-4),
        "Two filters that have no pixel in common, of norm 1 and 2, are two orthogonal rows: rank "
        f"1 holds 4/5. You found {found:.4g}.",
    )


# ------------------------------------------------------------------------------------------------
# The comparison


@public_check("costs")
def costs(costs: Any) -> Claims:
    """Check the form of the student's ``costs``, and the relations in it."""
    yield "has an entry for each of the three models"
    expect_keys(costs, MODELS, "a model")

    yield "says for each of them what it trains, what the optimizer keeps, and the seconds"
    for name in MODELS:
        expect(
            isinstance(costs[name], Mapping),
            f"`costs[{name!r}]` is {kind(costs[name])}, not a dict.",
        )
        expect_keys(costs[name], ("trained parameters", "optimizer bytes", "seconds"), "an entry")
        for key, number in costs[name].items():
            expect(as_number(f"`{key}`", number) > 0, f"`{key}` of {name} should be above 0.")

    yield "finds fewer trained parameters the more is frozen"
    counts = [costs[name]["trained parameters"] for name in MODELS]
    expect(
        counts[0] > counts[1] > counts[2],
        f"The numbers should fall from {MODELS[0]} to {MODELS[2]}; yours are {counts}.",
    )


@public_check("curves")
def curves(curves: Any, histories: Sequence[History]) -> Claims:
    """Check that a figure shows the test accuracies of some histories."""
    yield "is a figure with one panel of lines"
    found = panels_of(curves)
    expect(len(found) == 1, f"It should have one panel with lines; yours has {len(found)}.")
    (panel,) = found

    yield "has a line for each training"
    for number, history in enumerate(histories):
        expected = torch.tensor(history.test_accuracy).double()
        lines = [torch.from_numpy(line[:, 1]) for line in panel.lines]
        expect(
            any(
                len(line) == len(expected)
                and (near(line, expected, 1e-6) or near(line, 100 * expected, 1e-4))
                for line in lines
            ),
            f"No line is the test accuracy of {MODELS[number]} over its epochs.",
        )

    yield "counts the epochs from 1"
    for line in panel.lines:
        if len(line) == len(histories[0]):
            expect(line[0, 0] == 1, f"Your lines begin at {line[0, 0]:g}: begin at epoch 1.")

    yield "names its axes and its lines"
    expect(axes_are_named(found), "Name both axes, with `set_xlabel` and `set_ylabel`.")
    expect(lines_are_named(panel), "Name the lines, with `label=` and a legend.")
