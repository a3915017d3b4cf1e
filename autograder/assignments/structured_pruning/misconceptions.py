"""Wrong solutions of `structured_pruning`, as students write them.

Each makes one mistake and is otherwise right. If two mistakes give the same answers on some inputs,
the one that shows on fewer inputs comes first.
"""

# Students write neither type hints nor docstrings on methods.
# mypy: allow-untyped-defs, disable-error-code="operator,arg-type"
# ruff: noqa: D102

import torch
import torch.nn.functional as F
from torch import nn

from autograder.misconceptions import misconception
from helpers.reference.structured_pruning import filters, layers, smaller
from helpers.reference.structured_pruning.layers import SparseBlock, SparseConv2d

# ------------------------------------------------------------------------------------------------
# layers.SparseConv2d


@misconception(of=layers.SparseConv2d)
class BiasStillSpeaks(nn.Conv2d):
    """You mask the weights of a pruned filter and leave its bias alone.

    The channel is then a constant and not zero. The bias belongs to the filter: what has to happen
    to it?
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x):
        return self._conv_forward(x, self.weight * self.mask, self.bias)


@misconception(of=layers.SparseConv2d)
class MasksTheGradientOnly(nn.Conv2d):
    """You mask the gradient, but the forward pass still uses the whole filters.

    A pruned filter then stays as it is and goes on to work. The mask has to be multiplied with the
    weights that the convolution uses.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x):
        kept = self.weight * self.mask
        weight = kept + (self.weight - kept).detach()
        bias = self.bias
        if bias is not None:
            bias = bias * self.mask.flatten() + (bias * (1 - self.mask.flatten())).detach()
        return self._conv_forward(x, weight, bias)


@misconception(of=layers.SparseConv2d)
class MaskNeverUsed(nn.Conv2d):
    """You have a mask, but the convolution does not use it.

    Pruning then changes nothing at all. Multiply the mask with the weights in the forward pass.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x):
        return self._conv_forward(x, self.weight, self.bias)


@misconception(of=layers.SparseConv2d)
class ForgetsStrideAndPadding(nn.Conv2d):
    """You convolve with the right weights, but without the stride and the padding of the layer.

    The output then has another shape. `self.stride`, `self.padding`, `self.dilation` and
    `self.groups` hold what the layer was built with.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x):
        bias = None if self.bias is None else self.bias * self.mask.flatten()
        return F.conv2d(x, self.weight * self.mask, bias)


# ------------------------------------------------------------------------------------------------
# layers.SparseBlock


@misconception(of=layers.SparseBlock)
class BatchNormStillSpeaks(nn.Sequential):
    """Your block lets the batch norm of a pruned filter speak.

    It turns the zeros of the convolution into the constant beta - gamma * mean / deviation, which
    the next layer sees as a channel. Which channels of the output have to be zero?
    """

    def forward(self, x):
        return super().forward(x)


@misconception(of=layers.SparseBlock)
class OnlyTheShiftMasked(nn.Sequential):
    """You mask the shift of the batch norm, and its running mean still speaks.

    In evaluation mode, zeros become -gamma * mean / deviation even if beta is zero. Mask what
    leaves the block, after batch norm and ReLU.
    """

    def forward(self, x):
        norm = self[1]
        shift = norm.bias * self[0].mask.flatten(1).amax(dim=1)
        statistics = (norm.running_mean, norm.running_var)
        x = F.batch_norm(self[0](x), *statistics, norm.weight, shift, norm.training, 0.1, norm.eps)
        return F.relu(x)


@misconception(of=layers.SparseBlock)
class ChannelsScaledByTheirShare(nn.Sequential):
    """You multiply a channel by the share of its weights that are kept.

    A filter that has lost some of its weights still has its whole channel. A channel is zero only
    if all weights of its filter are pruned.
    """

    def forward(self, x):
        return super().forward(x) * self[0].mask.flatten(1).mean(dim=1).view(-1, 1, 1)


# ------------------------------------------------------------------------------------------------
# layers.SparseConvNet


@misconception(of=layers.SparseConvNet)
class StridesForgotten(nn.Module):
    """Your blocks all have the stride 1.

    The network still gives ten scores, but from larger images of features and for far more work.
    The third and the fifth block have the stride 2.
    """

    def __init__(self, conv=SparseConv2d):
        super().__init__()
        blocks, inputs = [], 3
        for width in (32, 32, 64, 64, 128):
            convolution = conv(inputs, width, 3, stride=1, padding=1, bias=False)
            blocks.append(SparseBlock(convolution, nn.BatchNorm2d(width), nn.ReLU()))
            inputs = width
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Linear(inputs, 10)

    def forward(self, x):
        return self.classifier(self.features(x).mean(dim=(2, 3)))


@misconception(of=layers.SparseConvNet)
class LargestInsteadOfMean(nn.Module):
    """You hand the largest value of each channel to the classifier.

    The ConvNet takes the mean over all positions. The two networks cannot give the same scores.
    """

    def __init__(self, conv=SparseConv2d):
        super().__init__()
        blocks, inputs = [], 3
        for width, stride in ((32, 1), (32, 1), (64, 2), (64, 1), (128, 2)):
            convolution = conv(inputs, width, 3, stride=stride, padding=1, bias=False)
            blocks.append(SparseBlock(convolution, nn.BatchNorm2d(width), nn.ReLU()))
            inputs = width
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Linear(inputs, 10)

    def forward(self, x):
        return self.classifier(self.features(x).amax(dim=(2, 3)))


# ------------------------------------------------------------------------------------------------
# filters.filter_norms


@misconception(of=filters.filter_norms)
def norms_of_the_inputs(w):
    """You return a norm for each input channel instead of each filter.

    The first dimension of the weight counts the filters, and the second one the channels that they
    read. Which dimensions have to be summed over?
    """
    return w.abs().sum(dim=(0, 2, 3))


@misconception(of=filters.filter_norms)
def sums_without_magnitudes(w):
    """You add up the weights themselves, so that positive and negative ones cancel.

    A filter with large weights of both signs would have a norm near zero. The L1 norm is the sum of
    the magnitudes.
    """
    return w.sum(dim=(1, 2, 3))


@misconception(of=filters.filter_norms)
def sum_then_magnitude(w):
    """You take the magnitude of the sum.

    Positive and negative weights have cancelled by then. Take the magnitude of each weight first,
    and add up afterwards.
    """
    return w.sum(dim=(1, 2, 3)).abs()


@misconception(of=filters.filter_norms)
def l2_norms(w):
    """You return the L2 norm, the root of the sum of squares.

    It ranks filters differently: a single large weight counts more. The L1 norm is asked for.
    """
    return w.pow(2).sum(dim=(1, 2, 3)).sqrt()


# ------------------------------------------------------------------------------------------------
# filters.filter_l1_pruning


@misconception(of=filters.filter_l1_pruning)
def count_rounded_up(model, percentage):
    """You round the number of pruned filters up.

    Ten per cent of 32 filters are 3.2, and you prune four. The text asks for rounding down, so that
    never more is pruned than the percentage says.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = (layer.weight * layer.mask).abs().sum(dim=(1, 2, 3))
            count = -int(-percentage * len(norms) // 100)
            layer.mask[torch.argsort(norms, stable=True)[:count]] = 0


@misconception(of=filters.filter_l1_pruning)
def share_of_what_is_left(model, percentage):
    """You prune the percentage of the filters that are left, not of all filters.

    The second call with ten per cent should change nothing, and yours prunes again. Count what is
    pruned already.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = (layer.weight * layer.mask).abs().sum(dim=(1, 2, 3))
            pruned = int((layer.mask.flatten() == 0).sum())
            count = pruned + int(percentage * (len(norms) - pruned) / 100)
            layer.mask[torch.argsort(norms, stable=True)[:count]] = 0


@misconception(of=filters.filter_l1_pruning)
def mask_made_anew(model, percentage):
    """You make the mask anew from the float weights, so that pruned filters may come back.

    A filter that is pruned stays pruned: its weights no longer count. Rank the masked weights, or
    keep the old zeros of the mask.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = layer.weight.abs().sum(dim=(1, 2, 3))
            layer.mask.fill_(1)
            count = int(percentage * len(norms) / 100)
            layer.mask[torch.argsort(norms, stable=True)[:count]] = 0


@misconception(of=filters.filter_l1_pruning)
def places_taken_for_filters(model, percentage):
    """You compare the result of `argsort` with the count, as if it were the ranks of the filters.

    `argsort` lists the filters in the order of their norms: its first entries are the numbers of
    the filters to prune. Use them as indices into the mask.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = (layer.weight * layer.mask).abs().sum(dim=(1, 2, 3))
            order = torch.argsort(norms, stable=True)
            layer.mask[order < int(percentage * len(norms) / 100)] = 0


@misconception(of=filters.filter_l1_pruning)
def one_threshold_for_all_layers(model, percentage):
    """You rank the filters of all layers together.

    Filters of different layers have different numbers of weights, and so their norms cannot be
    compared. Every layer has to lose the percentage of its own filters.
    """
    found = [layer for layer in model.modules() if hasattr(layer, "mask")]
    norms = [(layer.weight * layer.mask).abs().sum(dim=(1, 2, 3)) for layer in found]
    together = torch.cat(norms)
    count = int(percentage * len(together) / 100)
    pruned = torch.zeros(len(together), dtype=torch.bool)
    pruned[torch.argsort(together, stable=True)[:count]] = True
    for layer, part in zip(found, pruned.split([len(n) for n in norms]), strict=True):
        layer.mask[part] = 0


@misconception(of=filters.filter_l1_pruning)
def weights_instead_of_filters(model, percentage):
    """You prune a percentage of the weights of each layer, wherever they are.

    That is unstructured pruning. The mask of this layer has one number for each filter: rank the
    norms of the filters.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            sizes = (layer.weight * layer.mask).abs().flatten()
            mask = torch.ones_like(sizes)
            mask[torch.argsort(sizes, stable=True)[: int(percentage * len(sizes) / 100)]] = 0
            layer.mask = mask.view_as(layer.weight)


@misconception(of=filters.filter_l1_pruning)
def filters_that_come_back(model, percentage):
    """You set the weights of the filters to zero and leave the mask as it was.

    After the next step of the optimizer, momentum has brought them back. Pruned filters stay pruned
    only if the mask knows them.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = (layer.weight * layer.mask).abs().sum(dim=(1, 2, 3))
            count = int(percentage * len(norms) / 100)
            layer.weight.data[torch.argsort(norms, stable=True)[:count]] = 0


@misconception(of=filters.filter_l1_pruning)
def classifier_pruned_too(model, percentage):
    """You prune the classifier as well.

    Its ten rows are the classes: without one of them, the network cannot name that class any more.
    Prune only the convolutions, which have a mask.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = (layer.weight * layer.mask).abs().sum(dim=(1, 2, 3))
            count = int(percentage * len(norms) / 100)
            layer.mask[torch.argsort(norms, stable=True)[:count]] = 0
        elif isinstance(layer, nn.Linear):
            norms = layer.weight.abs().sum(dim=1)
            count = int(percentage * len(norms) / 100)
            layer.weight.data[torch.argsort(norms, stable=True)[:count]] = 0


@misconception(of=filters.filter_l1_pruning)
def largest_pruned(model, percentage):
    """You prune the filters with the largest norms.

    They contribute most to the output. `argsort` sorts upwards: the smallest come first.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = layer.weight.abs().sum(dim=(1, 2, 3)) + 1e9 * (1 - layer.mask.flatten())
            count = int(percentage * len(norms) / 100)
            order = torch.argsort(norms, stable=True, descending=True)
            layer.mask[order[:count]] = 0


# ------------------------------------------------------------------------------------------------
# filters.scheduled_percentage


@misconception(of=filters.scheduled_percentage)
def goes_on_after_the_middle(epoch, epochs):
    """You go on pruning after the middle of the training.

    In the end 90 per cent would be pruned. The schedule stops at 50 per cent, and the second half
    of the training lets the network settle.
    """
    return 10 * (10 * epoch // epochs)


@misconception(of=filters.scheduled_percentage)
def a_tenth_too_early(epoch, epochs):
    """You prune ten per cent before the very first epoch.

    The weights are random then, and their norms say nothing. The first pruning is due after a tenth
    of the epochs.
    """
    return min(50, 10 * (10 * epoch // epochs + 1))


@misconception(of=filters.scheduled_percentage)
def rises_in_every_epoch(epoch, epochs):
    """Your percentage rises a little before every epoch.

    The network is to train in peace between two prunings. The percentage jumps by ten after every
    tenth of the epochs and stays constant in between.
    """
    return min(50, 100 * epoch / epochs)


@misconception(of=filters.scheduled_percentage)
def ten_each_time(epoch, epochs):
    """You return the ten per cent that are added.

    The pruning function expects the percentage of all filters that is pruned afterwards, those from
    before included: 10, 20, 30, 40 and 50.
    """
    return 10 if 0 < 10 * epoch // epochs <= 5 else 0


# ------------------------------------------------------------------------------------------------
# layers.SparseWeightConv2d


@misconception(of=layers.SparseWeightConv2d)
class WeightMaskNeverUsed(nn.Conv2d):
    """You have a mask, but the convolution does not use it.

    Pruning then changes nothing at all. Multiply the mask with the weights in the forward pass.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones_like(self.weight))

    def forward(self, x):
        return self._conv_forward(x, self.weight, self.bias)


@misconception(of=layers.SparseWeightConv2d)
class WholeFiltersOnly(nn.Conv2d):
    """You mask whole filters: a filter of which a single weight is kept keeps all of them.

    Here every weight has its own element of the mask. Multiply the two element by element.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones_like(self.weight))

    def forward(self, x):
        kept = self.mask.flatten(1).amax(dim=1).view(-1, 1, 1, 1)
        return self._conv_forward(x, self.weight * kept, self.bias)


# ------------------------------------------------------------------------------------------------
# filters.unstructured_pruning


@misconception(of=filters.unstructured_pruning)
def share_of_the_weights_left(model, percentage):
    """You prune the percentage of the weights that are left, not of all weights.

    The second call with the same percentage should change nothing, and yours prunes again. Count
    what is pruned already.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            sizes = (layer.weight * layer.mask).abs().flatten()
            pruned = int((layer.mask == 0).sum())
            count = pruned + int(percentage * (len(sizes) - pruned) / 100)
            layer.mask.view(-1)[torch.argsort(sizes, stable=True)[:count]] = 0


@misconception(of=filters.unstructured_pruning)
def weight_mask_made_anew(model, percentage):
    """You make the mask anew from the float weights, so that pruned weights may come back.

    A weight that is pruned stays pruned, whatever value is stored for it. Rank the masked weights,
    or keep the old zeros of the mask.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            sizes = layer.weight.abs().flatten()
            layer.mask.fill_(1)
            count = int(percentage * len(sizes) / 100)
            layer.mask.view(-1)[torch.argsort(sizes, stable=True)[:count]] = 0


@misconception(of=filters.unstructured_pruning)
def most_negative_pruned(model, percentage):
    """You rank the weights themselves, so that the most negative ones are pruned.

    They are among the largest in magnitude and contribute much. Rank the magnitudes.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            sizes = torch.where(layer.mask == 0, -1e9, layer.weight).flatten()
            count = int(percentage * len(sizes) / 100)
            layer.mask.view(-1)[torch.argsort(sizes, stable=True)[:count]] = 0


@misconception(of=filters.unstructured_pruning)
def weights_of_all_layers_together(model, percentage):
    """You rank the weights of all layers together.

    The layers then lose different shares. Here every layer has to lose the percentage of its own
    weights.
    """
    found = [layer for layer in model.modules() if hasattr(layer, "mask")]
    sizes = [(layer.weight * layer.mask).abs().flatten() for layer in found]
    together = torch.cat(sizes)
    count = int(percentage * len(together) / 100)
    pruned = torch.zeros(len(together), dtype=torch.bool)
    pruned[torch.argsort(together, stable=True)[:count]] = True
    for layer, part in zip(found, pruned.split([len(s) for s in sizes]), strict=True):
        layer.mask.view(-1)[part] = 0


@misconception(of=filters.unstructured_pruning)
def whole_filters_again(model, percentage):
    """You prune whole filters again.

    Unstructured pruning looks at each weight by itself, wherever it is in its layer. Rank the
    magnitudes of all weights of the layer.
    """
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = (layer.weight * layer.mask).abs().sum(dim=(1, 2, 3))
            count = int(percentage * len(norms) / 100)
            layer.mask[torch.argsort(norms, stable=True)[:count]] = 0


# ------------------------------------------------------------------------------------------------
# smaller.smaller_network


@misconception(of=smaller.smaller_network)
def first_inputs_kept(model):
    """You remove the filters, but of the next layer you keep the first input channels.

    The channels that are left are those of the filters that are kept, wherever they stand. The next
    layer and the classifier have to lose exactly the inputs whose filters are gone.
    """
    state = model.state_dict()
    kept = [state[f"features.{i}.0.mask"].flatten(1).amax(dim=1).bool() for i in range(5)]

    class Narrow(nn.Module):
        def __init__(self):
            super().__init__()
            blocks, channels = [], 3
            for filters_kept, stride in zip(kept, (1, 1, 2, 1, 2), strict=True):
                width = int(filters_kept.sum())
                convolution = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
                blocks.append(nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU()))
                channels = width
            self.features = nn.Sequential(*blocks)
            self.classifier = nn.Linear(channels, 10)

        def forward(self, x):
            return self.classifier(self.features(x).mean(dim=(2, 3)))

    small = Narrow()
    inputs = 3
    new = {"classifier.bias": state["classifier.bias"]}
    for i, outputs in enumerate(kept):
        new[f"features.{i}.0.weight"] = state[f"features.{i}.0.weight"][outputs][:, :inputs]
        for name in ("weight", "bias", "running_mean", "running_var"):
            new[f"features.{i}.1.{name}"] = state[f"features.{i}.1.{name}"][outputs]
        inputs = int(outputs.sum())
    new["classifier.weight"] = state["classifier.weight"][:, :inputs]
    small.load_state_dict(new, strict=False)
    return small.eval()


@misconception(of=smaller.smaller_network)
def first_batch_norms_kept(model):
    """You take the batch norm of the first channels instead of the channels that are kept.

    Scale, shift, running mean and running variance belong to their filter. Select all four with the
    same mask as the filters.
    """
    state = model.state_dict()
    kept = [state[f"features.{i}.0.mask"].flatten(1).amax(dim=1).bool() for i in range(5)]

    class Narrow(nn.Module):
        def __init__(self):
            super().__init__()
            blocks, channels = [], 3
            for filters_kept, stride in zip(kept, (1, 1, 2, 1, 2), strict=True):
                width = int(filters_kept.sum())
                convolution = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
                blocks.append(nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU()))
                channels = width
            self.features = nn.Sequential(*blocks)
            self.classifier = nn.Linear(channels, 10)

        def forward(self, x):
            return self.classifier(self.features(x).mean(dim=(2, 3)))

    small = Narrow()
    inputs = torch.ones(3, dtype=torch.bool)
    new = {"classifier.bias": state["classifier.bias"]}
    for i, outputs in enumerate(kept):
        new[f"features.{i}.0.weight"] = state[f"features.{i}.0.weight"][outputs][:, inputs]
        for name in ("weight", "bias", "running_mean", "running_var"):
            new[f"features.{i}.1.{name}"] = state[f"features.{i}.1.{name}"][: int(outputs.sum())]
        inputs = outputs
    new["classifier.weight"] = state["classifier.weight"][:, inputs]
    small.load_state_dict(new, strict=False)
    return small.eval()


@misconception(of=smaller.smaller_network)
def running_statistics_forgotten(model):
    """You copy scale and shift of the batch norms, but not their running mean and variance.

    In evaluation mode the layer subtracts the one and divides by the root of the other. They are
    buffers, and so they are in `state_dict()` and not among the parameters.
    """
    state = model.state_dict()
    kept = [state[f"features.{i}.0.mask"].flatten(1).amax(dim=1).bool() for i in range(5)]

    class Narrow(nn.Module):
        def __init__(self):
            super().__init__()
            blocks, channels = [], 3
            for filters_kept, stride in zip(kept, (1, 1, 2, 1, 2), strict=True):
                width = int(filters_kept.sum())
                convolution = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
                blocks.append(nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU()))
                channels = width
            self.features = nn.Sequential(*blocks)
            self.classifier = nn.Linear(channels, 10)

        def forward(self, x):
            return self.classifier(self.features(x).mean(dim=(2, 3)))

    small = Narrow()
    inputs = torch.ones(3, dtype=torch.bool)
    new = {"classifier.bias": state["classifier.bias"]}
    for i, outputs in enumerate(kept):
        new[f"features.{i}.0.weight"] = state[f"features.{i}.0.weight"][outputs][:, inputs]
        for name in ("weight", "bias"):
            new[f"features.{i}.1.{name}"] = state[f"features.{i}.1.{name}"][outputs]
        inputs = outputs
    new["classifier.weight"] = state["classifier.weight"][:, inputs]
    small.load_state_dict(new, strict=False)
    return small.eval()


# ------------------------------------------------------------------------------------------------
# smaller.network_costs


@misconception(of=smaller.network_costs)
def positions_of_the_input(widths, size):
    """You count the positions of the input of a layer instead of its output.

    A layer with the stride 2 computes a quarter as many positions as it reads. A weight is used
    once for each position of the output.
    """
    weights = multiply_adds = 0
    channels = 3
    for width, stride in zip(widths, (1, 1, 2, 1, 2), strict=True):
        weights += channels * width * 9
        multiply_adds += channels * width * 9 * size**2
        size = -(-size // stride)
        channels = width
    return weights + channels * 10, multiply_adds + channels * 10


@misconception(of=smaller.network_costs)
def inputs_not_removed(widths, size):
    """You count the filters that are kept with all their inputs of before.

    The channels of removed filters are gone, and with them the weights that read them: a layer that
    keeps half of its filters and half of its inputs keeps a quarter of its weights.
    """
    weights = multiply_adds = 0
    for width, inputs, stride in zip(widths, (3, 32, 32, 64, 64), (1, 1, 2, 1, 2), strict=True):
        size = -(-size // stride)
        weights += inputs * width * 9
        multiply_adds += inputs * width * 9 * size**2
    return weights + 128 * 10, multiply_adds + 128 * 10


@misconception(of=smaller.network_costs)
def one_multiplication_per_weight(widths, size):
    """You count one multiplication for each weight.

    That is so in the classifier. A weight of a convolution is used again at each position of the
    output.
    """
    weights, channels = 0, 3
    for width in widths:
        weights += channels * width * 9
        channels = width
    return weights + channels * 10, weights + channels * 10


@misconception(of=smaller.network_costs)
def classifier_forgotten(widths, size):
    """You count the convolutions only.

    The classifier has ten weights for each channel of the last convolution. It is small, but it
    belongs to the network.
    """
    weights = multiply_adds = 0
    channels = 3
    for width, stride in zip(widths, (1, 1, 2, 1, 2), strict=True):
        size = -(-size // stride)
        weights += channels * width * 9
        multiply_adds += channels * width * 9 * size**2
        channels = width
    return weights, multiply_adds
