"""Wrong solutions of `pruning`, as students write them.

Each makes one mistake and is otherwise right. Where a wrong solution calls the answer to another
question (`apply_masks` in `IterativePruning`, say), it calls the reference's function here, and the
student's own in a notebook.

If two mistakes give the same answers on some inputs, the one that shows on fewer inputs comes
first: an answer that is wrong on those inputs alone fits both, and the rarer mistake explains it.
"""

# Students write no type hints, no docstrings on methods, and `dict(...)` for a row of a table.
# mypy: allow-untyped-defs
# ruff: noqa: C408, D102

import numpy as np
import torch
from torch import nn

from autograder.misconceptions import misconception
from helpers.reference import masks
from helpers.reference.masks import apply_masks
from helpers.reference.pruning import magnitude
from helpers.reference.pruning.magnitude import scheduled_percentage

# ------------------------------------------------------------------------------------------------
# magnitude.prune_by_std


@misconception(of=magnitude.prune_by_std)
def keeps_what_equals_the_threshold(w, s):
    """You keep weights whose magnitude equals the threshold.

    If the threshold is zero, the zeros are then kept, and a mask that keeps pruned weights lets
    them come back: keep only what lies above the threshold.
    """
    mask = w.abs() >= s * w.std(correction=0)
    return w * mask, mask


@misconception(of=magnitude.prune_by_std)
def weights_times_themselves(w, s):
    """You multiply the weights by themselves as well as by the mask.

    Every kept weight is squared, and none is negative any more. A pruned layer should differ from
    the original one only in its zeros.
    """
    mask = w.abs() > s * w.std(correction=0)
    return w * (w * mask), mask


@misconception(of=magnitude.prune_by_std)
def spread_of_the_magnitudes(w, s):
    """Your threshold uses the standard deviation of the magnitudes.

    Without their signs the weights spread much less, so you prune too little: take the standard
    deviation of the weights themselves.
    """
    mask = w.abs() > s * w.abs().std(correction=0)
    return w * mask, mask


@misconception(of=magnitude.prune_by_std)
def distance_from_the_mean(w, s):
    """You prune the weights that lie close to the mean of the layer.

    How much a weight adds to the output depends on its distance from zero: only the spread is
    measured around the mean.
    """
    mask = (w - w.mean()).abs() > s * w.std(correction=0)
    return w * mask, mask


@misconception(of=magnitude.prune_by_std)
def spread_around_zero(w, s):
    """You measure the spread around zero, as the root of the mean square.

    A standard deviation is measured around the mean. The two agree only if the mean is zero, which
    is nearly true in most layers, but not in all.
    """
    mask = w.abs() > s * w.square().mean().sqrt()
    return w * mask, mask


@misconception(of=magnitude.prune_by_std)
def variance_for_deviation(w, s):
    """You use the variance instead of the standard deviation.

    Weights are far smaller than one, so their variance is much too small a threshold: take the
    square root of the variance.
    """
    mask = w.abs() > s * w.var(correction=0)
    return w * mask, mask


@misconception(of=magnitude.prune_by_std)
def negative_weights_pruned(w, s):
    """You compare the signed weights with the threshold.

    Every negative weight is then pruned, however large it is: what matters is the magnitude of a
    weight.
    """
    mask = w > s * w.std(correction=0)
    return w * mask, mask


@misconception(of=magnitude.prune_by_std)
def keeps_the_small_ones(w, s):
    """Your mask is inverted: it keeps the small weights and prunes the large ones.

    A mask is true where a weight is kept, and the large weights are the ones to keep.
    """
    mask = w.abs() <= s * w.std(correction=0)
    return w * mask, mask


# ------------------------------------------------------------------------------------------------
# magnitude.prune_by_percentage


@misconception(of=magnitude.prune_by_percentage)
def keeps_the_percentile_itself(w, q):
    """You keep weights whose magnitude equals the percentile.

    If the percentile falls on a weight, that weight is to be pruned. It matters most in a layer
    that already has zeros: with a percentile of zero, you keep them all.
    """
    mask = w.abs() >= torch.from_numpy(np.asarray(np.percentile(w.abs().numpy(), q)))
    return w * mask, mask


@misconception(of=magnitude.prune_by_percentage)
def rank_without_interpolation(w, q):
    """Your threshold is the magnitude whose rank is q n / 100, rounded.

    That is what `kthvalue` gives, and it differs from the percentile by up to one weight: the
    percentile of n values lies at the position (n - 1) q / 100 and is interpolated between its two
    neighbours.
    """
    k = round(q / 100 * w.numel())
    threshold = w.abs().flatten().kthvalue(k).values if k else -1
    mask = w.abs() > threshold
    return w * mask, mask


@misconception(of=magnitude.prune_by_percentage)
def pruned_weights_squared(w, q):
    """You multiply the weights by themselves as well as by the mask.

    Every kept weight is squared, and none is negative any more. A pruned layer should differ from
    the original one only in its zeros.
    """
    mask = w.abs() > float(np.percentile(w.abs().numpy(), q))
    return w * (w * mask), mask


@misconception(of=magnitude.prune_by_percentage)
def percentile_of_signed_weights(w, q):
    """You take the percentile of the signed weights.

    About half of them are negative, so their 50th percentile is close to zero, and hardly any
    magnitude lies below it: take the percentile of the magnitudes.
    """
    mask = w.abs() > float(np.percentile(w.numpy(), q))
    return w * mask, mask


@misconception(of=magnitude.prune_by_percentage)
def fraction_for_a_percentage(w, q):
    """You pass a fraction to a function that expects a percentage.

    `np.percentile` counts from 0 to 100, `np.quantile` and `torch.quantile` from 0 to 1: with 0.5
    in place of 50 you prune half a per cent.
    """
    mask = w.abs() > float(np.percentile(w.abs().numpy(), q / 100))
    return w * mask, mask


@misconception(of=magnitude.prune_by_percentage)
def part_of_the_largest(w, q):
    """Your threshold is q per cent of the largest magnitude.

    Most weights are small, so far more than q per cent of them lie below it: q is a share of the
    number of weights, not of the range that they cover.
    """
    mask = w.abs() > q / 100 * w.abs().max()
    return w * mask, mask


@misconception(of=magnitude.prune_by_percentage)
def prunes_the_largest(w, q):
    """Your mask is inverted: it keeps the smallest weights and prunes all others.

    A mask is true where a weight is kept, and the large weights are the ones to keep.
    """
    mask = w.abs() <= float(np.percentile(w.abs().numpy(), q))
    return w * mask, mask


# ------------------------------------------------------------------------------------------------
# masks.apply_masks


@misconception(of=masks.apply_masks)
def linear_layer_not_masked(model, masks):
    """You mask only the convolutions and leave the classifier out.

    A linear layer has weights as well, and its mask is among those that you are given: prune every
    layer that has a mask.
    """
    for layer, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and layer in masks:
            module.weight.data[~masks[layer]] = 0


@misconception(of=masks.apply_masks)
def gradients_masked_alone(model, masks):
    """You mask the gradients instead of the weights.

    The optimizer has its own memory: a weight that was pruned a moment ago still has a velocity,
    and goes on moving without any gradient. Set the weights themselves to zero after each step.
    """
    for layer, mask in masks.items():
        weight = model.get_parameter(f"{layer}.weight")
        if weight.grad is not None:
            weight.grad *= mask


@misconception(of=masks.apply_masks)
def only_a_copy_is_masked(model, masks):
    """You compute the pruned weights but do not write them into the model.

    A product is a new tensor, and giving it a name does not change the network: write the zeros
    into the existing parameter.
    """
    for layer, mask in masks.items():
        w = model.get_parameter(f"{layer}.weight")
        w = w * mask


@misconception(of=masks.apply_masks)
def a_new_parameter_each_time(model, masks):
    """You put a new parameter in place of the old one.

    The optimizer goes on training the old parameter, while the network uses the new one and stops
    learning: write the zeros into the existing parameter.
    """
    for layer, mask in masks.items():
        module = model.get_submodule(layer)
        module.weight = nn.Parameter(module.weight.detach() * mask)


@misconception(of=masks.apply_masks)
def masked_weights_squared(model, masks):
    """You multiply the weights by themselves as well as by the mask.

    Every kept weight is squared, and squared again at each call. A pruned network should differ
    from the original one only in its zeros.
    """
    for layer, mask in masks.items():
        w = model.get_parameter(f"{layer}.weight").data
        w *= w * mask


# ------------------------------------------------------------------------------------------------
# magnitude.layer_summary


@misconception(of=magnitude.layer_summary)
def batch_norm_and_biases_counted(parameters):
    """You count batch norm and biases in the total number of weights.

    They are never pruned, so they make the network look less sparse than it is: count only the
    weights of convolutions and linear layers.
    """
    rows = []
    for name, w in parameters.items():
        if w.dim() in (2, 4):
            kind = "convolution" if w.dim() == 4 else "linear"
            n, nonzero = w.numel(), int((w != 0).sum())
            layer = name.removesuffix(".weight")
            rows.append(
                dict(layer=layer, type=kind, weights=n, nonzero=nonzero, sparsity=1 - nonzero / n)
            )
    n = sum(w.numel() for w in parameters.values())
    nonzero = sum(int((w != 0).sum()) for w in parameters.values())
    total = dict(layer="total", type="", weights=n, nonzero=nonzero, sparsity=1 - nonzero / n)
    return [*rows, total]


@misconception(of=magnitude.layer_summary)
def classifier_not_counted(parameters):
    """You list only the convolutions and leave the classifier out.

    It is a layer whose weights can be pruned like those of any other: its weight is the tensor with
    two dimensions.
    """
    rows = []
    for name, w in parameters.items():
        if w.dim() == 4:
            n, nonzero = w.numel(), int((w != 0).sum())
            layer = name.removesuffix(".weight")
            rows.append(
                dict(
                    layer=layer,
                    type="convolution",
                    weights=n,
                    nonzero=nonzero,
                    sparsity=1 - nonzero / n,
                )
            )
    n, nonzero = (sum(row[key] for row in rows) for key in ("weights", "nonzero"))
    total = dict(layer="total", type="", weights=n, nonzero=nonzero, sparsity=1 - nonzero / n)
    return [*rows, total]


@misconception(of=magnitude.layer_summary)
def mean_of_the_layers(parameters):
    """Your overall sparsity is the mean of the layers' sparsities.

    The classifier then counts as much as a layer with sixty times as many weights: divide the
    number of zeros in the whole network by its number of weights.
    """
    rows = []
    for name, w in parameters.items():
        if w.dim() in (2, 4):
            kind = "convolution" if w.dim() == 4 else "linear"
            n, nonzero = w.numel(), int((w != 0).sum())
            layer = name.removesuffix(".weight")
            rows.append(
                dict(layer=layer, type=kind, weights=n, nonzero=nonzero, sparsity=1 - nonzero / n)
            )
    n, nonzero, sparsity = (
        sum(row[key] for row in rows) for key in ("weights", "nonzero", "sparsity")
    )
    total = dict(layer="total", type="", weights=n, nonzero=nonzero, sparsity=sparsity / len(rows))
    return [*rows, total]


@misconception(of=magnitude.layer_summary)
def positive_weights_counted(parameters):
    """You count the weights above zero instead of those that differ from zero.

    About half of the kept weights are negative: compare with `!= 0`.
    """
    rows = []
    for name, w in parameters.items():
        if w.dim() in (2, 4):
            kind = "convolution" if w.dim() == 4 else "linear"
            n, nonzero = w.numel(), int((w > 0).sum())
            layer = name.removesuffix(".weight")
            rows.append(
                dict(layer=layer, type=kind, weights=n, nonzero=nonzero, sparsity=1 - nonzero / n)
            )
    n, nonzero = (sum(row[key] for row in rows) for key in ("weights", "nonzero"))
    total = dict(layer="total", type="", weights=n, nonzero=nonzero, sparsity=1 - nonzero / n)
    return [*rows, total]


@misconception(of=magnitude.layer_summary)
def density_for_sparsity(parameters):
    """You return the share of the weights that is kept, which is called the density.

    The sparsity is the share that is zero: with a sparsity of 0.8, a fifth of the network is left.
    """
    rows = []
    for name, w in parameters.items():
        if w.dim() in (2, 4):
            kind = "convolution" if w.dim() == 4 else "linear"
            n, nonzero = w.numel(), int((w != 0).sum())
            layer = name.removesuffix(".weight")
            rows.append(
                dict(layer=layer, type=kind, weights=n, nonzero=nonzero, sparsity=nonzero / n)
            )
    n, nonzero = (sum(row[key] for row in rows) for key in ("weights", "nonzero"))
    total = dict(layer="total", type="", weights=n, nonzero=nonzero, sparsity=nonzero / n)
    return [*rows, total]


# ------------------------------------------------------------------------------------------------
# magnitude.masked_step


@misconception(of=magnitude.masked_step)
def only_the_gradient_is_masked(w, velocity, gradient, mask, lr, momentum, weight_decay):
    """You mask only the gradient.

    That keeps new gradients from moving the weight, but not the velocity from the steps before the
    pruning, which goes on carrying it away from zero. Mask the weights, after the step.
    """
    velocity = momentum * velocity + mask * gradient + weight_decay * w
    return w - lr * velocity, velocity


@misconception(of=magnitude.masked_step)
def masked_before_the_step(w, velocity, gradient, mask, lr, momentum, weight_decay):
    """You mask the weights first and then take the step.

    The step moves them away from zero again, and the network is used as the step leaves it: apply
    the mask last.
    """
    w = w * mask
    velocity = momentum * velocity + gradient + weight_decay * w
    return w - lr * velocity, velocity


@misconception(of=magnitude.masked_step)
def weight_decay_forgotten(w, velocity, gradient, mask, lr, momentum, weight_decay):
    """You leave out the weight decay.

    It adds a multiple of each weight to its gradient, which pulls every kept weight towards zero.
    """
    velocity = momentum * velocity + gradient
    return (w - lr * velocity) * mask, velocity


@misconception(of=magnitude.masked_step)
def step_without_momentum(w, velocity, gradient, mask, lr, momentum, weight_decay):
    """You update the velocity but move the weights along the gradient.

    With momentum, a weight moves by its velocity, which adds up the gradients of many steps.
    """
    velocity = momentum * velocity + gradient + weight_decay * w
    return (w - lr * (gradient + weight_decay * w)) * mask, velocity


# ------------------------------------------------------------------------------------------------
# magnitude.scheduled_percentage


@misconception(of=magnitude.scheduled_percentage)
def nothing_before_the_first_epoch(epoch, pruning_epochs, final=80):
    """You prune nothing before the first epoch and are one step late from then on.

    Epochs are counted from 0 here: the first share is due before epoch 0, and the whole percentage
    before the last of the pruning epochs.
    """
    return final * min(1.0, epoch / pruning_epochs)


@misconception(of=magnitude.scheduled_percentage)
def never_stops_rising(epoch, pruning_epochs, final=80):
    """Your percentage goes on rising after the pruning epochs.

    It soon exceeds 100 per cent: after the last of the pruning epochs it has to stay at its final
    value.
    """
    return final * (epoch + 1) / pruning_epochs


@misconception(of=magnitude.scheduled_percentage)
def everything_at_once(epoch, pruning_epochs, final=80):
    """You prune everything before the first epoch, which is one-shot pruning.

    The percentage should rise by the same amount before each of the pruning epochs.
    """
    return float(final)


# ------------------------------------------------------------------------------------------------
# magnitude.IterativePruning


@misconception(of=magnitude.IterativePruning)
class masks_found_once:
    """You find your masks once, before the first epoch, and never again.

    Which weights are small changes while the network adapts, and the percentage rises: find the
    masks anew before every epoch, from the weights as they are then.
    """

    def __init__(self, find_masks, pruning_epochs):
        self.find_masks = find_masks
        self.pruning_epochs = pruning_epochs
        self.masks = {}

    def before_epoch(self, model, epoch):
        weights = {
            name: module.weight.detach()
            for name, module in model.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        }
        if not self.masks:
            percentage = scheduled_percentage(self.pruning_epochs - 1, self.pruning_epochs)
            self.masks = self.find_masks(weights, percentage)
        apply_masks(model, self.masks)
        self.hold = epoch >= self.pruning_epochs - 1

    def after_step(self, model):
        if self.hold:
            apply_masks(model, self.masks)


@misconception(of=magnitude.IterativePruning)
class never_holds:
    """You prune before each epoch but do not hold the pruned weights at zero at the end.

    After the last pruning step, the optimizer's next step would bring them back: from then on,
    apply the masks after every step.
    """

    def __init__(self, find_masks, pruning_epochs):
        self.find_masks = find_masks
        self.pruning_epochs = pruning_epochs

    def before_epoch(self, model, epoch):
        weights = {
            name: module.weight.detach()
            for name, module in model.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        }
        percentage = scheduled_percentage(epoch, self.pruning_epochs)
        apply_masks(model, self.find_masks(weights, percentage))

    def after_step(self, model):
        pass


@misconception(of=magnitude.IterativePruning)
class holds_from_the_start:
    """You hold the pruned weights at zero from the first epoch on.

    A weight of zero is always among the smallest, so it can never come back: let the pruned weights
    move until the last pruning step.
    """

    def __init__(self, find_masks, pruning_epochs):
        self.find_masks = find_masks
        self.pruning_epochs = pruning_epochs

    def before_epoch(self, model, epoch):
        weights = {
            name: module.weight.detach()
            for name, module in model.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        }
        self.masks = self.find_masks(weights, scheduled_percentage(epoch, self.pruning_epochs))
        apply_masks(model, self.masks)

    def after_step(self, model):
        apply_masks(model, self.masks)


@misconception(of=magnitude.IterativePruning)
class old_masks_kept:
    """You keep the old masks and add the new ones to them.

    A weight that was pruned once then stays pruned, even if it has grown since, and more weights
    are pruned than was asked for: each mask replaces the one before.
    """

    def __init__(self, find_masks, pruning_epochs):
        self.find_masks = find_masks
        self.pruning_epochs = pruning_epochs
        self.masks = {}

    def before_epoch(self, model, epoch):
        weights = {
            name: module.weight.detach()
            for name, module in model.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        }
        found = self.find_masks(weights, scheduled_percentage(epoch, self.pruning_epochs))
        self.masks = {name: mask & self.masks.get(name, mask) for name, mask in found.items()}
        apply_masks(model, self.masks)
        self.hold = epoch >= self.pruning_epochs - 1

    def after_step(self, model):
        if self.hold:
            apply_masks(model, self.masks)


# ------------------------------------------------------------------------------------------------
# magnitude.global_percentage_masks


@misconception(of=magnitude.global_percentage_masks)
def percentile_kept_in_the_ranking(weights, q):
    """You keep weights whose magnitude equals the threshold.

    If the percentile falls on a weight, that weight is to be pruned: keep only what lies above the
    threshold, so that a zero is never kept.
    """
    everything = torch.cat([w.abs().flatten() for w in weights.values()])
    threshold = torch.from_numpy(np.asarray(np.percentile(everything.numpy(), q)))
    return {layer: w.abs() >= threshold for layer, w in weights.items()}


@misconception(of=magnitude.global_percentage_masks)
def threshold_averaged_over_layers(weights, q):
    """Your threshold is the mean of the layers' own percentiles.

    A layer with few weights then moves it as much as a layer with many, and the network does not
    get the sparsity that was asked for: put all magnitudes together and take one percentile.
    """
    each = [np.percentile(w.abs().numpy(), q) for w in weights.values()]
    return {layer: w.abs() > float(np.mean(each)) for layer, w in weights.items()}


@misconception(of=magnitude.global_percentage_masks)
def threshold_of_each_layer(weights, q):
    """You give every layer a threshold of its own.

    All layers then get the same sparsity. A global ranking has one threshold for the whole network,
    so each layer loses as many weights as lie below it.
    """
    return {
        layer: w.abs() > float(np.percentile(w.abs().numpy(), q)) for layer, w in weights.items()
    }


@misconception(of=magnitude.global_percentage_masks)
def classifier_left_out(weights, q):
    """You rank only the convolutions and leave the classifier as it is.

    That is common in practice, but here all weights that you are given take part: without the
    classifier, less of the network is pruned than was asked for.
    """
    convolutions = [w.abs().flatten() for w in weights.values() if w.dim() == 4]
    threshold = float(np.percentile(torch.cat(convolutions).numpy(), q))
    return {
        layer: w.abs() > threshold if w.dim() == 4 else torch.ones_like(w, dtype=torch.bool)
        for layer, w in weights.items()
    }


@misconception(of=magnitude.global_percentage_masks)
def ranking_of_signed_weights(weights, q):
    """You take the percentile of the signed weights.

    About half of them are negative, so the percentile is far too small a threshold for magnitudes:
    rank the magnitudes.
    """
    everything = torch.cat([w.flatten() for w in weights.values()])
    threshold = float(np.percentile(everything.numpy(), q))
    return {layer: w.abs() > threshold for layer, w in weights.items()}
