"""A network is measured once, and its accuracy is recalled when the same network comes again."""

import json

import pytest
import torch
from torch import nn

from helpers import measurements
from helpers.data import ImageDataset, Split
from helpers.measurements import measure, measure_loss, read_measurements, recall
from helpers.training import evaluate
from helpers.training_loss import training_loss


@pytest.fixture
def dataset():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (40, 3, 32, 32), generator=generator, dtype=torch.uint8)
    split = Split(images, torch.arange(40) % 10)
    half = torch.full((3,), 0.5)
    return ImageDataset("made", split, split, half, half, flip=False, pad=0)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Record the measurements that are actually made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    made = []

    def counting(model, dataset, split):
        made.append(split)
        return evaluate(model, dataset, split)

    monkeypatch.setattr(measurements, "evaluate", counting)
    return made


def test_the_accuracy_is_the_one_that_evaluate_gives(network, dataset, measured):
    assert measure(network, dataset) == evaluate(network, dataset)
    assert measure(network, dataset) == evaluate(network, dataset)


def test_the_same_network_is_measured_once(network, dataset, measured):
    measure(network, dataset)
    measure(network, dataset)
    assert measured == ["test"]


def test_another_split_is_another_measurement(network, dataset, measured):
    measure(network, dataset)
    measure(network, dataset, "train")
    assert measured == ["test", "train"]


def test_other_weights_are_another_network(network, dataset, measured):
    measure(network, dataset)
    with torch.no_grad():
        network[1].weight[0, 0] += 1e-6
    measure(network, dataset)
    assert len(measured) == 2


def test_the_same_weights_in_other_layers_are_another_network(network, dataset, measured):
    class Coarse(nn.Linear):
        def forward(self, x):
            step = self.weight.abs().max() / 32
            return nn.functional.linear(x, torch.round(self.weight / step) * step, self.bias)

    measure(network, dataset)
    coarse = nn.Sequential(nn.Flatten(), Coarse(3 * 32 * 32, 10))
    coarse.load_state_dict(network.state_dict())
    measure(coarse, dataset)
    assert len(measured) == 2


def test_rounding_of_another_machine_does_not_matter(network, dataset, measured, tmp_path):
    measure(network, dataset)
    path = tmp_path / "artifacts" / "quick" / "measurements.json"
    entries = json.loads(path.read_text())
    largest = max(abs(score) for row in entries[0]["scores"] for score in row)
    entries[0]["scores"][0][0] += 1e-3 * largest
    path.write_text(json.dumps(entries))
    measure(network, dataset)
    assert len(measured) == 1


@pytest.mark.parametrize("damage", ["", "{", "[3]", '[{"accuracy": 1}]', '{"a": 1}'])
def test_a_damaged_file_is_replaced(network, dataset, measured, tmp_path, damage):
    path = tmp_path / "artifacts" / "quick" / "measurements.json"
    path.parent.mkdir(parents=True)
    path.write_text(damage)
    assert measure(network, dataset) == evaluate(network, dataset)
    measure(network, dataset)
    assert len(measured) == 1


def test_the_model_keeps_its_mode(network, dataset, measured):
    network.train()
    measure(network, dataset)
    assert network.training


def test_only_what_was_measured_is_recalled(network, dataset, measured, tmp_path):
    path = tmp_path / "artifacts" / "quick" / "measurements.json"
    assert recall(read_measurements(path), network, dataset) is None
    accuracy = measure(network, dataset)
    assert recall(read_measurements(path), network, dataset) == accuracy
    assert recall(read_measurements(path), network, dataset, "train") is None


def test_a_loss_is_measured_once_and_is_not_taken_for_an_accuracy(
    network, dataset, measured, monkeypatch
):
    losses = []

    def counting(model, dataset):
        losses.append(training_loss(model, dataset))
        return losses[-1]

    monkeypatch.setattr(measurements, "training_loss", counting)
    assert measure_loss(network, dataset) == measure_loss(network, dataset) == losses[0]
    assert len(losses) == 1
    assert measure(network, dataset, "train") == evaluate(network, dataset, "train")
