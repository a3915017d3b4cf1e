"""A submitted network is measured: its accuracy, and whether its weights were trained."""

import pytest

from autograder import references
from autograder.hidden import reference, trained
from autograder.hidden.student import Submission, asking
from helpers.artifacts import artifact_folder, save_artifact
from helpers.measurements import measure
from helpers.training import History
from helpers.training_loss import training_loss

NAME = "some_network"


def nobody(request):
    raise AssertionError("a network is measured without the student's code")


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def network():
    return reference.starting_model()


@pytest.fixture
def judge(network, tmp_path, monkeypatch):
    """Hand in the starting network, with a history that ends as it measures; return the check."""
    accuracy = measure(network, reference.dataset())
    history = History([0.1], [1.0], [accuracy], [0.1], [1.0])
    save_artifact(artifact_folder(tmp_path), NAME, network, history)

    def judged(bar=0.0, limit=None):
        monkeypatch.setattr(reference, "bar", lambda name: {NAME: bar}[name])
        monkeypatch.setattr(reference, "loss_limit", lambda name: {NAME: limit}[name])
        with asking(Submission(nobody, tmp_path)):
            return trained(NAME, build=reference.starting_model)

    return judged


def test_a_network_that_is_accurate_enough_gets_the_credit(judge):
    assert judge(bar=0.5).credit == 1


def test_a_network_that_misses_the_bar_gets_none_and_is_told_both_figures(judge):
    check = judge(bar=1.0)
    assert check.credit == 0
    assert "1.0000 is needed" in check.message


def test_the_feedback_says_where_another_bar_comes_from(judge, tmp_path):
    judge()
    with asking(Submission(nobody, tmp_path)):
        check = trained(
            NAME, build=reference.starting_model, at_least=1.0, why="This is what we measured."
        )
    assert check.message.endswith("but 1.0000 is needed. This is what we measured.")


def test_without_a_reference_run_the_bar_is_what_the_grader_measures(monkeypatch):
    def no_run(name):
        raise references.no_run("quick", name)

    monkeypatch.setattr(reference, "bar", no_run)
    assert reference.bar_or(NAME, lambda: 0.3, "Why.") == (0.3, "Why.")
    monkeypatch.setattr(reference, "bar", lambda name: 0.5)
    assert reference.bar_or(NAME, lambda: 0.3, "Why.") == (0.5, "")


def test_a_network_whose_loss_is_below_the_limit_gets_the_credit(judge, network):
    assert judge(limit=1.01 * training_loss(network, reference.dataset())).credit == 1


def test_a_network_whose_weights_were_not_trained_gets_none_for_its_accuracy(judge, network):
    check = judge(limit=training_loss(network, reference.dataset()))
    assert check.credit == 0
    assert "its weights have hardly been trained" in check.message
