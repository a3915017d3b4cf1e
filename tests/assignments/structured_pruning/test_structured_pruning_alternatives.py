"""Correct answers that differ from the reference earn every point of `structured_pruning`.

Every function and class here is a correct answer to the question that it is named after; only the
number at the end of the name is added.
"""

from copy import deepcopy

import numpy as np
import torch
import torch.nn.functional as F
from alternatives import each_alternative, judged_alternative
from torch import nn

from helpers.models import ConvNet
from helpers.reference.structured_pruning import filters, layers, smaller

# ------------------------------------------------------------------------------------------------
# Layers


class SparseConv2d_1(nn.Conv2d):
    """Mask the channels of the output, which prunes the bias as well."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x):
        return super().forward(x) * self.mask.view(1, -1, 1, 1)


class SparseConv2d_2(nn.Conv2d):
    """Select with `where`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x):
        kept = self.mask > 0
        weight = torch.where(kept, self.weight, torch.zeros_like(self.weight))
        bias = self.bias
        if bias is not None:
            bias = torch.where(kept.flatten(), bias, torch.zeros_like(bias))
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)


class SparseConv2d_3(nn.Conv2d):
    """Use the convolution of the base class."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x):
        out = self._conv_forward(x, self.mask * self.weight, None)
        if self.bias is not None:
            out = out + (self.bias * self.mask.squeeze()).view(-1, 1, 1)
        return out


class SparseWeightConv2d_1(nn.Conv2d):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones(self.weight.shape))

    def forward(self, x):
        return self._conv_forward(x, self.weight.mul(self.mask), self.bias)


class SparseWeightConv2d_2(nn.Conv2d):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones_like(self.weight.data))

    def forward(self, x):
        weight = self.weight.masked_fill(self.mask == 0, 0)
        settings = self.stride, self.padding, self.dilation, self.groups
        return F.conv2d(x, weight, self.bias, *settings)


class SparseWeightConv2d_3(nn.Conv2d):
    """Convolve in double precision."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("mask", torch.ones_like(self.weight))

    def forward(self, x):
        bias = None if self.bias is None else self.bias.double()
        weight = (self.weight * self.mask).double()
        settings = self.stride, self.padding, self.dilation, self.groups
        return F.conv2d(x.double(), weight, bias, *settings).float()


class SparseBlock_1(nn.Sequential):
    """Sum the mask of each filter."""

    def forward(self, x):
        alive = (self[0].mask.sum(dim=(1, 2, 3)) > 0).float()
        return self[2](self[1](self[0](x))) * alive[None, :, None, None]


class SparseBlock_2(nn.Sequential):
    """Mask between batch norm and ReLU, which leaves zeros as they are."""

    def forward(self, x):
        alive = self[0].mask.flatten(1).any(dim=1)
        x = self[1](self[0](x))
        return self[2](x.masked_fill(~alive.view(1, -1, 1, 1), 0.0))


class SparseBlock_3(nn.Sequential):
    """Fill the channels of pruned filters in a copy."""

    def forward(self, x):
        out = super().forward(x).clone()
        out[:, self[0].mask.flatten(1).max(dim=1).values == 0] = 0
        return out


class SparseConvNet_1(nn.Module):
    """Write the blocks out."""

    def __init__(self, conv=layers.SparseConv2d):
        super().__init__()
        block = layers.sparse_conv_block
        self.features = nn.Sequential(
            block(3, 32, 1, conv),
            block(32, 32, 1, conv),
            block(32, 64, 2, conv),
            block(64, 64, 1, conv),
            block(64, 128, 2, conv),
        )
        self.classifier = nn.Linear(128, 10)

    def forward(self, x):
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


class SparseConvNet_2(ConvNet):
    """Change the dense network."""

    def __init__(self, conv=layers.SparseConv2d):
        super().__init__(conv, nn.Linear, 10)
        self.features = nn.Sequential(*(layers.SparseBlock(*block) for block in self.features))


class SparseConvNet_3(nn.Module):
    """Average in two steps."""

    def __init__(self, conv=layers.SparseConv2d):
        super().__init__()
        sizes = [3, *(width for width, _ in ConvNet.BLOCKS)]
        self.classifier = nn.Linear(sizes[-1], 10)
        self.features = nn.Sequential()
        for i, (_, stride) in enumerate(ConvNet.BLOCKS):
            block = layers.sparse_conv_block(sizes[i], sizes[i + 1], stride, conv)
            self.features.append(block)

    def forward(self, x):
        return self.classifier(self.features(x).mean(3).mean(2))


# ------------------------------------------------------------------------------------------------
# Pruning


def filter_norms_1(w):
    return w.flatten(1).norm(p=1, dim=1)


def filter_norms_2(w):
    return torch.tensor([float(filter.abs().double().sum()) for filter in w])


def filter_norms_3(w):
    return torch.from_numpy(np.abs(w.detach().numpy()).sum(axis=(3, 2, 1)))


def filter_l1_pruning_1(model, percentage):
    """Choose with `topk`."""
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = (layer.weight * layer.mask).detach().abs().sum(dim=(1, 2, 3))
            count = percentage * len(norms) // 100
            layer.mask[norms.topk(count, largest=False).indices] = 0


def filter_l1_pruning_2(model, percentage):
    """Put a new mask in the place of the old one, with ranks from sorting twice."""
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = (layer.weight.data * layer.mask).abs().flatten(1).sum(dim=1)
            ranks = norms.argsort().argsort()
            layer.mask = (ranks >= int(percentage / 100 * len(norms))).float().view(-1, 1, 1, 1)


def filter_l1_pruning_3(model, percentage):
    """Prune what is still missing, one filter after the other."""
    for layer in model.modules():
        if hasattr(layer, "mask"):
            norms = layer.weight.data.abs().flatten(1).sum(dim=1)
            while (layer.mask == 0).sum() < int(percentage * len(norms) / 100):
                left = torch.where(layer.mask.flatten() == 0, torch.inf, norms)
                layer.mask[left.argmin()] = 0


def unstructured_pruning_1(model, percentage):
    """Prune up to the threshold that `kthvalue` finds."""
    for layer in model.modules():
        if hasattr(layer, "mask"):
            sizes = (layer.weight.data * layer.mask).abs()
            count = percentage * sizes.numel() // 100
            if count:
                threshold = sizes.flatten().kthvalue(count).values
                layer.mask *= (sizes > threshold).float()


def unstructured_pruning_2(model, percentage):
    """Prune up to the percentile that NumPy interpolates."""
    for layer in model.modules():
        if hasattr(layer, "mask") and percentage > 0:
            sizes = (layer.weight * layer.mask).abs().detach()
            threshold = float(np.percentile(sizes.numpy(), percentage))
            layer.mask = layer.mask * (sizes > threshold)


def unstructured_pruning_3(model, percentage):
    """Put a new mask in the place of the old one."""
    for layer in model.modules():
        if hasattr(layer, "mask"):
            sizes = (layer.weight.data * layer.mask).abs().flatten()
            mask = torch.ones(len(sizes))
            mask[sizes.sort().indices[: int(percentage / 100 * len(sizes))]] = 0
            layer.mask = mask.reshape(layer.weight.shape)


def scheduled_percentage_1(epoch, epochs):
    return sum(10 for step in (1, 2, 3, 4, 5) if epoch * 10 >= step * epochs)


def scheduled_percentage_2(epoch, epochs):
    return 10 * min(5, int(epoch / (epochs / 10) + 1e-9))


def scheduled_percentage_3(epoch, epochs):
    every = epochs // 10
    return min(50.0, 10.0 * (epoch // every))


# ------------------------------------------------------------------------------------------------
# The smaller network


def smaller_network_1(model):
    """Select with numbers of channels."""
    found = [block[0].mask.flatten().nonzero().flatten() for block in model.features]
    small = smaller.narrow_convnet([len(kept) for kept in found])
    inputs = torch.arange(3)
    state = model.state_dict()
    new = small.state_dict()
    for i, kept in enumerate(found):
        weight = state[f"features.{i}.0.weight"].index_select(0, kept)
        new[f"features.{i}.0.weight"] = weight.index_select(1, inputs)
        for name in ("weight", "bias", "running_mean", "running_var"):
            new[f"features.{i}.1.{name}"] = state[f"features.{i}.1.{name}"][kept]
        inputs = kept
    new["classifier.weight"] = state["classifier.weight"][:, inputs]
    new["classifier.bias"] = state["classifier.bias"]
    small.load_state_dict(new)
    return small.eval()


def smaller_network_2(model):
    """Put smaller layers into a copy of a dense network."""
    small = smaller.narrow_convnet((32, 32, 64, 64, 128)).eval()
    inputs = [0, 1, 2]
    for old, block in zip(model.features, small.features, strict=True):
        outputs = [k for k, m in enumerate(old[0].mask.flatten()) if m]
        conv = nn.Conv2d(len(inputs), len(outputs), 3, old[0].stride, 1, bias=False)
        conv.weight.data = old[0].weight.data[outputs][:, inputs].clone()
        norm = nn.BatchNorm2d(len(outputs)).eval()
        norm.weight.data, norm.bias.data = old[1].weight.data[outputs], old[1].bias.data[outputs]
        norm.running_mean = old[1].running_mean[outputs]
        norm.running_var = old[1].running_var[outputs]
        block[0], block[1] = conv, norm
        inputs = outputs
    small.classifier = deepcopy(model.classifier)
    small.classifier.weight.data = model.classifier.weight.data[:, inputs]
    return small


def smaller_network_3(model):
    """Leave the network in training mode, which the hidden test changes."""
    small = smaller_network_1(model)
    return small.train()


def network_costs_1(widths, size):
    """Measure the outputs of a network."""
    model = smaller.narrow_convnet(widths).eval()
    weights = products = 0
    x = torch.zeros(1, 3, size, size)
    for block in model.features:
        x = block(x)
        weights += block[0].weight.numel()
        products += block[0].weight.numel() * x.shape[2] * x.shape[3]
    return [weights + model.classifier.weight.numel(), products + model.classifier.weight.numel()]


def network_costs_2(widths, size):
    """With NumPy."""
    inputs = np.array([3, *widths[:-1]])
    outputs = np.array(widths)
    half = (size + 1) // 2
    sides = np.array([size, size, half, half, (half + 1) // 2])
    weights = 9 * inputs * outputs
    last = 10 * widths[-1]
    return weights.sum() + last, (weights * sides**2).sum() + last


def network_costs_3(widths, size):
    a, b, c, d, e = widths
    h = -(-size // 2)
    q = -(-h // 2)
    of_layers = [27 * a, 9 * a * b, 9 * b * c, 9 * c * d, 9 * d * e, 10 * e]
    positions = [size**2, size**2, h**2, h**2, q**2, 1]
    return sum(of_layers), sum(w * p for w, p in zip(of_layers, positions, strict=True))


BESIDE = {
    "nn": nn,
    "torch": torch,
    "SparseConv2d": layers.SparseConv2d,
    "SparseWeightConv2d": layers.SparseWeightConv2d,
    "SparseConvNet": layers.SparseConvNet,
    "filter_norms": filters.filter_norms,
}


@each_alternative(globals())
def test_an_alternative_earns_every_point(alternative):
    score = judged_alternative("structured_pruning", alternative, BESIDE)
    assert score.points == score.of, score.messages
