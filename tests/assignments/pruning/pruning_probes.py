"""Inputs that tell the wrong solutions of `pruning` from the right ones and from each other."""

import torch
from torch import nn

from helpers.assignments.pruning import checks
from helpers.reference import masks
from helpers.reference.pruning import magnitude

# Magnitudes below one and all different, both signs, and a mean away from zero.
LAYER = torch.tensor([-0.6, -0.4, -0.3, -0.05, 0.02, 0.11, 0.23, 0.28, 0.49, 0.95, 0.75, 0.85])
TIED = torch.tensor([0.1, -0.2, 0.2, 0.0, 0.0])
PARAMETERS = {
    "conv.weight": torch.tensor([0.0, 0.0, 0.0, 2.0, -1.0, 3.0, 0.0, 0.0]).view(2, 1, 2, 2),
    "norm.weight": torch.ones(7),
    "classifier.weight": torch.tensor([[0.0, 1.0], [-2.0, 3.0], [1.0, 1.0]]),
    "classifier.bias": torch.zeros(3),
}
WEIGHTS = {
    "conv": LAYER[:8].view(2, 1, 2, 2),
    "classifier": torch.tensor([[-0.9, 0.8, 0.27, -0.1, 0.6]]),
}


def call(*args):
    return lambda answer: answer(*args)


def network():
    model = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(2, 2, bias=False))
    model.load_state_dict(
        {
            "0.weight": torch.tensor([3.0, -2.0]).view(2, 1, 1, 1),
            "2.weight": torch.tensor([[0.5, -4.0], [2.0, 1.5]]),
        }
    )
    return model


def weights_of(model):
    return [parameter.detach().clone() for parameter in model.parameters()]


def training_with_masks(apply_masks):
    """Return the weights after each of three steps; masks are applied from the second on."""
    model = network()
    kept = {
        "0": torch.tensor([True, False]).view(2, 1, 1, 1),
        "2": torch.tensor([[True, False], [True, True]]),
    }
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.1)
    history = []
    for step in range(3):
        # Without zero_grad, an answer that only masks the gradients shows as well.
        model(torch.ones(1, 1, 1, 1)).sum().backward()
        optimizer.step()
        if step:
            apply_masks(model, kept)
        history.append(weights_of(model))
    return history


def three_steps(masked_step):
    """Return the weights after each of three steps; the pruned weight still has a velocity."""
    w, velocity = torch.tensor([1.0, 0.0, -2.0]), torch.tensor([0.5, 3.0, -1.0])
    mask = torch.tensor([True, False, True])
    history = []
    for gradient in ([1.0, 2.0, 3.0], [0.0, -1.0, 1.0], [2.0, 0.0, -2.0]):
        w, velocity = masked_step(w, velocity, torch.tensor(gradient), mask, 0.1, 0.9, 0.5)
        history.append(w)
    return history


def five_epochs(IterativePruning):
    """Return the weights after `before_epoch` in each of five epochs, and after one more step."""
    model = nn.Sequential(nn.Linear(10, 1, bias=False))
    hooks = IterativePruning(magnitude.global_percentage_masks, 3)
    generator = torch.Generator().manual_seed(0)
    history = []
    for epoch in range(5):
        # Every weight changes, including those that were pruned in the epoch before.
        model.load_state_dict({"0.weight": torch.randn((1, 10), generator=generator)})
        if epoch:
            hooks.after_step(model)
        hooks.before_epoch(model, epoch)
        history += weights_of(model)
    model.load_state_dict({"0.weight": torch.ones(1, 10)})
    hooks.after_step(model)
    return history + weights_of(model)


PROBES = {
    magnitude.prune_by_std: [call(LAYER, 0.5), call(LAYER, 1.0), call(TIED, 0.0)],
    magnitude.prune_by_percentage: [call(LAYER, 50), call(LAYER, 20), call(TIED, 50)],
    masks.apply_masks: [training_with_masks],
    magnitude.layer_summary: [call(PARAMETERS)],
    magnitude.masked_step: [three_steps],
    magnitude.scheduled_percentage: [call(epoch, 4) for epoch in range(6)],
    magnitude.IterativePruning: [five_epochs],
    magnitude.global_percentage_masks: [call(WEIGHTS, 50), call(WEIGHTS, 70)],
}

PUBLIC_CHECKS = {
    magnitude.prune_by_std: checks.prune_by_std,
    magnitude.prune_by_percentage: checks.prune_by_percentage,
    masks.apply_masks: checks.apply_masks,
    magnitude.layer_summary: checks.layer_summary,
    magnitude.masked_step: checks.masked_step,
    magnitude.scheduled_percentage: checks.scheduled_percentage,
    magnitude.IterativePruning: checks.iterative_pruning,
    magnitude.global_percentage_masks: checks.global_percentage_masks,
}
