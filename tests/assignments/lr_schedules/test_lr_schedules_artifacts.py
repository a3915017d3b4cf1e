"""Networks that were trained at another rate earn nothing, whatever their history says."""

import shutil

import pytest
from source_notebook import part_of_the_points

from autograder.references import artifacts
from helpers.artifacts import artifact_folder, load_artifact, save_artifact
from helpers.data import load
from helpers.history import History
from helpers.models import convnet
from helpers.training import fit, seed_everything

RATES = {"rate_small": 0.0001, "rate_medium": 0.1, "rate_large": 1.0}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


def fresh():
    seed_everything(0)
    return convnet()


def handed_in(files, name, model, accuracy=0.1):
    """Hand in a network whose history says that it was trained as asked for."""
    history = History([2.3] * 5, [0.1] * 5, [accuracy] * 5, [RATES[name]] * 5, [1.0] * 5, [2.3] * 5)
    save_artifact(artifact_folder(files), name, model, history)
    return part_of_the_points("lr_schedules", name, files)


def of_the_reference(name):
    model = convnet()
    load_artifact(artifacts("quick", "lr_schedules"), name).load_into(model)
    return model


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("other", ["rate_small", "rate_medium", "rate_large", "convnet_cosine"])
def test_the_network_of_another_training_earns_nothing(name, other, tmp_path):
    # A network that is better than the one asked for is accepted only where the best is asked for.
    right = other == name or (name, other) == ("rate_medium", "convnet_cosine")
    assert handed_in(tmp_path, name, of_the_reference(other)) == right


@pytest.mark.parametrize("name", RATES)
def test_a_network_that_was_not_trained_earns_nothing(name, tmp_path):
    assert handed_in(tmp_path, name, fresh()) == 0


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize(("name", "lr"), [("rate_small", 0.001), ("rate_small", 0.00001)])
def test_ten_times_the_rate_or_a_tenth_of_it_earns_nothing(name, lr, tmp_path):
    model = fresh()
    fit(model, load("dark_digits"), epochs=5, lr=lr, schedule="constant", progress=False)
    assert handed_in(tmp_path, name, model) == 0


def test_the_wrong_schedule_is_named(tmp_path):
    folder = artifact_folder(tmp_path)
    shutil.copytree(artifacts("quick", "lr_schedules"), folder)
    for kind in ("safetensors", "json"):
        shutil.copy(folder / f"convnet_cosine.{kind}", folder / f"convnet_multistep.{kind}")
    assert part_of_the_points("lr_schedules", "convnet_cosine", tmp_path) == 1
    assert part_of_the_points("lr_schedules", "convnet_multistep", tmp_path) == 0
