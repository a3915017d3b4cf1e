"""Public checks of the assignment `pruning`.

Every check takes the student's answer and returns a `CheckResult`. The examples are small enough to
be worked out by hand.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
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
from helpers.checks.hints import Hints
from helpers.checks.result import Claims, public_check
from helpers.checks.trained import trained
from helpers.checks.values import NEAR, accuracies, verdict

__all__ = [
    "accuracies",
    "allocation",
    "apply_masks",
    "fractions",
    "global_percentage_masks",
    "hint",
    "iterative_pruning",
    "layer_summary",
    "masked_step",
    "prune_by_percentage",
    "prune_by_std",
    "scheduled_percentage",
    "sensitivity",
    "smallest_in_each_layer",
    "trained",
    "verdict",
]

hint = Hints(Path(__file__).with_name("hints.json"))

# Upper bound on the sum of eight float32 rounding errors, relative to the largest number that is
# rounded: each relative error is at most half of 2^-23.
ROUNDING = 4 * 2.0**-23

COLUMNS = ("layer", "type", "weights", "nonzero", "sparsity")

# ------------------------------------------------------------------------------------------------
# One layer


@public_check("prune_by_std")
def prune_by_std(prune_by_std: Callable[..., Any]) -> Claims:
    """Check the student's ``prune_by_std(w, s)``."""

    def asked(w: Tensor, s: float) -> tuple[Tensor, Tensor]:
        return _pruned(f"prune_by_std(w, {s:g})", prune_by_std, w.clone(), s)

    yield "returns the pruned weights and a boolean mask, both in the shape of `w`"
    asked(torch.tensor([[-2.0, -1.0], [1.0, 2.0]]), 1)

    yield "keeps the weights whose magnitude lies above s standard deviations, unchanged"
    # 1.89, or 2.02 if divided by n - 1: either way the thresholds lie between the same weights.
    w = torch.tensor([-3.0, -1.0, 0.5, 2.0, -0.5, 3.0, 1.0, -2.0])
    example = f"`w = {shown(w)}` has a standard deviation of about 2."
    for s, kept in ((0.4, (1, 1, 0, 1, 0, 1, 1, 1)), (0.75, (1, 0, 0, 1, 0, 1, 0, 1))):
        _expect_pruned(f"{example}\nWith s = {s}", w, kept, asked(w, s))

    yield "computes the standard deviation around the mean, but magnitudes around zero"
    # The standard deviation is 2 (or 2.3); the root mean square is 4.5.
    w = torch.tensor([2.0, 2.0, 6.0, 6.0])
    _expect_pruned(
        f"`w = {shown(w)}` has the mean 4 and a standard deviation of about 2.\nWith s = 0.5",
        w,
        (1, 1, 1, 1),
        asked(w, 0.5),
    )
    _expect_pruned(
        f"`w = {shown(w)}` has the mean 4 and a standard deviation of about 2.\nWith s = 1.5",
        w,
        (0, 0, 1, 1),
        asked(w, 1.5),
    )

    yield "finds one threshold for the whole layer, not one for each filter"
    # 2.24, or 2.58 if divided by n - 1. The rows alone would have 1 and 3.
    w = torch.tensor([[1.0, -1.0], [3.0, -3.0]])
    _expect_pruned(
        f"`w = {shown(w)}` has a standard deviation of about 2.4.\nWith s = 0.5",
        w,
        ((0, 0), (1, 1)),
        asked(w, 0.5),
    )

    yield "prunes weights whose magnitude equals the threshold"
    w = torch.tensor([0.0, 0.25, 0.0, 0.25])
    _expect_pruned(
        f"`w = {shown(w)}` and s = 0: the threshold is 0, and zeros are not above it.",
        w,
        (0, 1, 0, 1),
        asked(w, 0),
    )

    yield "leaves `w` as it was"
    _expect_unchanged(lambda w: ask("prune_by_std(w, 0.75)", prune_by_std, w, 0.75))


@public_check("prune_by_percentage")
def prune_by_percentage(prune_by_percentage: Callable[..., Any]) -> Claims:
    """Check the student's ``prune_by_percentage(w, q)``."""

    def asked(w: Tensor, q: float) -> tuple[Tensor, Tensor]:
        return _pruned(f"prune_by_percentage(w, {q:g})", prune_by_percentage, w.clone(), q)

    yield "returns the pruned weights and a boolean mask, both in the shape of `w`"
    asked(torch.tensor([[-2.0, -1.0], [1.5, 3.0]]), 50)

    yield "keeps the weights whose magnitude lies above the percentile, unchanged"
    w = torch.tensor([-3.0, 0.5, -1.0, 4.0, 0.25, -2.0])
    for q, where, kept in (
        (50, "half-way between 1 and 2", (1, 0, 0, 1, 0, 1)),
        (70, "half-way between 2 and 3", (1, 0, 0, 1, 0, 0)),
        (10, "half-way between 0.25 and 0.5", (1, 1, 1, 1, 0, 1)),
    ):
        _expect_pruned(
            f"`w = {shown(w)}` and q = {q}: the threshold lies {where}.", w, kept, asked(w, q)
        )

    yield "looks at magnitudes, not at signed values"
    w = torch.tensor([-6.0, -5.0, -4.0, -3.0, -2.0, 0.5])
    _expect_pruned(
        f"`w = {shown(w)}` and q = 50: the threshold lies half-way between 3 and 4.",
        w,
        (1, 1, 1, 0, 0, 0),
        asked(w, 50),
    )

    yield "interpolates between two ranks, as NumPy does"
    w = torch.arange(1.0, 11)
    _expect_pruned(
        f"`w = {shown(w)}` and q = 25: the position is 9 * 0.25 = 2.25, and the threshold 3.25.",
        w,
        (0, 0, 0, 1, 1, 1, 1, 1, 1, 1),
        asked(w, 25),
    )

    yield "finds one threshold for the whole layer, not one for each filter"
    w = torch.tensor([[1.0, -2.0], [3.0, -4.0]])
    _expect_pruned(
        f"`w = {shown(w)}` and q = 50: the threshold lies half-way between 2 and 3.",
        w,
        ((0, 0), (1, 1)),
        asked(w, 50),
    )

    yield "prunes weights whose magnitude equals the threshold"
    w = torch.tensor([1.0, -2.0, 3.0, -4.0, 5.0])
    _expect_pruned(
        f"`w = {shown(w)}` and q = 50: the threshold is 3, and a weight of 3 is pruned.",
        w,
        (0, 0, 0, 1, 1),
        asked(w, 50),
    )
    w = torch.tensor([0.0, 0.0, 0.0, 7.0])
    _expect_pruned(
        f"`w = {shown(w)}` and q = 50: the threshold is 0, and weights of 0 are pruned.",
        w,
        (0, 0, 0, 1),
        asked(w, 50),
    )

    yield "leaves `w` as it was"
    _expect_unchanged(lambda w: ask("prune_by_percentage(w, 50)", prune_by_percentage, w, 50))


# ------------------------------------------------------------------------------------------------
# A network


@public_check("apply_masks")
def apply_masks(apply_masks: Callable[..., Any]) -> Claims:
    """Check the student's ``apply_masks(model, masks)``."""
    call = "apply_masks(model, masks)"

    def network() -> nn.Module:
        model = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(2, 2))
        model.load_state_dict(
            {
                "0.weight": torch.tensor([3.0, -2.0]).view(2, 1, 1, 1),
                "2.weight": torch.tensor([[0.5, -4.0], [2.0, 1.5]]),
                "2.bias": torch.tensor([1.0, -1.0]),
            }
        )
        return model

    masks = {
        "0": torch.tensor([True, False]).view(2, 1, 1, 1),
        "2": torch.tensor([[False, True], [True, False]]),
    }
    expected = {"0": (3.0, 0.0), "2": (0.0, -4.0, 2.0, 0.0)}

    yield "sets the pruned weights of the model itself to zero, and keeps the other weights"
    model = network()
    parameters = dict(model.named_parameters())
    ask(call, apply_masks, model, masks)
    for layer, right in expected.items():
        before = network().get_parameter(f"{layer}.weight").detach().flatten()
        found = model.get_parameter(f"{layer}.weight").detach().flatten()
        expect(
            near(found, torch.tensor(right), 0.0),
            f"The weights {shown(before)} with the mask {masks[layer].flatten().tolist()} should "
            f"be {shown(torch.tensor(right))}; in the model they are now {shown(found)}.",
        )

    yield "leaves biases alone"
    found = model.get_parameter("2.bias").detach()
    expect(near(found, torch.tensor([1.0, -1.0]), 0.0), f"The bias is now {shown(found)}.")

    yield "leaves layers without a mask alone"
    model = network()
    ask("apply_masks(model, {})", apply_masks, model, {})
    found = model.get_parameter("0.weight").detach().flatten()
    expect(
        near(found, torch.tensor([3.0, -2.0]), 0.0),
        f"Without masks, the weights [3, -2] should stay; they are now {shown(found)}.",
    )

    yield "applies the masks that it is given, also after a call with others"
    model = network()
    ask(call, apply_masks, model, {"0": ~masks["0"]})
    found = model.get_parameter("0.weight").detach().flatten()
    expect(
        near(found, torch.tensor([0.0, -2.0]), 0.0),
        "In another network, only the first of the weights [3, -2] is pruned, so that they should "
        f"be [0, -2]; they are now {shown(found)}.",
    )

    yield "changes the parameters in place, so that the optimizer still updates them"
    model = network()
    parameters = dict(model.named_parameters())
    ask(call, apply_masks, model, masks)
    for name, parameter in model.named_parameters():
        expect(
            parameter is parameters[name] and parameter.requires_grad,
            f"`{name}` is no longer the same parameter, or can no longer be trained: write the "
            "zeros into the existing parameter (inside `torch.no_grad()`).",
        )

    yield "can be called after a step of an optimizer"
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(1, 1, 1, 1)).square().sum().backward()
        optimizer.step()
        ask(call, apply_masks, model, masks)
    for layer in expected:
        after = model.get_parameter(f"{layer}.weight").detach()
        expect(
            not after[~masks[layer]].any(),
            "After three steps, each followed by your function, some pruned weights are not zero.",
        )


@public_check("layer_summary")
def layer_summary(layer_summary: Callable[..., Any]) -> Claims:
    """Check the student's ``layer_summary(parameters)``."""
    call = "layer_summary(parameters)"
    conv = torch.zeros(2, 3, 2, 2)
    conv.view(-1)[:6] = torch.tensor([0.5, -0.5, 1.0, -1.0, 2.0, -2.0])
    parameters = {
        "stem.weight": conv,
        "stem_bn.weight": torch.ones(2),
        "stem_bn.bias": torch.zeros(2),
        "block.0.weight": torch.tensor([[[[-1.0]]], [[[0.0]]]]),
        "classifier.weight": torch.tensor([[0.0, 3.0, -1.0], [-2.0, 1.0, 4.0]]),
        "classifier.bias": torch.zeros(2),
    }

    yield "is a list of dictionaries with the five columns"
    answer = ask(call, layer_summary, {name: p.clone() for name, p in parameters.items()})
    expect(
        isinstance(answer, Sequence) and not isinstance(answer, str),
        f"`{call}` should be a list; yours is {kind(answer)}.",
    )
    for row in answer:
        expect(isinstance(row, Mapping), f"Each row should be a dict; one of yours is {kind(row)}.")
        expect(
            set(row) == set(COLUMNS),
            f"The keys of a row should be {', '.join(COLUMNS)}; yours are "
            f"{', '.join(map(str, row))}.",
        )

    yield "has a row for each convolution and linear layer, and one for the total"
    layers = [row["layer"] for row in answer]
    right = ["stem", "block.0", "classifier", "total"]
    expect(
        layers == right,
        f"For the parameters {', '.join(parameters)} the layers should be {', '.join(right)}; "
        f"yours are {', '.join(map(str, layers))}. (Batch norm and biases do not count as layers "
        "here: their tensors have one dimension.)",
    )

    yield "distinguishes convolutions from linear layers by their dimensions"
    types = [row["type"] for row in answer]
    expect(
        types == ["convolution", "convolution", "linear", ""],
        'The types should be "convolution" (4 dimensions), "linear" (2) and "" for the total; '
        f"yours are {types}.",
    )

    yield "counts weights and non-zero weights, including negative weights"
    for column, counts in (("weights", (24, 2, 6)), ("nonzero", (6, 1, 5))):
        for row, count in zip(answer, counts, strict=False):
            found = as_number(f"`{column}` of {row['layer']}", row[column])
            expect(
                found == count,
                f"`{column}` of {row['layer']} should be {count}; you found {found:g}.",
            )

    yield "gives the sparsity of each layer, the fraction of zeros"
    for row, sparsity in zip(answer, (18 / 24, 1 / 2, 1 / 6), strict=False):
        found = as_number(f"`sparsity` of {row['layer']}", row["sparsity"])
        expect(
            math.isclose(found, sparsity, rel_tol=ROUNDING),
            f"Of the {row['weights']} weights of {row['layer']}, {row['nonzero']} are not zero: "
            f"the sparsity is {sparsity:.4g}; you found {found:.4g}.",
        )

    yield "counts every weight, not every layer, once in the total"
    total = answer[-1]
    found = as_number("The total sparsity", total["sparsity"])
    expect(
        (total["weights"], total["nonzero"]) == (32, 12)
        and math.isclose(found, 20 / 32, rel_tol=ROUNDING),
        "In total there are 32 weights, of which 12 are not zero: a sparsity of 0.625. You found "
        f"{total['weights']}, {total['nonzero']} and {found:.4g}.",
    )


@public_check("global_percentage_masks")
def global_percentage_masks(global_percentage_masks: Callable[..., Any]) -> Claims:
    """Check the student's ``global_percentage_masks(weights, q)``."""

    def asked(weights: dict[str, Tensor], q: float) -> dict[str, Tensor]:
        call = f"global_percentage_masks(weights, {q:g})"
        answer = ask(call, global_percentage_masks, {k: w.clone() for k, w in weights.items()}, q)
        expect(
            isinstance(answer, Mapping),
            f"`{call}` should be a dict from layers to masks; yours is {kind(answer)}.",
        )
        expect(
            set(answer) == set(weights),
            f"The layers should be {', '.join(weights)}; yours are {', '.join(map(str, answer))}.",
        )
        return {
            layer: _mask(f"`{call}['{layer}']`", answer[layer], w.shape)
            for layer, w in weights.items()
        }

    def expect_masks(
        weights: dict[str, Tensor], q: float, kept: Mapping[str, str], why: str
    ) -> None:
        found = asked(weights, q)
        words = ", ".join(f"{layer}: {shown(w.flatten())}" for layer, w in weights.items())
        for layer, right in kept.items():
            marks = "".join("x" if k else "-" for k in found[layer].flatten().tolist())
            expect(
                marks == right,
                f"{words}; q = {q}: {why}.\nIn {layer} you should keep {right} (x is kept); you "
                f"keep {marks}.",
            )

    conv = torch.tensor([-4.0, 6.0, -5.0, 7.0]).view(1, 1, 2, 2)
    line = torch.tensor([[0.5, -1.0, 2.0, 3.0]])

    yield "returns a boolean mask for each layer, in its shape"
    asked({"conv": conv, "classifier": line}, 50)

    yield "ranks the magnitudes of all layers together"
    expect_masks(
        {"conv": conv, "classifier": line},
        50,
        {"conv": "xxxx", "classifier": "----"},
        "the threshold for both layers is 3.5",
    )
    expect_masks(
        {"classifier": line, "conv": conv},
        25,
        {"conv": "xxxx", "classifier": "--xx"},
        "the threshold for both layers is 1.75",
    )

    yield "lets a large layer count more than a small one"
    expect_masks(
        {"small": torch.tensor([[10.0, 20.0]]), "large": torch.arange(1.0, 9).view(1, 8)},
        50,
        {"small": "xx", "large": "-----xxx"},
        "the threshold for both layers is 5.5",
    )

    yield "ranks the weights of the linear layer as well"
    expect_masks(
        {"conv": conv, "classifier": 10 * line},
        50,
        {"conv": "---x", "classifier": "-xxx"},
        "the threshold for both layers is 6.5",
    )

    yield "prunes weights whose magnitude equals the threshold"
    expect_masks(
        {"a": torch.tensor([[1.0, -3.0]]), "b": torch.tensor([[3.0, 2.0, -5.0]])},
        50,
        {"a": "--", "b": "--x"},
        "the threshold is 3",
    )


# ------------------------------------------------------------------------------------------------
# Training


@public_check("masked_step")
def masked_step(masked_step: Callable[..., Any]) -> Claims:
    """Check the student's ``masked_step(w, velocity, gradient, mask, lr, ...)``."""
    call = "masked_step(w, velocity, gradient, mask, lr=0.5, momentum=0.5, weight_decay=0.25)"

    def asked(w: Tensor, velocity: Tensor, gradient: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        given = (w.clone(), velocity.clone(), gradient.clone(), mask.clone())
        answer = ask(call, masked_step, *given, lr=0.5, momentum=0.5, weight_decay=0.25)
        expect(
            isinstance(answer, tuple | list) and len(answer) == 2,
            f"Return two things, `w, velocity`; you returned {kind(answer)}.",
        )
        expect(
            torch.equal(given[0], w) and torch.equal(given[1], velocity),
            "`w` or `velocity` has changed: make new tensors.",
        )
        new_w, new_velocity = (
            as_tensor(f"`{name}`", value, w.shape)
            for name, value in zip(("w", "velocity"), answer, strict=True)
        )
        return new_w, new_velocity

    everything = torch.tensor([True, True, True])
    w = torch.tensor([4.0, -8.0, 2.0])
    velocity = torch.tensor([2.0, 0.0, -4.0])
    gradient = torch.tensor([1.0, 2.0, 0.0])

    yield "takes a step with momentum and weight decay"
    found, moved = asked(w, velocity, gradient, everything)
    expect(
        near(moved, torch.tensor([3.0, 0.0, -1.5]), 8 * ROUNDING),
        f"w = {shown(w)}, velocity = {shown(velocity)}, gradient = {shown(gradient)}: the new "
        "velocity is 0.5 * velocity + gradient + 0.25 * w = [3, 0, -1.5]; yours is "
        f"{shown(moved)}.",
    )
    expect(
        near(found, torch.tensor([2.5, -8.0, 2.75]), 8 * ROUNDING),
        "The new weights are w - 0.5 * (new velocity) = [2.5, -8, 2.75]; yours are "
        f"{shown(found)}.",
    )

    yield "keeps a pruned weight at zero if its gradient is not zero"
    mask = torch.tensor([True, False, True])
    w = torch.tensor([4.0, 0.0, 2.0])
    found, _ = asked(w, torch.zeros(3), gradient, mask)
    expect(
        float(found[1]) == 0,
        "The second weight is pruned and its gradient is 2. It should stay 0, but yours is "
        f"{float(found[1]):g}.",
    )

    yield "keeps a pruned weight at zero if it still has a velocity"
    found, _ = asked(w, torch.tensor([2.0, 6.0, -4.0]), torch.zeros(3), mask)
    expect(
        float(found[1]) == 0,
        "The second weight has just been pruned: its gradient is 0, but its velocity is still 6 "
        f"from earlier steps. It should stay 0, but yours is {float(found[1]):g}.",
    )
    expect(
        near(found[[0, 2]], torch.tensor([3.0, 2.75]), 8 * ROUNDING),
        f"The kept weights should go to 3 and 2.75; yours go to {shown(found[[0, 2]])}.",
    )

    yield "sets a pruned weight to zero that was not zero before"
    found, _ = asked(torch.tensor([4.0, -8.0, 2.0]), torch.zeros(3), gradient, mask)
    expect(
        float(found[1]) == 0,
        "The second weight is -8, and the mask prunes it. After the step it should be 0, but yours "
        f"is {float(found[1]):g}.",
    )


@public_check("scheduled_percentage")
def scheduled_percentage(scheduled_percentage: Callable[..., Any]) -> Claims:
    """Check the student's ``scheduled_percentage(epoch, pruning_epochs, final)``."""

    def expect_percentage(epoch: int, pruning_epochs: int, right: float, *final: float) -> None:
        arguments = ", ".join(map(str, (epoch, pruning_epochs, *final)))
        call = f"scheduled_percentage({arguments})"
        found = as_number(
            f"`{call}`", ask(call, scheduled_percentage, epoch, pruning_epochs, *final)
        )
        expect(
            math.isclose(found, right, rel_tol=ROUNDING),
            f"`{call}` should be {right:g} per cent; yours is {found:.5g}.",
        )

    yield "prunes the first part before the first epoch, which is epoch 0"
    expect_percentage(0, 10, 8)
    expect_percentage(0, 4, 20)

    yield "rises evenly"
    expect_percentage(2, 10, 24)
    expect_percentage(0, 32, 2.5)
    expect_percentage(1, 4, 40)

    yield "reaches the final percentage before the last pruning epoch"
    expect_percentage(9, 10, 80)
    expect_percentage(0, 1, 80)

    yield "stays at the final percentage"
    expect_percentage(10, 10, 80)
    expect_percentage(19, 10, 80)

    yield "accepts another final percentage"
    expect_percentage(1, 3, 60, 90)


def smallest_in_each_layer(weights: Mapping[str, Tensor], q: float) -> dict[str, Tensor]:
    """Mask q per cent of each layer, the smallest magnitudes first.

    This is the ranking that `iterative_pruning` and the hidden test give to the student's hooks.
    """
    found = {}
    for layer, w in weights.items():
        keep = torch.ones(w.numel(), dtype=torch.bool)
        keep[w.flatten().abs().argsort()[: round(q / 100 * w.numel())]] = False
        found[layer] = keep.view(w.shape)
    return found


@public_check("IterativePruning")
def iterative_pruning(iterative_pruning: Callable[..., Any]) -> Claims:
    """Check the student's class ``IterativePruning(find_masks, pruning_epochs)``."""
    asked_for: list[float] = []

    def smallest(weights: Mapping[str, Tensor], q: float) -> dict[str, Tensor]:
        asked_for.append(float(q))
        return smallest_in_each_layer(weights, q)

    def train(model: nn.Module, *weights: float) -> None:
        """Set the weights as if a step of an optimizer had changed them."""
        with torch.no_grad():
            model.get_parameter("0.weight").copy_(torch.tensor([weights]))

    def now(model: nn.Module) -> Tensor:
        return model.get_parameter("0.weight").detach().flatten().clone()

    def expect_now(model: nn.Module, right: Sequence[float], words: str) -> None:
        found = now(model)
        expect(
            near(found, torch.tensor(right), 0.0),
            f"{words} the weights should be {shown(torch.tensor(right))}; they are {shown(found)}.",
        )

    yield "has the two hooks"
    hooks = ask("IterativePruning(find_masks, 2)", iterative_pruning, smallest, 2)
    for name in ("before_epoch", "after_step"):
        expect(callable(getattr(hooks, name, None)), f"There is no method `{name}`.")

    yield "prunes as scheduled before the first epoch"
    model = nn.Sequential(nn.Linear(5, 1))
    train(model, 1, -2, 3, 4, -5)
    ask("before_epoch(model, 0)", hooks.before_epoch, model, 0)
    expect(
        len(asked_for) > 0 and math.isclose(asked_for[0], 40, rel_tol=ROUNDING),
        "With two pruning epochs, `find_masks` should be asked for 40 per cent before epoch 0; "
        f"you asked for {', '.join(f'{q:g}' for q in asked_for) or 'nothing'}.",
    )
    expect_now(model, (0, 0, 3, 4, -5), "Before epoch 0, [1, -2, 3, 4, -5] is pruned by 40 %:")

    yield "lets pruned weights return before the last pruning step"
    train(model, 6, -0.5, 1, 4, -5)
    ask("after_step(model)", hooks.after_step, model)
    expect_now(
        model,
        (6, -0.5, 1, 4, -5),
        "Epoch 0 is not the last pruning epoch. After a step has set them to [6, -0.5, 1, 4, -5],",
    )

    yield "computes the masks anew from the current weights"
    ask("before_epoch(model, 1)", hooks.before_epoch, model, 1)
    expect_now(model, (6, 0, 0, 0, 0), "Before epoch 1, [6, -0.5, 1, 4, -5] is pruned by 80 %:")

    yield "holds the pruned weights at zero after the last pruning step"
    train(model, 6, 7, 0.5, -8, 9)
    ask("after_step(model)", hooks.after_step, model)
    expect_now(
        model,
        (6, 0, 0, 0, 0),
        "Epoch 1 is the last pruning epoch. After a step has set them to [6, 7, 0.5, -8, 9],",
    )

    yield "still holds them at zero in the epochs that follow"
    ask("before_epoch(model, 2)", hooks.before_epoch, model, 2)
    train(model, 5, 1, 1, 1, 1)
    ask("after_step(model)", hooks.after_step, model)
    expect_now(model, (5, 0, 0, 0, 0), "In epoch 2, after a step has set them to [5, 1, 1, 1, 1],")


# ------------------------------------------------------------------------------------------------
# What a student writes down


@public_check("fractions")
def fractions(values: Any, keys: Sequence[Any]) -> Claims:
    """Check the form of a dictionary of sparsities, but not whether they are right."""
    yield "has a sparsity for each required key, and no other keys"
    expect_keys(values, keys, "no sparsity")

    yield "holds fractions from 0 to 1"
    for key in keys:
        found = as_number(f"The sparsity for {key}", values[key])
        expect(
            0 <= found <= 1,
            f"The sparsity for {key} is {found:g}. Write it as a fraction: 0.8 for 80 %.",
        )


@public_check("sensitivity")
def sensitivity(
    values: Any, sparsities: Sequence[float], layers: Collection[str], *, untouched: float
) -> Claims:
    """Check the form of accuracies per sparsity and layer, and that mild pruning costs little.

    Parameters
    ----------
    values
        The student's dictionary from sparsity, to layer, to accuracy.
    sparsities
        The sparsities that it should have, the mildest first.
    layers
        The layers that it should have for each sparsity.
    untouched
        Accuracy of the network of which nothing is pruned.
    """
    yield f"has a dictionary for each of {', '.join(map(str, sparsities))}"
    expect_keys(values, sparsities, "nothing")

    for sparsity in sparsities:
        yield f"has an accuracy from 0 to 1 for each layer at {sparsity}"
        result = accuracies(values[sparsity], layers)
        expect(bool(result), result.problem)

    mildest = sparsities[0]
    yield f"loses little in most layers at {mildest}, where a single layer is pruned at a time"
    found = sorted(float(values[mildest][layer]) for layer in layers)
    median = found[len(found) // 2]
    expect(
        abs(median - untouched) <= NEAR,
        f"Half of your accuracies at {mildest} are below {median:.4f}, but the network of which "
        f"nothing is pruned has {untouched:.4f}. Is only one layer pruned at a time?",
    )


@public_check("allocation")
def allocation(values: Any, sizes: Mapping[str, int], overall: float) -> Claims:
    """Check the form of an allocation and its overall sparsity, but not how good it is.

    Parameters
    ----------
    values
        The student's dictionary from layer to the fraction of its weights that is pruned.
    sizes
        Mapping from layer to number of weights.
    overall
        The sparsity that all layers together must reach.
    """
    yield "has a sparsity from 0 to 1 for every layer"
    result = fractions(values, list(sizes))
    expect(bool(result), result.problem)

    yield f"prunes at least {overall:.0%} of all weights"
    pruned = sum(round(float(values[layer]) * size) for layer, size in sizes.items())
    total = sum(sizes.values())
    expect(
        pruned >= overall * total - 0.5 * len(sizes),
        f"It prunes {pruned:,} of {total:,} weights, which is {pruned / total:.2%}.",
    )


# ------------------------------------------------------------------------------------------------
# Used by several checks


def _mask(name: str, value: Any, shape: Sequence[int]) -> Tensor:
    """Return `value` if it is a boolean tensor of this shape, else raise `Wrong`."""
    mask = as_tensor(name, value, tuple(shape)).detach().cpu()
    expect(
        mask.dtype == torch.bool,
        f"{name} should be boolean, as the result of a comparison is; yours is of type "
        f"{str(mask.dtype).removeprefix('torch.')}.",
    )
    return mask


def _pruned(
    call: str, prune: Callable[..., Any], w: Tensor, amount: float
) -> tuple[Tensor, Tensor]:
    """Call `prune` and return its pruned weights and mask if they have the right form."""
    answer = ask(call, prune, w, amount)
    expect(
        isinstance(answer, tuple | list) and len(answer) == 2,
        f"Return two things, `pruned, mask`; you returned {kind(answer)}.",
    )
    pruned = as_tensor("`pruned`", answer[0], tuple(w.shape)).detach().cpu()
    return pruned, _mask("`mask`", answer[1], w.shape)


def _expect_pruned(
    words: str, w: Tensor, kept: Sequence[Any], found: tuple[Tensor, Tensor]
) -> None:
    pruned, mask = found
    right = torch.tensor(kept, dtype=torch.bool)
    expect(
        torch.equal(mask, right),
        f"{words}\nThe mask should be {right.int().tolist()} (1 is kept); yours is "
        f"{mask.int().tolist()}.",
    )
    expected = torch.where(right, w, 0.0)
    expect(
        near(pruned, expected, 0.0),
        f"{words}\nThe pruned weights should be {shown(expected)}; yours are {shown(pruned)}.",
    )


def _expect_unchanged(use: Callable[[Tensor], object]) -> None:
    w = torch.tensor([0.5, -3.0, 1.0, 2.0])
    before = w.clone()
    use(w)
    expect(torch.equal(w, before), "`w` itself has changed: work on a copy.")
