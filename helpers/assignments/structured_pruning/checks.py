"""Public checks of the assignment `structured_pruning`.

Every check takes the student's answer and returns a `CheckResult`. The examples are small enough to
be worked out by hand. Where a function works on the student's own layers, the check takes their
class as well.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from helpers.checks.answers import as_number, as_tensor, ask, expect, kind, near, shown
from helpers.checks.hints import Hints
from helpers.checks.result import Claims, Wrong, public_check
from helpers.checks.trained import trained
from helpers.checks.values import accuracies
from helpers.checks.written import words
from helpers.models import convnet

__all__ = [
    "accuracies",
    "filter_l1_pruning",
    "filter_norms",
    "hint",
    "network_costs",
    "scheduled_percentage",
    "smaller_network",
    "sparse_block",
    "sparse_conv2d",
    "sparse_convnet",
    "sparse_weight_conv2d",
    "trained",
    "unstructured_pruning",
    "words",
]

hint = Hints(Path(__file__).with_name("hints.json"))

STEP = 2.0**-23  # the precision of float32
WIDTHS = (32, 32, 64, 64, 128)
CLOSE = 1e-4
"""For the scores of a network of five layers, which are about 1. Rounding changes them by less than
a tenth of this, and any mistake by far more."""


def _drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# ------------------------------------------------------------------------------------------------
# Layers with masks


@public_check("SparseConv2d")
def sparse_conv2d(SparseConv2d: Callable[..., Any]) -> Claims:
    """Check the student's ``SparseConv2d``, whose mask has one number for each filter."""
    yield from _masked_convolution("SparseConv2d", SparseConv2d, (4, 1, 1, 1))

    yield "prunes the bias of a filter together with it"
    layer = _layer("SparseConv2d", SparseConv2d, (2, 4, 3), bias=True)
    layer.load_state_dict(
        {
            "weight": _drawn(1, 4, 2, 3, 3),
            "bias": torch.tensor([1.0, -2.0, 3.0, 4.0]),
            "mask": torch.tensor([1.0, 0, 1, 0]).view(4, 1, 1, 1),
        }
    )
    x = _drawn(2, 1, 2, 5, 5)
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, x), (1, 4, 3, 3)).detach()
    expect(
        not found[:, (1, 3)].any(),
        "The channels of two pruned filters, whose biases are -2 and 4, should be zero; the "
        f"largest number there is {float(found[:, (1, 3)].abs().max()):.4g}.",
    )


@public_check("SparseWeightConv2d")
def sparse_weight_conv2d(SparseWeightConv2d: Callable[..., Any]) -> Claims:
    """Check the student's ``SparseWeightConv2d``, whose mask has one number for each weight."""
    yield from _masked_convolution("SparseWeightConv2d", SparseWeightConv2d, (4, 2, 3, 3))

    yield "leaves the bias alone, also that of a filter without any weight"
    layer = _layer("SparseWeightConv2d", SparseWeightConv2d, (2, 4, 3), bias=True)
    mask = torch.ones(4, 2, 3, 3)
    mask[1] = 0
    layer.load_state_dict(
        {
            "weight": _drawn(1, 4, 2, 3, 3),
            "bias": torch.tensor([1.0, -2.0, 3.0, 4.0]),
            "mask": mask,
        }
    )
    x = _drawn(2, 1, 2, 5, 5)
    found = as_tensor("`layer(x)`", ask("layer(x)", layer, x), (1, 4, 3, 3)).detach()
    expect(
        near(found[:, 1], torch.tensor(-2.0), 100 * STEP),
        "All weights of the second filter are pruned, and its bias is -2, so its channel should be "
        f"-2 everywhere; the first number in yours is {float(found[0, 1, 0, 0]):.4g}.",
    )


def _layer(name: str, layer_class: Callable[..., Any], size: Sequence[int], **options: Any) -> Any:
    given = ", ".join([*map(str, size), *(f"{k}={v}" for k, v in options.items())])
    layer = ask(f"{name}({given})", layer_class, *size, **options)
    expect(isinstance(layer, nn.Module), f"`{name}({given})` should be a layer, not {kind(layer)}.")
    return layer


def _masked_convolution(
    name: str, layer_class: Callable[..., Any], shape: tuple[int, ...]
) -> Claims:
    yield "has a weight, and a mask that is a buffer and begins with ones"
    layer = _layer(name, layer_class, (2, 4, 3), bias=False)
    expect(
        set(layer.state_dict()) == {"weight", "mask"},
        "The state dictionary should have the keys weight and mask; yours has "
        f"{', '.join(layer.state_dict()) or 'none'}.",
    )
    mask = as_tensor("`layer.mask`", layer.mask, shape)
    expect(bool((mask == 1).all()), "At the beginning nothing is pruned, so the mask is 1.")
    expect(
        "mask" not in dict(layer.named_parameters()),
        "The mask is a parameter, which an optimizer would change. Register it as a buffer.",
    )

    yield "computes what `nn.Conv2d` computes, as long as nothing is pruned"
    weight, x = _drawn(3, 4, 2, 3, 3), _drawn(4, 2, 2, 7, 7)
    choices: tuple[dict[str, Any], ...] = (
        {},
        {"stride": 2, "padding": 1},
        {"dilation": 2},
        {"groups": 2},
    )
    for options in choices:
        layer = _layer(name, layer_class, (2, 4, 3), bias=False, **options)
        some = weight[:, : 2 // options.get("groups", 1)]  # a group reads one of the two channels
        layer.load_state_dict({"weight": some, "mask": torch.ones_like(layer.mask)})
        usual = nn.functional.conv2d(x, some, **options)
        found = as_tensor("`layer(x)`", ask("layer(x)", layer, x), usual.shape)
        expect(
            near(found.detach(), usual, 100 * STEP),
            f"With {options or 'the default options'}, the output differs from that of "
            f"`nn.Conv2d` by up to {float((found.detach() - usual).abs().max()):.3g}.",
        )

    yield "convolves with the weights that the mask keeps"
    mask = (_drawn(5, *shape) > 0).float()
    layer = _layer(name, layer_class, (2, 4, 3), bias=False)
    layer.load_state_dict({"weight": weight, "mask": mask})
    usual = nn.functional.conv2d(x, weight * mask)
    output = ask("layer(x)", layer, x)
    found = as_tensor("`layer(x)`", output, usual.shape)
    expect(
        near(found.detach(), usual, 100 * STEP),
        "With a mask of zeros and ones the output is not that of the masked weights. Is the mask "
        "used in the forward pass?",
    )

    yield "passes no gradient to pruned weights"
    output.sum().backward()
    gradient = layer.weight.grad
    expect(gradient is not None, "No gradient reaches the weight. Is it detached somewhere?")
    expect(
        not (gradient * (1 - mask)).any(),
        "Pruned weights have a gradient. Multiply the weight with the mask where autograd can see "
        "it, and not in `weight.data`.",
    )
    expect(bool((gradient * mask).any()), "The weights that are kept have no gradient.")

    yield "passes a gradient to its input and to its bias"
    layer, inputs = _layer(name, layer_class, (2, 4, 3), bias=True), x.clone().requires_grad_()
    ask("layer(x)", layer, inputs).sum().backward()
    expect(
        inputs.grad is not None,
        "No gradient reaches the input, so the layers before would not be trained. Is it detached "
        "somewhere?",
    )
    expect(
        layer.bias.grad is not None,
        "No gradient reaches the bias, so it would not be trained. Is it detached somewhere?",
    )


@public_check("SparseBlock")
def sparse_block(SparseBlock: Callable[..., Any]) -> Claims:
    """Check the student's ``SparseBlock``, around a convolution of PyTorch's that has a mask."""

    def layers(mask: Tensor) -> tuple[nn.Module, nn.Module, nn.Module]:
        convolution = nn.Conv2d(2, 3, 3, padding=1, bias=False)
        convolution.register_buffer("mask", mask)
        # What is stored for a pruned filter is not zero, and may change in training.
        gone = mask.flatten(1).amax(dim=1).view(-1, 1, 1, 1) == 0
        convolution.weight.data = _drawn(6, 3, 2, 3, 3) * torch.where(gone, 1, mask)
        norm = nn.BatchNorm2d(3)
        norm.load_state_dict(
            {
                "weight": torch.tensor([1.0, 2.0, 0.5]),
                "bias": torch.tensor([0.5, 3.0, 1.0]),
                "running_mean": torch.tensor([0.1, -1.0, 0.2]),
                "running_var": torch.tensor([1.0, 4.0, 2.0]),
                "num_batches_tracked": torch.tensor(1),
            }
        )
        return convolution, norm, nn.ReLU()

    def outputs(mask: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yield in both modes the output of the block and that of the three layers in a row."""
        x = _drawn(7, 2, 2, 5, 5)
        for mode in ("evaluation", "training"):
            call = "SparseBlock(convolution, nn.BatchNorm2d(3), nn.ReLU())"
            block = ask(call, SparseBlock, *layers(mask))
            expect(isinstance(block, nn.Module), f"`{call}` should be a layer, not {kind(block)}.")
            found = ask("block(x)", block.train(mode == "training"), x)
            usual = nn.Sequential(*layers(mask)).train(mode == "training")(x).detach()
            yield mode, as_tensor("`block(x)`", found, (2, 3, 5, 5)).detach(), usual

    yield "computes convolution, batch norm and ReLU, as long as nothing is pruned"
    for mode, found, usual in outputs(torch.ones(3, 1, 1, 1)):
        expect(
            near(found, usual, 100 * STEP),
            f"In {mode} mode the output differs from that of the three layers in a row.",
        )

    yield "gives zero in the channel of a pruned filter, in spite of its batch norm"
    for mode, found, usual in outputs(torch.tensor([1.0, 0, 1]).view(3, 1, 1, 1)):
        expect(
            not found[:, 1].any(),
            f"In {mode} mode the channel of a pruned filter should be zero. The largest number in "
            f"it is {float(found[:, 1].abs().max()):.4g}: the batch norm speaks. Look at the mask "
            "for the decision, and not at the stored weights.",
        )
        expect(
            near(found[:, ::2], usual[:, ::2], 100 * STEP),
            f"In {mode} mode the channels of the filters that are kept should not change.",
        )

    yield "keeps the channel of a filter of which single weights are pruned"
    mask = (_drawn(8, 3, 2, 3, 3) > 0).float()
    mask[1] = 0
    for mode, found, usual in outputs(mask):
        expect(
            near(found[:, ::2], usual[:, ::2], 100 * STEP) and not found[:, 1].any(),
            f"In {mode} mode, only the channel of the filter without any weight should be zero, "
            "and the other two should be those of the three layers in a row.",
        )

    yield "passes a gradient to its input"
    block, x = SparseBlock(*layers(mask)), _drawn(7, 2, 2, 5, 5).requires_grad_()
    ask("block(x)", block, x).sum().backward()
    expect(
        x.grad is not None,
        "No gradient reaches the input, so the blocks before would not be trained. Is it detached "
        "somewhere?",
    )


@public_check("SparseConvNet")
def sparse_convnet(SparseConvNet: Callable[..., Any]) -> Claims:
    """Check the student's ``SparseConvNet``."""
    yield "is a network whose weights have the names of the dense ConvNet's, and masks beside them"
    model = _sparse_network(SparseConvNet)
    dense: nn.Module = convnet().eval()

    yield "gives the scores of the dense network with the same weights, since nothing is pruned"
    model.load_state_dict(dense.state_dict(), strict=False)
    for size in (16, 32):
        images = _drawn(8, 4, 3, size, size)
        usual = dense(images).detach()
        found = as_tensor("`model(images)`", ask("model(images)", model.eval(), images), (4, 10))
        expect(
            near(found.detach(), usual, CLOSE),
            f"With the same weights and images of {size}x{size} pixels, its scores differ from "
            f"those of `convnet()` by up to {float((found.detach() - usual).abs().max()):.3g}. "
            "Compare the strides, and what the classifier gets.",
        )

    yield "is made of the layer class that it gets"
    plain = ask("SparseConvNet(nn.Conv2d)", SparseConvNet, nn.Conv2d)
    expect(
        not any(name.endswith("mask") for name in plain.state_dict()),
        "`nn.Conv2d` has no mask, but `SparseConvNet(nn.Conv2d)` has masks: give `conv` to every "
        "block.",
    )


def _sparse_network(SparseConvNet: Callable[..., Any]) -> Any:
    model = ask("SparseConvNet()", SparseConvNet)
    expect(isinstance(model, nn.Module), f"It should be a module; it is {kind(model)}.")
    state = model.state_dict()
    asked = {*convnet().state_dict(), *(f"features.{i}.0.mask" for i in range(5))}
    if missing := sorted(asked - state.keys()):
        raise Wrong(f"Its state dictionary lacks {missing[0]}.")
    if extra := sorted(state.keys() - asked):
        raise Wrong(f"Its state dictionary should not have {extra[0]}.")
    for name, tensor in convnet().state_dict().items():
        expect(
            state[name].shape == tensor.shape,
            f"{name} should have the shape {tuple(tensor.shape)}; yours has "
            f"{tuple(state[name].shape)}.",
        )
    return model


# ------------------------------------------------------------------------------------------------
# Pruning


@public_check("filter_norms")
def filter_norms(filter_norms: Callable[..., Any]) -> Claims:
    """Check the student's ``filter_norms(w)``."""
    w = torch.tensor([[[[1.0, -2.0]], [[0.0, 3.0]]], [[[-1.0, -1.0]], [[0.5, 0.0]]]])
    w = torch.cat([w, 2 * w[:1]])

    yield "returns one number for each filter"
    found = as_tensor("`filter_norms(w)`", ask("filter_norms(w)", filter_norms, w), (3,))

    yield "adds up the magnitudes of the weights of a filter"
    expect(
        near(found, torch.tensor([6.0, 2.5, 12.0]), 20 * STEP),
        "The first filter of `w` has the weights 1, -2, 0 and 3, the second -1, -1, 0.5 and 0, and "
        "the third is twice the first: their L1 norms are [6, 2.5, 12]. Yours are "
        f"{shown(found)}.",
    )


def _two_layers(conv: Callable[..., Any], sizes: Sequence[Sequence[float]], name: str) -> Any:
    """Return two convolutions whose filters have one weight each, and a classifier."""
    first = _layer(name, conv, (1, len(sizes[0]), 1), bias=False)
    second = _layer(name, conv, (1, len(sizes[1]), 1), bias=False)
    classifier = nn.Linear(len(sizes[1]), 3)
    # As in a SparseConvNet, the layers are inside another module.
    model = nn.Sequential(nn.Sequential(first, second), nn.Flatten(), classifier)
    with torch.no_grad():
        for layer, of_layer in zip((first, second), sizes, strict=True):
            layer.weight.copy_(torch.tensor(of_layer).view(-1, 1, 1, 1))
        classifier.weight.copy_(torch.arange(3.0 * len(sizes[1])).view(3, -1) / 100)
    return model


NORMS = (5.0, -1.0, 3.0, 0.5, -2.0, 4.0, 7.0, -6.0, 9.0, 8.0, 11.0, -10.0)
SMALLER = tuple(value / 100 for value in reversed(NORMS))


def _prunes(name: str, what: str, prune: Callable[..., Any], conv: Callable[..., Any]) -> Claims:
    """Check a pruning function on layers in which each filter has a single weight."""
    conv_name = getattr(conv, "__name__", "the layer")
    sizes = (NORMS, SMALLER)

    def masks(model: Any) -> list[Tensor]:
        return [
            as_tensor("The mask", model[0][i].mask, (len(NORMS), 1, 1, 1)).detach().flatten()
            for i in (0, 1)
        ]

    def expected(count: int, of_layer: Sequence[float]) -> Tensor:
        ranked = sorted(range(len(of_layer)), key=lambda i: abs(of_layer[i]))
        mask = torch.ones(len(of_layer))
        mask[ranked[:count]] = 0
        return mask

    def expect_masks(model: Any, count: int, call: str) -> None:
        for found, of_layer in zip(masks(model), sizes, strict=True):
            right = expected(count, of_layer)
            wrong = (
                f"The {what} have the magnitudes {shown(torch.tensor(of_layer).abs())}. After "
                f"{call} the mask should be {shown(right)}; yours is {shown(found)}."
            )
            expect(torch.equal(found, right), wrong)

    yield f"prunes the {what} with the smallest magnitudes, in each layer by itself"
    model = _two_layers(conv, sizes, conv_name)
    before = model[2].weight.detach().clone()
    ask(f"{name}(model, 25)", prune, model, 25)
    expect_masks(model, 3, f"`{name}(model, 25)`")

    yield "rounds the number down"
    model = _two_layers(conv, sizes, conv_name)
    ask(f"{name}(model, 40)", prune, model, 40)
    expect_masks(model, 4, f"`{name}(model, 40)`, of 4.8,")

    yield f"counts the {what} that were pruned before, and prunes none of the others twice"
    for percentage, count in ((40, 4), (50, 6)):
        ask(f"{name}(model, {percentage})", prune, model, percentage)
        expect_masks(model, count, f"a further `{name}(model, {percentage})`")

    yield f"never brings back {what} that are pruned"
    with torch.no_grad():
        for i in (0, 1):
            model[0][i].weight.add_(20 * (1 - model[0][i].mask))
    ask(f"{name}(model, 50)", prune, model, 50)
    expect_masks(model, 6, "the stored weights of pruned ones have grown and the same call")

    yield "leaves the classifier alone"
    expect(
        torch.equal(model[2].weight.detach(), before),
        "The weights of the linear layer, which has no mask, have changed.",
    )


@public_check("filter_l1_pruning")
def filter_l1_pruning(
    filter_l1_pruning: Callable[..., Any], SparseConv2d: Callable[..., Any]
) -> Claims:
    """Check the student's ``filter_l1_pruning(model, percentage)`` on the student's layers."""
    yield from _prunes("filter_l1_pruning", "filters", filter_l1_pruning, SparseConv2d)

    yield "ranks filters by all of their weights"
    layer = _layer("SparseConv2d", SparseConv2d, (2, 2, 1), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, -3.0], [5.0, 0.0]]).view(2, 2, 1, 1))
    ask("filter_l1_pruning(model, 50)", filter_l1_pruning, nn.Sequential(layer), 50)
    found = as_tensor("The mask", layer.mask, (2, 1, 1, 1)).flatten()
    expect(
        torch.equal(found, torch.tensor([1.0, 0.0])),
        "Two filters have the weights [3, -3] and [5, 0]. Their L1 norms are 6 and 5, so the "
        f"second is pruned; your mask is {shown(found)}.",
    )


@public_check("unstructured_pruning")
def unstructured_pruning(
    unstructured_pruning: Callable[..., Any], SparseWeightConv2d: Callable[..., Any]
) -> Claims:
    """Check the student's ``unstructured_pruning(model, percentage)`` on the student's layers."""
    yield from _prunes("unstructured_pruning", "weights", unstructured_pruning, SparseWeightConv2d)

    yield "looks at each weight by itself"
    layer = _layer("SparseWeightConv2d", SparseWeightConv2d, (2, 2, 1), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, -1.0], [5.0, 0.5]]).view(2, 2, 1, 1))
    ask("unstructured_pruning(model, 50)", unstructured_pruning, nn.Sequential(layer), 50)
    found = as_tensor("The mask", layer.mask, (2, 2, 1, 1)).flatten(1)
    expect(
        torch.equal(found, torch.tensor([[1.0, 0.0], [1.0, 0.0]])),
        "Of the weights [[3, -1], [5, 0.5]], those of smaller magnitude are -1 and 0.5, one in "
        f"each filter; your mask is {shown(found)}.",
    )


@public_check("scheduled_percentage")
def scheduled_percentage(scheduled_percentage: Callable[..., Any]) -> Claims:
    """Check the student's ``scheduled_percentage(epoch, epochs)``."""

    def expect_percentage(epoch: int, epochs: int, right: int) -> None:
        call = f"scheduled_percentage({epoch}, {epochs})"
        found = as_number(f"`{call}`", ask(call, scheduled_percentage, epoch, epochs))
        expect(
            math.isclose(found, right, abs_tol=1e-4),
            f"`{call}` should be {right}; yours is {found:g}.",
        )

    yield "prunes nothing in the first tenth of the epochs"
    expect_percentage(0, 100, 0)
    expect_percentage(9, 100, 0)

    yield "rises by 10 at the epochs 10, 20, 30, 40 and 50 of 100, and stays in between"
    for epoch, right in ((10, 10), (11, 10), (19, 10), (20, 20), (35, 30), (40, 40), (50, 50)):
        expect_percentage(epoch, 100, right)

    yield "stays at 50 in the second half"
    for epoch in (51, 60, 99):
        expect_percentage(epoch, 100, 50)

    yield "does the same for another number of epochs"
    for epoch, right in ((1, 0), (2, 10), (5, 20), (10, 50), (19, 50)):
        expect_percentage(epoch, 20, right)


# ------------------------------------------------------------------------------------------------
# The smaller network


@public_check("smaller_network")
def smaller_network(
    smaller_network: Callable[..., Any], SparseConvNet: Callable[..., Any]
) -> Claims:
    """Check the student's ``smaller_network(model)`` on the student's network."""
    widths = (20, 17, 40, 33, 70)
    model = _sparse_network(SparseConvNet)
    generator = torch.Generator().manual_seed(9)
    state = model.state_dict()
    for i, (width, kept) in enumerate(zip(WIDTHS, widths, strict=True)):
        mask = torch.zeros(width)
        mask[torch.randperm(width, generator=generator)[:kept]] = 1
        state[f"features.{i}.0.mask"] = mask.view(-1, 1, 1, 1)
        for name, low, high in (("weight", 0.5, 1.5), ("bias", 0, 1), ("running_mean", -1, 1)):
            drawn = torch.rand(width, generator=generator)
            state[f"features.{i}.1.{name}"] = low + (high - low) * drawn
        state[f"features.{i}.1.running_var"] = 0.5 + torch.rand(width, generator=generator)
    model.load_state_dict(state)
    before = {name: given.clone() for name, given in state.items()}
    model.eval()

    yield "returns a network that has just the filters that are kept, and their inputs"
    small = ask("smaller_network(model)", smaller_network, model)
    expect(isinstance(small, nn.Module), f"It should be a network; yours is {kind(small)}.")
    shapes = {name: tuple(tensor.shape) for name, tensor in small.state_dict().items()}
    channels = 3
    for i, kept in enumerate(widths):
        name, right = f"features.{i}.0.weight", (kept, channels, 3, 3)
        expect(
            shapes.get(name) == right,
            f"`{name}` should have the shape {right}; yours has {shapes.get(name)}.",
        )
        channels = kept
    right_classifier = (10, channels)
    expect(
        shapes.get("classifier.weight") == right_classifier,
        f"`classifier.weight` should have the shape {right_classifier}; yours has "
        f"{shapes.get('classifier.weight')}.",
    )

    yield "gives the same scores as the masked network"
    images = _drawn(10, 4, 3, 16, 16)
    with torch.no_grad():
        usual = model(images)
        found = as_tensor("`small(images)`", ask("small(images)", small, images), (4, 10))
    scale = max(1.0, float(usual.abs().max()))
    expect(
        near(found.detach(), usual, CLOSE * scale),
        f"Its scores differ by up to {float((found - usual).abs().max()):.3g}. Are the four "
        "tensors of batch norm selected like the filters, and the inputs of the next layer too? "
        "Is the network in evaluation mode?",
    )

    yield "leaves the masked network as it is"
    expect(
        all(torch.equal(before[name], after) for name, after in model.state_dict().items()),
        "The masked network has changed.",
    )


@public_check("network_costs")
def network_costs(network_costs: Callable[..., Any]) -> Claims:
    """Check the student's ``network_costs(widths, size)``."""

    def costs(widths: Sequence[int], size: int) -> tuple[float, float]:
        call = f"network_costs({tuple(widths)}, {size})"
        found = ask(call, network_costs, tuple(widths), size)
        expect(
            isinstance(found, Sequence) and not isinstance(found, str) and len(found) == 2,
            f"`{call}` should return the weights and the multiply-adds; yours is {kind(found)}.",
        )
        weights, multiply_adds = found
        return as_number("The number of weights", weights), as_number(
            "The number of multiply-adds", multiply_adds
        )

    yield "counts the weights of the ConvNet"
    weights, _ = costs(WIDTHS, 32)
    expect(weights == 140_384, f"The ConvNet has 140,384 weights; you count {weights:,.0f}.")

    yield "counts the weights and the products of a network with one filter in each layer"
    weights, multiply_adds = costs((1, 1, 1, 1, 1), 4)
    expect(
        weights == 27 + 4 * 9 + 10,
        "There are 27 weights in the first layer, 9 in each of the other four, and 10 in the "
        f"classifier, 73 in all; you count {weights:,.0f}.",
    )
    # Outputs of 4x4, 4x4, 2x2, 2x2 and 1x1 pixels.
    expect(
        multiply_adds == 27 * 16 + 9 * (16 + 4 + 4 + 1) + 10,
        "For images of 4x4 pixels the outputs have 16, 16, 4, 4 and 1 positions, which makes 667 "
        f"multiply-adds with those of the classifier; you count {multiply_adds:,.0f}.",
    )

    yield "rounds the size of an output up, where it is not even"
    # Outputs of 5x5, 5x5, 3x3, 3x3 and 2x2 pixels.
    _, multiply_adds = costs((1, 1, 1, 1, 1), 5)
    expect(
        multiply_adds == 27 * 25 + 9 * (25 + 9 + 9 + 4) + 10,
        "For images of 5x5 pixels the outputs have 25, 25, 9, 9 and 4 positions, which makes 1,108 "
        f"multiply-adds with those of the classifier; you count {multiply_adds:,.0f}.",
    )
