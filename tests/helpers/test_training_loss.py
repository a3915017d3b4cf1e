"""The loss on training images, by which trained networks are told apart."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers import training_loss as module
from helpers.dataset import Dataset, Split
from helpers.training_loss import training_loss


@pytest.fixture
def dataset():
    generator = torch.Generator().manual_seed(0)
    split = Split(torch.randn(300, 6, generator=generator), torch.arange(300) % 4)
    return Dataset("made up", split, split)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))


def mean_loss(model, inputs, targets):
    """Compute the mean cross-entropy from its definition, in float64."""
    with torch.no_grad():
        scores = model(inputs).double().numpy()
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.log(probabilities[np.arange(len(targets)), targets]).mean()


def test_it_is_the_mean_cross_entropy_of_the_network_in_evaluation(model, dataset):
    found = training_loss(model, dataset)
    inputs, targets = dataset.train.inputs, dataset.train.targets
    assert found == pytest.approx(mean_loss(model.eval(), inputs, targets), rel=1e-5)


def test_it_is_that_of_the_first_examples(model, dataset, monkeypatch):
    monkeypatch.setattr(module, "EXAMPLES", 150)
    found = training_loss(model, dataset)
    inputs, targets = dataset.train.inputs[:150], dataset.train.targets[:150]
    assert found == pytest.approx(mean_loss(model.eval(), inputs, targets), rel=1e-5)


def test_the_network_stays_as_it_was(model, dataset):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    training_loss(model, dataset)
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
