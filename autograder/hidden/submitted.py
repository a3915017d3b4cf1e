"""Load the artifacts of the submission that `student` stands for."""

from __future__ import annotations

from autograder.hidden.student import current_submission
from helpers.artifacts import Artifact, artifact_folder, load_artifact


def submitted(name: str) -> Artifact:
    """Load an artifact of the submission.

    Its content is not to be trusted: the weights can be measured, but the history is only what the
    student says about the training.

    Parameters
    ----------
    name
        Name of the artifact, such as ``"pruned_std"``.

    Raises
    ------
    ArtifactError
        If it was not submitted or is damaged; the message is for the student.
    """
    return load_artifact(artifact_folder(current_submission().files), name)
