"""Inputs that tell the wrong solutions of `lora_transfer` from the right ones and each other."""

import torch
from torch import nn

from helpers.assignments.lora_transfer import checks
from helpers.reference.lora_transfer import freezing, lora, spectrum


def call(*args):
    return lambda answer: answer(*args)


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), nn.Linear(4, 2)
    )


BATCH = torch.tensor([[1.0, 2.0], [-3.0, 0.5], [4.0, -1.0], [0.0, 2.5]])


def trained(model):
    """Return all numbers of a network after two steps, with weight decay on what has a gradient."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(2):
        model.train()
        optimizer.zero_grad(set_to_none=False)
        model(BATCH).square().sum().backward()
        optimizer.step()
    return [tensor.clone() for tensor in model.state_dict().values()]


def frozen_middle(freeze):
    model = small_network()
    freeze(model[1])
    return trained(model)


def frozen_but(names):
    def probe(freeze_all_but):
        model = small_network()
        freeze_all_but(model, names)
        return [float(p.requires_grad) for p in model.parameters()], _mean_after(model)

    return probe


def _mean_after(model):
    model.train()
    model(BATCH)
    return model[1][1].running_mean.clone()


def cost(training_cost):
    # The frozen layer has more weights than batch norm has statistics.
    model = small_network()
    model[0].requires_grad_(False)
    wide = nn.Sequential(nn.Linear(7, 7).requires_grad_(False), nn.BatchNorm1d(7))
    return training_cost(model), training_cost(wide)


def linear_layer(out, into):
    """Return outputs, updates and gradients of a layer at the start and with trained factors."""

    def probe(layer_class):
        torch.manual_seed(1)
        base = nn.Linear(into, out)
        layer = layer_class(base, 2, 6.0)
        x = torch.linspace(-1, 1, 3 * into).view(3, into)
        found = [layer(x).detach(), layer.update().detach(), float(layer.A.any())]
        found += [float(layer.A.unique().numel() > 1), float(layer.B.any())]
        with torch.no_grad():
            layer.A.copy_(torch.linspace(-1, 2, 2 * into).view(2, into))
            layer.B.copy_(torch.linspace(1, -0.5, 2 * out).view(out, 2))
        found += [layer(x).detach(), float(base.weight.requires_grad)]
        layer.merged = True
        return [*found, layer(x).detach()]

    return probe


def merged(merge):
    layer = _trained_layer()
    merge(layer)
    weight = layer.base.weight
    return weight.detach().clone(), float(layer.merged), float(weight.requires_grad)


def merged_twice(merge):
    layer = _trained_layer()
    merge(layer)
    return _refused(merge, layer)


def taken_out_at_once(unmerge):
    return _refused(unmerge, _trained_layer())


def _refused(function, layer):
    try:
        function(layer)
    except RuntimeError:
        return "refused"
    return layer.base.weight.clone()


def _trained_layer():
    torch.manual_seed(2)
    layer = lora.LoRALinear(nn.Linear(3, 4), 2, 6.0)
    with torch.no_grad():
        layer.B.fill_(0.5)
    return layer


def convolution(layer_class):
    torch.manual_seed(3)
    layer = layer_class(nn.Conv2d(2, 3, 3, stride=2, padding=1, dilation=2), 2, 6.0)
    with torch.no_grad():
        layer.A.copy_(torch.linspace(-1, 2, 36).view(2, 2, 3, 3))
        layer.B.fill_(0.5)
    x = torch.linspace(-1, 1, 72).view(1, 2, 6, 6)
    found = [layer(x).detach(), layer.update().detach()]
    layer.merged = True
    return [*found, layer(x).detach()]


MATRIX = torch.tensor([[3.0, 1.0, 0.0], [0.0, -2.0, 0.5]])
FILTERS = torch.linspace(-1, 2, 24).view(3, 2, 2, 2).square()

PROBES = {
    freezing.freeze: [frozen_middle],
    freezing.freeze_all_but: [frozen_but(("2",)), frozen_but(("1", "2"))],
    freezing.training_cost: [cost],
    lora.LoRALinear: [linear_layer(4, 3), linear_layer(3, 3)],
    lora.merge: [merged, merged_twice],
    lora.unmerge: [taken_out_at_once],
    lora.useful_rank: [call(10, 64), call(4, 4)],
    lora.LoRAConv2d: [convolution],
    spectrum.energy_held: [call(MATRIX, 1), call(MATRIX.view(2, 3, 1, 1), 2), call(FILTERS, 1)],
}

PUBLIC_CHECKS = {
    freezing.freeze: checks.freeze,
    freezing.freeze_all_but: checks.freeze_all_but,
    freezing.training_cost: checks.training_cost,
    lora.LoRALinear: checks.lora_linear,
    lora.merge: checks.merge,
    lora.unmerge: checks.unmerge,
    lora.useful_rank: checks.useful_rank,
    lora.LoRAConv2d: checks.lora_conv,
    spectrum.energy_held: checks.energy_held,
}
