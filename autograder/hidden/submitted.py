"""The artifacts of the submission that `student` stands for."""

from __future__ import annotations

from autograder.hidden.student import current_submission
from helpers.artifacts import Artifact, artifact_folder, load_artifact


def submitted(name: str) -> Artifact:
    """Load an artifact of the submission.

    Nothing in it is to be believed: the weights can be measured, the history is what the student
    says happened in training.

    Parameters
    ----------
    name : str
        Name of the artifact, such as ``"pruned_std"``.

    Returns
    -------
    Artifact

    Raises
    ------
    ArtifactError
        If it was not submitted or is damaged; the message is for the student.
    """
    return load_artifact(artifact_folder(current_submission().files), name)
