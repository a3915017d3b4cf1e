"""Correct answers that differ from the reference earn every point of `lr_schedules`.

Every function here is a correct answer to the question that it is named after; only the number at
the end of the name is added.
"""

import bisect
import math

import numpy as np
import torch
from alternatives import each_alternative, judged_alternative
from torch.optim import SGD, lr_scheduler

# ------------------------------------------------------------------------------------------------
# Moving average


def moving_average_1(values, window):
    """Divide a convolution by the number of its terms."""
    ones = np.ones(window)
    sums = np.convolve(np.asarray(values), ones)[: len(values)]
    return sums / np.convolve(np.ones(len(values)), ones)[: len(values)]


def moving_average_2(values, window):
    """Return a list, by a running sum."""
    found, total = [], 0.0
    for i, value in enumerate(values):
        total += value
        if i >= window:
            total -= values[i - window]
        found.append(total / min(i + 1, window))
    return found


def moving_average_3(values, window):
    """With cumulative sums in float32 tensors."""
    v = torch.tensor(list(values), dtype=torch.float32)
    sums = v.cumsum(0)
    before = torch.cat([torch.zeros(window), sums])[: len(v)]
    return (sums - before) / torch.arange(1, len(v) + 1).clamp(max=window)


# ------------------------------------------------------------------------------------------------
# Schedules


def warm_up_1(step, length):
    """Return an integer after the warm-up."""
    return 1 if step >= length else (step + 1) / length


def warm_up_2(step, length):
    """Interpolate between the first factor and 1."""
    return float(np.interp(step, [-1, length - 1], [0.0, 1.0]))


def warm_up_3(step, length):
    """In float32."""
    return np.float32(min(step + 1, length)) / np.float32(length)


def multistep_1(step, milestones, gamma=0.1):
    """Multiply in a loop."""
    factor = 1
    for milestone in sorted(milestones):
        if step >= milestone:
            factor = factor * gamma
    return factor


def multistep_2(step, milestones, gamma=0.1):
    """Search in the sorted list."""
    return math.pow(gamma, bisect.bisect_right(sorted(milestones), step))


def multistep_3(step, milestones, gamma=0.1):
    """Ask PyTorch's own scheduler for its rate, as a tensor."""
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = lr_scheduler.MultiStepLR(optimizer, sorted(milestones), gamma=gamma)
    optimizer.step()
    for _ in range(min(step, max(milestones, default=0))):
        scheduler.step()
    return torch.tensor(scheduler.get_last_lr()[0])


def cosine_1(step, total):
    """The square of the cosine of half the angle; beyond the end it rises again."""
    return math.cos(math.pi * step / (2 * total)) ** 2


def cosine_2(step, total):
    """In float32 tensors, and 0 beyond the end."""
    share = torch.tensor(min(step, total) / total)
    return 0.5 * (1 + torch.cos(share * torch.pi))


def cosine_3(step, total):
    """With the sine."""
    return 0.5 - 0.5 * np.sin(np.pi * (step / total - 0.5))


def one_cycle_1(step, total, rising=0.3, first=1 / 25, last=1 / 250_000):
    """With one function for both sides, and squares of sines."""

    def between(a, b, share):
        return a + (b - a) * math.sin(math.pi * share / 2) ** 2

    top = total * rising - 1
    if step < top:
        return between(first, 1, step / top)
    return between(1, last, (step - top) / (total - top - 1))


def one_cycle_2(step, total, rising=0.3, first=1 / 25, last=1 / 250_000):
    """Interpolate the angle."""
    top = rising * total - 1
    angle = np.interp(step, [0, top, total - 1], [-np.pi, 0, np.pi])
    low = first if step <= top else last
    return low + (1 - low) * (1 + np.cos(angle)) / 2


def one_cycle_3(step, total, rising=0.3, first=1 / 25, last=1 / 250_000):
    """Ask PyTorch's own scheduler."""
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=1.0,
        total_steps=total,
        pct_start=rising,
        div_factor=1 / first,
        final_div_factor=first / last,
        cycle_momentum=False,
    )
    optimizer.step()
    for _ in range(step):
        scheduler.step()
    return scheduler.get_last_lr()[0]


def exponential_1(step, total, lowest, highest):
    """Interpolate the logarithms."""
    low, high = math.log(lowest), math.log(highest)
    return math.exp(low + (high - low) * step / (total - 1))


def exponential_2(step, total, lowest, highest):
    """Take the value out of NumPy's list."""
    return np.geomspace(lowest, highest, total)[step]


def exponential_3(step, total, lowest, highest):
    """Multiply step by step."""
    ratio = (highest / lowest) ** (1 / (total - 1))
    rate = lowest
    for _ in range(step):
        rate *= ratio
    return rate


# ------------------------------------------------------------------------------------------------
# Curvature


def power_iteration_1(hessian, start, steps):
    """Normalise before each product, and return a tensor."""
    v = start
    for _ in range(steps):
        v = hessian @ (v / torch.linalg.vector_norm(v))
    return torch.dot(v, hessian @ v) / torch.dot(v, v)


def power_iteration_2(hessian, start, steps):
    """Normalise by the largest entry, and divide the quotient by the squared length."""
    v = start / start.abs().max()
    for _ in range(steps):
        v = hessian @ v
        v = v / v.abs().max()
    return ((v @ (hessian @ v)) / (v @ v)).item()


def power_iteration_3(hessian, start, steps):
    """Update the quotient in every step."""
    v = start / start.norm()
    value = 0.0
    for _ in range(steps + 1):
        product = hessian @ v
        value = (v * product).sum()
        v = product / product.norm()
    return float(value)


def stability_limit_1(lr, momentum):
    """Write the two factors apart."""
    return 2 / lr * (1 + momentum) / (1 + 2 * momentum)


def stability_limit_2(lr, momentum):
    """Solve the equation of trace and determinant."""
    # 1 + trace + determinant = 2 + 2 m - c lr (1 + 2 m) = 0
    return np.roots([-lr * (1 + 2 * momentum), 2 + 2 * momentum])[0]


def stability_limit_3(lr, momentum):
    """Halve an interval by the eigenvalues of the matrix of a step."""
    low, high = 0.0, 3 / lr
    for _ in range(60):
        middle = (low + high) / 2
        step = lr * middle
        matrix = [
            [1 - step * (1 + momentum), -lr * momentum**2],
            [middle, momentum],
        ]
        if np.abs(np.linalg.eigvals(matrix)).max() < 1:
            low = middle
        else:
            high = middle
    return low


@each_alternative(globals())
def test_an_alternative_earns_every_point(alternative):
    score = judged_alternative("lr_schedules", alternative, {"np": np, "torch": torch})
    assert score.points == score.of, [check.message for check in score.checks]
