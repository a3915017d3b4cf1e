"""The trained ConvNet that assignments compare their networks with."""

import pytest

from helpers import data
from helpers.artifacts import ArtifactMissing
from helpers.reference.baseline import network
from helpers.training import evaluate


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


def test_the_network_that_ships_is_the_one_of_its_history():
    dataset = data.load("dark_digits", device="cpu")
    model, history = network.trained_convnet(dataset)
    assert not model.training
    images = len(dataset.test)
    # Images between two classes may change sides on another processor.
    assert evaluate(model, dataset) == pytest.approx(history.test_accuracy[-1], abs=5 / images)


def test_without_a_shipped_network_it_is_trained_as_an_artifact(monkeypatch, tmp_path):
    missing = tmp_path / "nothing.safetensors", tmp_path / "nothing.json"
    monkeypatch.setattr(network, "shipped_files", lambda profile: missing)
    monkeypatch.setenv("COURSE_GRADING", "1")  # so that nothing is trained here
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtifactMissing, match=network.NAME):
        network.trained_convnet(data.load("dark_digits", device="cpu"))
