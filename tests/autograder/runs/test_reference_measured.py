"""Measured again on CIFAR-10, frozen networks have the accuracies in their manifests."""

import pytest

from autograder import references
from autograder.hidden import reference
from autograder.runs.starting import ASSIGNMENT as STARTING
from autograder.runs.table import experiments
from autograder.runs.training import untrained
from helpers import cifar10, data
from helpers.artifacts import load_artifact
from helpers.training import evaluate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.skipif(
        not (cifar10.data_folder() / cifar10.CACHE).exists(),
        reason="cifar10.npz is not in COURSE_DATA",
    ),
    pytest.mark.skipif(not references.runs("full"), reason="full was never run"),
]

# The first seed of one network of each assignment: all of them would take minutes.
SAMPLE = ("global_iterative", "qat_2bit", "shared_3bit")
# Another device rounds scores differently, so that the prediction for an image whose two best
# scores are nearly equal may change: this happens to a handful of 10,000 images.
CLOSE = 1e-3


@pytest.fixture(autouse=True)
def full(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")


@pytest.fixture(scope="module")
def dataset():
    return data.load("cifar10", device="cpu")


@pytest.mark.parametrize("name", SAMPLE)
def test_a_frozen_network_has_the_accuracy_of_its_first_seed(name, dataset):
    (experiment,) = (e for e in experiments() if e.name == name)
    model = untrained(experiment, dataset)
    folder = references.artifacts("full", experiment.assignment)
    load_artifact(folder, name).load_into(model)
    expected = references.runs("full")[name]["accuracies"][0]
    assert evaluate(model, dataset) == pytest.approx(expected, abs=CLOSE)


def test_the_starting_network_that_ships_is_the_one_on_the_page(dataset):
    run = references.runs("full")["resnet20"]
    shipped = reference.starting_model()
    assert evaluate(shipped, dataset) == pytest.approx(run["accuracies"][0], abs=CLOSE)
    assert any(e.ships_as for e in experiments() if e.assignment == STARTING)
