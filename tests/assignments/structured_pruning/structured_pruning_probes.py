"""Inputs that tell the wrong solutions of `structured_pruning` from right ones and each other."""

import torch
from torch import nn

from helpers.assignments.structured_pruning import checks
from helpers.reference.structured_pruning import filters, layers, smaller


def drawn(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


IMAGE = drawn(0, 1, 2, 6, 6)
KERNELS = drawn(1, 4, 2, 3, 3) + 0.1
IMAGES = drawn(2, 2, 3, 8, 8)
FILTER_MASK = torch.tensor([1.0, 0, 1, 0]).view(4, 1, 1, 1)
WEIGHT_MASK = (drawn(3, 4, 2, 3, 3) > 0).float() * torch.tensor([1.0, 0, 1, 1]).view(4, 1, 1, 1)


def layer_after_a_step(mask):
    def probe(layer_class):
        layer = layer_class(2, 4, 3, stride=2, padding=1)
        layer.load_state_dict({"weight": KERNELS, "bias": torch.arange(4.0), "mask": mask})
        output = layer(IMAGE)
        output.pow(2).sum().backward()
        return output.detach(), layer.weight.grad

    return probe


def block_output(SparseBlock):
    conv = layers.SparseWeightConv2d(2, 4, 3, bias=False)
    with torch.no_grad():
        conv.weight.copy_(KERNELS)
        conv.mask.copy_(WEIGHT_MASK * FILTER_MASK)
    norm = nn.BatchNorm2d(4)
    norm.load_state_dict(
        {
            "weight": torch.tensor([1.0, 2, 3, 4]),
            "bias": torch.ones(4),
            "running_mean": torch.tensor([0.5, -1, 0, -2]),
            "running_var": torch.ones(4),
            "num_batches_tracked": torch.tensor(1),
        }
    )
    return SparseBlock(conv, norm, nn.ReLU()).eval()(IMAGE).detach()


def sparse_state():
    torch.manual_seed(0)
    model = layers.SparseConvNet()
    for i, block in enumerate(model.features):
        width = block[1].num_features
        block[1].weight.data = 0.5 + drawn(10 + i, width).abs()
        block[1].bias.data = drawn(20 + i, width)
        block[1].running_mean = drawn(30 + i, width)
        block[1].running_var = 0.5 + drawn(40 + i, width).abs()
        block[0].mask = (drawn(50 + i, width, 1, 1, 1) > 0).float()
    return model.state_dict()


STATE = sparse_state()


def scores(SparseConvNet):
    model = SparseConvNet()
    model.load_state_dict(STATE)
    return model.eval()(IMAGES).detach()


def small_scores(smaller_network):
    model = layers.SparseConvNet()
    model.load_state_dict(STATE)
    return smaller_network(model.eval())(IMAGES).detach()


def pruned(conv):
    """Return a probe that prunes two layers and a classifier several times."""

    def probe(prune):
        first, second = conv(2, 12, 3, bias=False), conv(12, 7, 1, bias=False)
        model = nn.Sequential(first, second, nn.Flatten(), nn.Linear(7, 5))
        for i, layer in enumerate((first, second, model[3])):
            layer.weight.data = drawn(60 + i, *layer.weight.shape) + 0.1
        found = []
        for seed, percentage in enumerate((25, 25, 40, 50)):
            prune(model, percentage)
            found.append(
                [first.mask.clone(), second.mask.clone(), model[3].weight.detach().clone()]
            )
            first.weight.data += (1 - first.mask) * drawn(70 + seed, *first.weight.shape)
        return found

    return probe


def call(*args):
    return lambda answer: answer(*args)


PROBES = {
    layers.SparseConv2d: [layer_after_a_step(FILTER_MASK)],
    layers.SparseWeightConv2d: [layer_after_a_step(WEIGHT_MASK)],
    layers.SparseBlock: [block_output],
    layers.SparseConvNet: [scores],
    filters.filter_norms: [call(KERNELS)],
    filters.filter_l1_pruning: [pruned(layers.SparseConv2d)],
    filters.unstructured_pruning: [pruned(layers.SparseWeightConv2d)],
    filters.scheduled_percentage: [call(epoch, 100) for epoch in (0, 15, 30, 50, 70)],
    smaller.smaller_network: [small_scores],
    smaller.network_costs: [call((16, 16, 32, 32, 64), 16), call((3, 5, 2, 4, 6), 9)],
}


def filter_l1_pruning(answer):
    return checks.filter_l1_pruning(answer, layers.SparseConv2d)


def unstructured_pruning(answer):
    return checks.unstructured_pruning(answer, layers.SparseWeightConv2d)


def smaller_network(answer):
    return checks.smaller_network(answer, layers.SparseConvNet)


PUBLIC_CHECKS = {
    layers.SparseConv2d: checks.sparse_conv2d,
    layers.SparseWeightConv2d: checks.sparse_weight_conv2d,
    layers.SparseBlock: checks.sparse_block,
    layers.SparseConvNet: checks.sparse_convnet,
    filters.filter_norms: checks.filter_norms,
    filters.filter_l1_pruning: filter_l1_pruning,
    filters.unstructured_pruning: unstructured_pruning,
    filters.scheduled_percentage: checks.scheduled_percentage,
    smaller.smaller_network: smaller_network,
    smaller.network_costs: checks.network_costs,
}
