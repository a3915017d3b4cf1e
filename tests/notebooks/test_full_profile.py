"""In the full profile, hidden tests judge by our own reference runs on CIFAR-10."""

import shutil

import pytest
from source_notebook import (
    about_networks,
    graded,
    hand_in_untrained,
    part_of_the_points,
    trained_networks,
)

from autograder import references
from autograder.references import artifacts
from helpers import cifar10
from helpers.artifacts import artifact_folder

ABOUT_NETWORKS = about_networks()
# One question of each of two assignments: all of them would take minutes.
SAMPLE = [("pruning", "iterative"), ("quantization", "qat_2bit")]

needs_cifar10 = pytest.mark.skipif(
    not (cifar10.data_folder() / cifar10.CACHE).exists(), reason="no cifar10.npz in COURSE_DATA"
)


@pytest.fixture(autouse=True)
def full(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")


@pytest.mark.parametrize(("assignment", "question"), ABOUT_NETWORKS)
def test_our_own_runs_pass_and_the_networks_before_training_do_not(assignment, question):
    for name in trained_networks(graded(assignment, question)):
        run = references.runs("full").get(name)
        if run is None:
            pytest.skip(f"{name} is not run yet in full: it needs a GPU")
        if not run.get("is_steady", True):
            continue  # its accuracy alone proves nothing, and hidden tests ask for other evidence
        bar = references.bar("full", name)
        assert run["untrained"] < bar < min(run["accuracies"])


@pytest.mark.slow
@needs_cifar10
@pytest.mark.parametrize(("assignment", "question"), SAMPLE)
def test_the_reference_network_earns_every_point(assignment, question, tmp_path):
    assert (assignment, question) in ABOUT_NETWORKS
    shutil.copytree(artifacts("full", assignment), artifact_folder(tmp_path))
    assert part_of_the_points(assignment, question, tmp_path) == 1


@pytest.mark.slow
@needs_cifar10
@pytest.mark.parametrize(("assignment", "question"), SAMPLE)
def test_a_network_that_was_not_trained_earns_nothing(assignment, question, tmp_path):
    hand_in_untrained(assignment, question, tmp_path)
    assert part_of_the_points(assignment, question, tmp_path) == 0
