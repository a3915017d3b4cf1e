import torch
from torch import nn

from helpers import data
from helpers.batch_norm import reestimate_batch_norm

DIGITS = data.load("digits", device="cpu")


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())


def test_the_statistics_are_those_of_the_images():
    model = network()
    with torch.no_grad():
        images = DIGITS.network_inputs(DIGITS.train.images[:128])
        seen = model[0](images)
    reestimate_batch_norm(model, DIGITS, 128)
    expected = seen.mean(dim=(0, 2, 3)), seen.var(dim=(0, 2, 3))
    assert torch.allclose(model[1].running_mean, expected[0], atol=5e-4)
    assert torch.allclose(model[1].running_var, expected[1], rtol=2e-3)


def test_old_statistics_leave_no_trace():
    models = network(), network()
    models[1][1].running_mean.fill_(100)
    for model in models:
        reestimate_batch_norm(model, DIGITS)
    assert torch.equal(models[0][1].running_mean, models[1][1].running_mean)


def test_nothing_else_changes():
    model = network()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    momentum = model[1].momentum
    reestimate_batch_norm(model, DIGITS, 200)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert model[1].momentum == momentum
    assert not model.training


def test_a_network_without_batch_norm_is_not_changed():
    model = nn.Sequential(nn.Flatten(), nn.Linear(DIGITS.train.images[0].numel(), 2))
    reestimate_batch_norm(model, DIGITS, 10)
    assert not model.training
