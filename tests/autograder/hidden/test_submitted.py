"""The artifacts of a submission are read from its folder."""

import pytest
import torch
from torch import nn

from autograder.hidden import ArtifactError, submitted
from autograder.hidden.student import Submission, asking
from helpers.artifacts import artifact_folder, save_artifact
from helpers.training import History


def nobody(request):
    raise AssertionError("an artifact is read without the student's code")


def test_an_artifact_is_read_from_the_submission(tmp_path):
    model = nn.Linear(3, 2)
    history = History([0.1], [1.0], [0.5], [0.1], [1.0])
    save_artifact(artifact_folder(tmp_path), "line", model, history)
    with asking(Submission(nobody, tmp_path)):
        assert torch.equal(submitted("line").weights["weight"], model.weight)


def test_an_artifact_that_is_missing_is_named(tmp_path):
    with asking(Submission(nobody, tmp_path)), pytest.raises(ArtifactError, match="line"):
        submitted("line")
