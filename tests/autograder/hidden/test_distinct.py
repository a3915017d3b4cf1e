"""A network that is handed in under two names counts once."""

import pytest
import torch

from autograder.hidden import differs_from
from autograder.hidden.student import Submission, asking
from helpers.artifacts import artifact_folder, save_artifact
from helpers.history import History
from helpers.models import convnet


@pytest.fixture
def submission(tmp_path, monkeypatch):
    """Two artifacts, of networks with different weights; `cosine` is missing."""
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    for seed, name in enumerate(("small", "large")):
        torch.manual_seed(seed)
        save_artifact(artifact_folder(tmp_path), name, convnet(), History())
    with asking(Submission(lambda request: {}, tmp_path)):
        yield


def network(seed):
    torch.manual_seed(seed)
    return convnet()


def test_another_network_is_accepted(submission):
    assert differs_from(["large", "cosine"], "rates")(network(0)) is None


def test_the_message_names_the_other_artifact(submission):
    problem = differs_from(["cosine", "large"], "rates")(network(1))
    assert problem is not None
    assert problem.startswith("its weights are those of `large` in every bit")
    assert "different rates" in problem


def test_one_changed_weight_makes_another_network(submission):
    model = network(1)
    with torch.no_grad():
        model.classifier.bias[0] += 1
    assert differs_from(["large"], "rates")(model) is None
