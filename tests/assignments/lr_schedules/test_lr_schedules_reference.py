"""The reference functions of `lr_schedules` agree with PyTorch, NumPy and their definitions."""

import math
import warnings
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.optim import SGD, lr_scheduler

from helpers.assignments.lr_schedules.curvature import LossHessian
from helpers.data import ImageDataset, Split
from helpers.reference.lr_schedules.schedules import (
    cosine,
    exponential,
    multistep,
    one_cycle,
    warm_up,
)
from helpers.reference.lr_schedules.sharpness import power_iteration, stability_limit
from helpers.reference.lr_schedules.smoothing import moving_average


def torch_factors(scheduler, count):
    """Return the rates of a scheduler of PyTorch, from a rate of 1, in its first steps."""
    planned = scheduler(SGD([torch.zeros(1, requires_grad=True)], lr=1.0))
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step in range(count):
            found.append(planned.get_last_lr()[0])
            if step < count - 1:
                planned.step()
    return found


def factors(schedule, count):
    return [schedule(step) for step in range(count)]


# ------------------------------------------------------------------------------------------------
# Schedules


@given(st.integers(2, 60))
def test_a_warm_up_is_torchs_linear_schedule(length):
    scheduler = partial(lr_scheduler.LinearLR, start_factor=1 / length, total_iters=length - 1)
    expected = torch_factors(scheduler, length + 5)
    assert factors(partial(warm_up, length=length), length + 5) == pytest.approx(expected)


@given(st.lists(st.integers(1, 50), max_size=5, unique=True), st.sampled_from([0.1, 0.5, 0.9]))
def test_multistep_is_that_of_torch(milestones, gamma):
    scheduler = partial(lr_scheduler.MultiStepLR, milestones=milestones, gamma=gamma)
    expected = torch_factors(scheduler, 55)
    found = factors(partial(multistep, milestones=milestones, gamma=gamma), 55)
    assert found == pytest.approx(expected)


@given(st.integers(1, 60))
def test_cosine_is_that_of_torch_up_to_the_last_step(total):
    expected = torch_factors(partial(lr_scheduler.CosineAnnealingLR, T_max=total), total + 1)
    assert factors(partial(cosine, total=total), total + 1) == pytest.approx(expected, abs=1e-12)


def test_cosine_stays_at_zero_where_torch_rises_again():
    scheduler = partial(lr_scheduler.CosineAnnealingLR, T_max=10)
    assert torch_factors(scheduler, 21)[20] == pytest.approx(1)
    assert cosine(20, 10) == 0


@given(st.integers(10, 80), st.sampled_from([0.2, 0.3, 0.45]))
def test_one_cycle_is_that_of_torch(total, rising):
    scheduler = partial(
        lr_scheduler.OneCycleLR,
        max_lr=1.0,
        total_steps=total,
        pct_start=rising,
        cycle_momentum=False,
    )
    expected = torch_factors(scheduler, total)
    assert factors(partial(one_cycle, total=total, rising=rising), total) == pytest.approx(expected)


@given(st.integers(2, 50), st.floats(1e-6, 1), st.floats(1, 100))
def test_an_exponential_rate_grows_by_the_same_factor(total, lowest, highest):
    found = np.array(
        factors(partial(exponential, total=total, lowest=lowest, highest=highest), total)
    )
    assert found[[0, -1]] == pytest.approx([lowest, highest])
    assert found[1:] / found[:-1] == pytest.approx((highest / lowest) ** (1 / (total - 1)))


# ------------------------------------------------------------------------------------------------
# Curves and curvature


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.integers(1, 40))
def test_a_moving_average_is_the_mean_of_the_last_values(values, window):
    expected = [np.mean(values[max(0, i - window + 1) : i + 1]) for i in range(len(values))]
    assert moving_average(values, window) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 10_000))
def test_power_iteration_agrees_with_numpy(seed):
    generator = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64))
    values = torch.tensor([-4.0, 3.0, 1.0, 0.5, -0.1], dtype=torch.float64)
    values = values * (2 * torch.rand(1, generator=generator, dtype=torch.float64) - 1).sign()
    matrix = basis @ torch.diag(values) @ basis.T
    eigenvalues = np.linalg.eigvalsh(matrix.numpy())
    expected = eigenvalues[np.abs(eigenvalues).argmax()]
    start = torch.randn(5, generator=generator, dtype=torch.float64)
    assert power_iteration(matrix, start, 200) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("lr", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("share", "stays"), [(0.99, True), (1.01, False)])
def test_torchs_optimizer_diverges_above_the_limit(lr, momentum, share, stays):
    curvature = share * stability_limit(lr, momentum)
    w = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer = SGD([w], lr=lr, momentum=momentum, nesterov=momentum > 0)
    for _ in range(2000):
        w.grad = curvature * w.detach()
        optimizer.step()
    assert (float(w.detach().abs()) < 1) == stays


def test_the_limit_without_momentum_is_two_over_the_rate():
    assert stability_limit(0.1, 0.0) == pytest.approx(20)


def small():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (16, 3, 4, 4), generator=generator).to(torch.uint8)
    split = Split(images, torch.arange(16) % 10)
    dataset = ImageDataset(
        "small", split, split, torch.full((3,), 0.5), torch.full((3,), 0.3), flip=False, pad=0
    )
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 10))
    return dataset, model.eval()


def test_the_products_are_those_with_the_hessian_of_the_loss():
    dataset, model = small()
    hessian = LossHessian(model, dataset, examples=16)
    ((inputs, targets),) = dataset.batches("train", 16, 16)
    shapes = {name: p.shape for name, p in model.named_parameters()}
    training = small()[1].train()

    def loss(flat):
        parts = flat.split([math.prod(shape) for shape in shapes.values()])
        weights = {n: p.view(s) for (n, s), p in zip(shapes.items(), parts, strict=True)}
        return F.cross_entropy(torch.func.functional_call(training, weights, (inputs,)), targets)

    flat = nn.utils.parameters_to_vector(model.parameters()).detach()
    whole = torch.autograd.functional.hessian(loss, flat)
    assert hessian.size == len(flat)
    v = torch.randn(hessian.size, generator=torch.Generator().manual_seed(1))
    for _ in range(2):  # the graph of the gradient serves more than one product
        torch.testing.assert_close(hessian @ v, whole @ v, rtol=1e-3, atol=1e-4)


def test_the_network_stays_as_it_is():
    dataset, model = small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    hessian = LossHessian(model, dataset, examples=16)
    hessian @ torch.ones(hessian.size)
    assert not model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
