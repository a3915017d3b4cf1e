"""Correct answers that differ from the reference earn every point of `pruning`.

They use other divisors, other percentiles and other ways to write into a parameter: a hidden test
must not depend on a difference in the last bit. Every function here is a correct answer to the
question that it is named after; only the number at the end of the name is added.
"""

import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from alternatives import each_alternative, judged_alternative
from source_notebook import judged
from torch import nn

from autograder.hidden import reference
from autograder.misconceptions import misconceptions_of
from autograder.references import artifacts
from helpers import data
from helpers.artifacts import artifact_files, artifact_folder
from helpers.assignments.pruning import checks
from helpers.batch_norm import reestimate_batch_norm
from helpers.models import layer_sizes, resnet20
from helpers.reference import masks
from helpers.reference.pruning import magnitude
from helpers.training import evaluate

# The names that the hidden tests need besides the answer itself.
NOTEBOOK = {
    "nn": nn,
    "torch": torch,
    "checks": checks,
    "global_percentage_masks": magnitude.global_percentage_masks,
}

# ------------------------------------------------------------------------------------------------
# Thresholds


def prune_by_std_1(w, s):
    """Divide by n - 1, in tensors."""
    mask = torch.gt(w.abs(), s * torch.std(w))
    return torch.where(mask, w, torch.zeros_like(w)), mask


def prune_by_std_2(w, s):
    """In NumPy and double precision."""
    array = w.numpy().astype(np.float64)
    mask = torch.from_numpy(np.abs(array) > s * np.std(array, ddof=1))
    pruned = w.clone()
    pruned[~mask] = 0
    return pruned, mask


def prune_by_std_3(w, s):
    """Negate a comparison by `<=`; return a list of two."""
    mask = (w.abs() <= w.std(unbiased=False) * s).logical_not()
    return [w.masked_fill(~mask, 0.0), mask]


def prune_by_percentage_1(w, q):
    """With torch's quantile, in float32."""
    mask = w.abs() > torch.quantile(w.abs(), q / 100)
    return w * mask, mask


def prune_by_percentage_2(w, q):
    """Sort and interpolate by hand."""
    ranked = w.abs().flatten().sort().values.double()
    position = (len(ranked) - 1) * q / 100
    low = int(position)
    high = min(low + 1, len(ranked) - 1)
    threshold = ranked[low] + (position - low) * (ranked[high] - ranked[low])
    mask = w.abs().double() > threshold
    return w.masked_fill(~mask, 0), mask


def prune_by_percentage_3(w, q):
    """With NumPy's quantile in double precision."""
    magnitudes = w.abs().double().numpy()
    mask = torch.from_numpy(magnitudes > np.quantile(magnitudes, q / 100))
    return mask * w, mask


def global_percentage_masks_1(weights, q):
    """With torch's quantile, in double precision."""
    everything = torch.cat([w.reshape(-1) for w in weights.values()]).abs().double()
    threshold = torch.quantile(everything, q / 100)
    return {name: w.abs().double() > threshold for name, w in weights.items()}


def global_percentage_masks_2(weights, q):
    """Prune all weights as one layer, in another order, and split the mask."""
    names = sorted(weights)
    flat = torch.cat([weights[name].flatten() for name in names])
    _, mask = prune_by_percentage_1(flat, q)
    parts = mask.split([weights[name].numel() for name in names])
    return {n: part.reshape(weights[n].shape) for n, part in zip(names, parts, strict=True)}


def global_percentage_masks_3(weights, q):
    """With NumPy, from a list of arrays, and a comparison by `<=`."""
    threshold = np.percentile(np.concatenate([abs(w.numpy()).ravel() for w in weights.values()]), q)
    return {name: ~(w.abs() <= float(threshold)) for name, w in weights.items()}


# ------------------------------------------------------------------------------------------------
# Networks


def apply_masks_1(model, masks):
    """Write through `data`."""
    for name, module in model.named_modules():
        if name in masks:
            module.weight.data *= masks[name].float()


@torch.no_grad()
def apply_masks_2(model, masks):
    """Write into the parameters by name; mask the gradients as well."""
    for name, parameter in model.named_parameters():
        mask = masks.get(name.removesuffix(".weight"))
        if name.endswith(".weight") and mask is not None:
            parameter[~mask] = 0
            if parameter.grad is not None:
                parameter.grad[~mask] = 0


def apply_masks_3(model, masks):
    """Write with `copy_`."""
    with torch.no_grad():
        for name in masks:
            weight = model.get_submodule(name).weight
            weight.copy_(torch.where(masks[name], weight, torch.zeros(())))


def layer_summary_1(parameters):
    """In a loop with NumPy and running totals; the overall sparsity in float32."""
    table, weights, zeros = [], 0, 0
    for name, tensor in parameters.items():
        array = tensor.numpy()
        if array.ndim < 2:
            continue
        empty = int(array.size - np.count_nonzero(array))
        kind = "convolution" if array.ndim == 4 else "linear"
        row = [name[: -len(".weight")], kind, array.size, array.size - empty, empty / array.size]
        table.append(
            dict(zip(("layer", "type", "weights", "nonzero", "sparsity"), row, strict=True))
        )
        weights, zeros = weights + array.size, zeros + empty
    total = {"sparsity": np.float32(zeros / weights), "weights": weights, "layer": "total"}
    return [*table, {**total, "type": "", "nonzero": weights - zeros}]


def layer_summary_2(parameters):
    """With tensors that are flattened first, and a mean of truth values."""
    large = {n.rsplit(".", 1)[0]: p.detach().flatten() for n, p in parameters.items() if p.ndim > 1}
    kinds = {n.rsplit(".", 1)[0]: p.ndim for n, p in parameters.items() if p.ndim > 1}
    large["total"] = torch.cat(list(large.values()))
    return [
        {
            "layer": name,
            "type": {4: "convolution", 2: "linear"}.get(kinds.get(name), ""),
            "weights": len(w),
            "nonzero": torch.count_nonzero(w).item(),
            "sparsity": (w == 0).double().mean().item(),
        }
        for name, w in large.items()
    ]


def layer_summary_3(parameters):
    """Collect columns first, in NumPy integers."""
    chosen = [(name, p) for name, p in parameters.items() if p.dim() in (2, 4)]
    sizes = np.array([p.numel() for _, p in chosen])
    kept = np.array([np.count_nonzero(p.detach().numpy()) for _, p in chosen])
    names = [name.replace(".weight", "") for name, _ in chosen] + ["total"]
    types = ["linear" if p.dim() == 2 else "convolution" for _, p in chosen] + [""]
    sizes, kept = np.append(sizes, sizes.sum()), np.append(kept, kept.sum())
    columns = {"layer": names, "type": types, "weights": sizes, "nonzero": kept}
    columns["sparsity"] = (sizes - kept) / sizes
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


# ------------------------------------------------------------------------------------------------
# Training


def masked_step_1(w, velocity, gradient, mask, lr, momentum, weight_decay):
    """Mask the velocity as well."""
    velocity = (velocity * momentum + (gradient + weight_decay * w)) * mask
    return (w - lr * velocity).masked_fill(~mask, 0), velocity


def masked_step_2(w, velocity, gradient, mask, lr, momentum, weight_decay):
    """With torch's optimizer."""
    parameter = nn.Parameter(w.clone())
    optimizer = torch.optim.SGD([parameter], lr=lr, momentum=momentum, weight_decay=weight_decay)
    if momentum:
        optimizer.state[parameter]["momentum_buffer"] = velocity.clone()
    parameter.grad = gradient.clone()
    optimizer.step()
    velocity = optimizer.state[parameter].get("momentum_buffer")
    return parameter.detach() * mask, gradient if velocity is None else velocity


def masked_step_3(w, velocity, gradient, mask, lr, momentum, weight_decay):
    """Multiply by the mask as numbers, in one expression."""
    new = gradient.add(w, alpha=weight_decay).add(velocity, alpha=momentum)
    return torch.where(mask, w, 0) - lr * new * mask.to(w.dtype), new


def scheduled_percentage_1(epoch, pruning_epochs, final=80):
    step = final / pruning_epochs
    return final if epoch >= pruning_epochs else step * (epoch + 1)


def scheduled_percentage_2(epoch, pruning_epochs, final=80):
    return np.interp(epoch + 1, [0, pruning_epochs], [0, final])


def scheduled_percentage_3(epoch, pruning_epochs, final=80):
    return np.linspace(0, final, pruning_epochs + 1)[min(epoch + 1, pruning_epochs)]


class IterativePruning_1:
    """Find the masks in every epoch, from copies of the weights, and write zeros by hand."""

    def __init__(self, find_masks, pruning_epochs):
        self.find_masks, self.last = find_masks, pruning_epochs - 1
        self.epoch = -1

    def before_epoch(self, model, epoch):
        self.epoch = epoch
        weights = {k: model.get_parameter(f"{k}.weight").data.clone() for k in layer_sizes(model)}
        due = min(80, 80 * (epoch + 1) / (self.last + 1))
        self.kept = self.find_masks(weights, due)
        self._put_on(model)

    def after_step(self, model):
        if self.epoch < self.last:
            return
        self._put_on(model)

    def _put_on(self, model):
        for name, mask in self.kept.items():
            model.get_submodule(name).weight.data[~mask] = 0


class IterativePruning_2:
    """Find no more masks after the last pruning step."""

    def __init__(self, find_masks, pruning_epochs):
        self.find_masks, self.pruning_epochs, self.hold = find_masks, pruning_epochs, None

    def before_epoch(self, model, epoch):
        if self.hold is not None:
            return
        q = magnitude.scheduled_percentage(epoch, self.pruning_epochs)
        found = self.find_masks(masks.layer_weights(model), q)
        masks.apply_masks(model, found)
        if epoch + 1 >= self.pruning_epochs:
            self.hold = partial(masks.apply_masks, masks=found)

    def after_step(self, model):
        if self.hold:
            self.hold(model)


class IterativePruning_3:
    """Put masks of ones in the place of the found masks until the last pruning step."""

    def __init__(self, find_masks, pruning_epochs):
        self.find_masks, self.pruning_epochs = find_masks, pruning_epochs
        self.held = {}

    def before_epoch(self, model, epoch):
        q = min(80.0, 80.0 / self.pruning_epochs * (epoch + 1))
        found = self.find_masks(masks.layer_weights(model), q)
        with torch.no_grad():
            for layer, mask in found.items():
                model.get_parameter(f"{layer}.weight").mul_(mask)
        self.held = found if epoch > self.pruning_epochs - 2 else {}

    def after_step(self, model):
        for layer, mask in self.held.items():
            model.get_parameter(f"{layer}.weight").data.masked_fill_(~mask, 0.0)


# ------------------------------------------------------------------------------------------------


@each_alternative(globals())
def test_another_right_answer_earns_every_point(alternative):
    score = judged_alternative("pruning", alternative, beside=NOTEBOOK)
    assert (score.points, score.messages) == (score.of, [])


# ------------------------------------------------------------------------------------------------
# Follow-up mistakes, and answers that only look right


WRONG_RANKINGS = [m.wrong for m in misconceptions_of(magnitude.global_percentage_masks)]


@pytest.mark.parametrize("ranking", WRONG_RANKINGS, ids=lambda wrong: wrong.__name__)
def test_a_wrong_ranking_costs_nothing_in_the_question_about_hooks(ranking):
    names = {"IterativePruning": magnitude.IterativePruning, "global_percentage_masks": ranking}
    score = judged("pruning", "iterative_pruning", NOTEBOOK | names)
    assert score.points == score.of


def test_a_ranking_that_prunes_nothing_does_not_make_idle_hooks_right():
    class Idle:
        def __init__(self, find_masks, pruning_epochs):
            pass

        def before_epoch(self, model, epoch):
            pass

        def after_step(self, model):
            pass

    def keeps_all(weights, q):
        return {name: torch.ones_like(w, dtype=torch.bool) for name, w in weights.items()}

    names = {"IterativePruning": Idle, "global_percentage_masks": keeps_all}
    score = judged("pruning", "iterative_pruning", NOTEBOOK | names)
    assert score.points == 0


def accuracy_of_one_layer(layer, sparsity):
    """Return the accuracy that question 2.7 asks for, with the tools of the notebook."""
    network, digits = reference.starting_model(), reference.dataset()
    w = network.get_parameter(f"{layer}.weight").detach()
    masks.apply_masks(network, {layer: prune_by_percentage_1(w, 100 * sparsity)[1]})
    reestimate_batch_norm(network, digits, images=128)
    images, labels = digits.test.images[:1000], digits.test.labels[:1000]
    return evaluate(network, replace(digits, name="chosen", test=data.Split(images, labels)))


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_right_sensitivities_earn_every_point_however_they_are_written(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    found = {
        p: {layer: accuracy_of_one_layer(layer, p) for layer in UNIFORM} for p in (0.5, 0.8, 0.95)
    }
    rounded = {p: {k: round(a, 3) for k, a in each.items()} for p, each in found.items()}
    arrays = {p: {k: np.float32(a) for k, a in each.items()} for p, each in found.items()}
    backwards = {
        p: {k: torch.tensor(a) for k, a in reversed(found[p].items())} for p in (0.95, 0.8, 0.5)
    }
    for answer in (found, rounded, arrays, backwards):
        assert judged("pruning", "sensitivity", {"sensitivity": answer}).points == 5
    # The same accuracies for every sparsity, and the accuracy of the network that is not pruned.
    flat = dict.fromkeys(found, found[0.5])
    assert judged("pruning", "sensitivity", {"sensitivity": flat}).points < 5
    assert judged("pruning", "sensitivity", {"sensitivity": {}}).points == 0


UNIFORM = dict.fromkeys(layer_sizes(resnet20()), 0.8)


@pytest.mark.parametrize(
    ("allocation", "points"),
    [
        (UNIFORM, 1),  # prunes enough, but is no better than uniform
        (dict.fromkeys(UNIFORM, 0.0), 0),
        (dict.fromkeys(UNIFORM, 80), 0),
        (dict.fromkeys(UNIFORM, float("nan")), 0),
        ({"stem": 0.8}, 0),
        ("uniform", 0),
        (None, 0),
    ],
)
def test_an_allocation_earns_what_it_is_worth(allocation, points):
    score = judged("pruning", "bonus_allocation", {"allocation": allocation})
    assert score.points == points


# ------------------------------------------------------------------------------------------------
# Trained networks


@pytest.mark.parametrize(
    ("handed_in", "instead_of"),
    [
        ("one_shot", "pruned_std"),
        ("one_shot", "pruned_percentage"),
        ("pruned_percentage", "one_shot"),
        ("iterative", "one_shot"),
        ("one_shot", "iterative"),
        ("global_iterative", "iterative"),
        ("one_shot", "global_iterative"),
    ],
)
def test_a_network_that_was_pruned_in_another_way_earns_nothing(
    handed_in, instead_of, tmp_path, monkeypatch
):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    theirs = artifact_files(artifact_folder(tmp_path), instead_of)
    for source, copy in zip(
        artifact_files(artifacts("quick", "pruning"), handed_in), theirs, strict=True
    ):
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    score = judged("pruning", instead_of, {}, tmp_path)
    assert score.points == 0
