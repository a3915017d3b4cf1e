"""Inputs that tell the wrong solutions of `lr_schedules` from the right ones and each other."""

import numpy as np
import torch

from helpers.assignments.lr_schedules import checks
from helpers.reference.lr_schedules import schedules, sharpness, smoothing

# Two eigenvalues of one sign, and two of which the negative one is larger.
SHARP = torch.tensor([[2.0, 1.0], [1.0, 2.0]])
BENT = torch.tensor([[1.0, 0.0], [0.0, -4.0]])
STEEP = torch.tensor([[900.0, 0.0], [0.0, 10.0]])


def call(*args):
    return lambda answer: answer(*args)


def averages(*args):
    return lambda answer: np.asarray(answer(*args), dtype=float)


PROBES = {
    smoothing.moving_average: [averages([3.0, 1.0, 5.0, 2.0, 8.0], k) for k in (2, 3)],
    schedules.warm_up: [call(step, 4) for step in (0, 3, 4, 9)],
    schedules.multistep: [call(step, [100, 150]) for step in (99, 100, 149, 150, 310)],
    schedules.cosine: [call(step, 8) for step in (0, 2, 4, 5, 8)],
    schedules.one_cycle: [call(step, 20) for step in (0, 2, 5, 10, 19)],
    schedules.exponential: [call(step, 4, 0.5, 4.0) for step in (0, 1, 3)],
    sharpness.power_iteration: [
        call(SHARP, torch.tensor([3.0, 1.0]), 30),
        call(BENT, torch.tensor([1.0, 1.0]), 30),
        call(STEEP, torch.tensor([1.0, 1.0]), 100),
    ],
    sharpness.stability_limit: [call(0.1, 0.9), call(1.0, 0.5)],
}

PUBLIC_CHECKS = {
    smoothing.moving_average: checks.moving_average,
    schedules.warm_up: checks.warm_up,
    schedules.multistep: checks.multistep,
    schedules.cosine: checks.cosine,
    schedules.one_cycle: checks.one_cycle,
    schedules.exponential: checks.exponential,
    sharpness.power_iteration: checks.power_iteration,
    sharpness.stability_limit: checks.stability_limit,
}
