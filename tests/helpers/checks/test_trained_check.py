"""The check of a trained network shows its accuracy and the bar, and says what is missing."""

import json

import pytest
import torch
from torch import nn

from helpers import bars
from helpers.artifacts import artifact_folder, save_artifact
from helpers.checks.trained import trained
from helpers.dataset import Dataset, Split
from helpers.history import History

GENERATOR = torch.Generator().manual_seed(0)
INPUTS = torch.randn(200, 4, generator=GENERATOR)
LABELS = INPUTS.argmax(dim=1)
DATASET = Dataset("made up", Split(INPUTS, LABELS), Split(INPUTS, LABELS))
LIMIT = 0.5  # between the losses of the scales 3 and 0.5


@pytest.fixture(autouse=True)
def course(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    file = tmp_path / "bars.json"
    file.write_text(json.dumps({"quick": {"net": {"accuracy": 0.9, "loss": LIMIT}}}))
    monkeypatch.setattr(bars, "BARS", file)


def network(scale=3.0, flipped=0):
    """Return a network that is right unless the largest input is one of the first `flipped`."""
    model = nn.Sequential(nn.Linear(4, 4, bias=False))
    weight = scale * torch.eye(4)
    weight[:flipped] *= -1
    model.load_state_dict({"0.weight": weight})
    return model


def saved(model, name="net"):
    save_artifact(artifact_folder(), name, model, History(*([[0.5]] * 5)))
    return model


def test_a_network_above_the_bar_passes_and_its_accuracy_is_shown():
    result = trained("net", saved(network()), DATASET)
    assert result
    assert "asks for, 0.9000: the saved network has 1.0000" in repr(result)


def test_the_saved_network_is_measured_not_the_one_in_the_notebook():
    saved(network(flipped=1))
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = trained("net", model, DATASET)
    right = int((network(flipped=1)(INPUTS).argmax(dim=1) == LABELS).sum())
    assert f"{right} of the 200 test examples are classified correctly" in result.problem
    assert "and 180 are needed" in result.problem
    assert f"{180 - right} more" in result.problem
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_network_that_was_hardly_trained_is_told_by_its_loss():
    result = trained("net", saved(network(scale=0.5)), DATASET)
    assert "weights were not trained" in result.problem


def test_a_missing_artifact_and_one_of_another_network_are_reported():
    assert "net.safetensors is missing" in trained("net", network(), DATASET).problem
    saved(nn.Sequential(nn.Linear(4, 5)))
    assert "the artifact of another network" in trained("net", network(), DATASET).problem


def test_without_a_bar_the_accuracy_is_shown():
    result = trained("other", saved(network(), "other"), DATASET)
    assert result
    assert "1.0000 of the test examples right" in repr(result)


@pytest.mark.parametrize("answer", [None, 3, "text", lambda: None, nn.Linear])
def test_anything_but_a_network_is_reported(answer):
    saved(network())
    assert "should be the trained network" in trained("net", answer, DATASET).problem
