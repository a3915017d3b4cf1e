"""The solution of every notebook runs and earns every point; an untrained network earns none."""

import copy
import shutil

import pytest
from nbclient import NotebookClient
from source_notebook import (
    about_networks,
    assignments,
    hand_in_untrained,
    marks,
    part_of_the_points,
    path,
    read,
)

from autograder.assignments import assignment as assignment_named
from autograder.grading.execution import is_hidden_test
from autograder.references import artifacts
from helpers.artifacts import artifact_folder

pytestmark = pytest.mark.slow

# One artifact of each kind of training is trained here; the others come from our reference run.
TRAINED_HERE = {
    "deep_compression": ("shared_2bit",),
    "lr_schedules": ("rate_small", "rate_large_warm"),
    "pruning": ("pruned_std", "iterative"),
    "quantization": ("qat_4bit", "sparse_4bit", "iterative_4bit"),
}
# Trained for a discussion, and measured by no hidden test.
UNGRADED = {
    "depthwise_conv": {"few_epochs_own", "few_epochs_library"},
    "quantization": {"sparse_3bit", "sparse_2bit"},
}
ABOUT_NETWORKS = about_networks(alone=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


@pytest.mark.thorough
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("assignment", assignments())
def test_the_solution_runs_and_earns_every_point(assignment, tmp_path):
    shutil.copy(path(assignment), tmp_path)
    if artifacts("quick", assignment).is_dir():
        trained_here = [f"{name}.*" for name in TRAINED_HERE.get(assignment, ())]
        shutil.copytree(
            artifacts("quick", assignment),
            tmp_path / "artifacts" / "quick",
            ignore=shutil.ignore_patterns(*trained_here),
        )
    nb = copy.deepcopy(read(assignment))
    client = NotebookClient(nb, timeout=900, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    tests = [cell for cell in nb.cells if is_hidden_test(cell)]
    scores = {t.id: float(t.outputs[-1].data["text/plain"]) for t in tests}
    assert scores == {test.id: marks(test)["points"] for test in tests}
    found = assignment_named(assignment)
    saved = {file.stem for file in (tmp_path / "artifacts" / "quick").glob("*.safetensors")}
    compared = {e.name for e in found.experiments if e.only_in == "quick"}
    assert saved == {*found.artifacts, *compared, *UNGRADED.get(assignment, ())}
    assert (tmp_path / f"{assignment}.zip").exists()


@pytest.mark.parametrize(("assignment", "question"), ABOUT_NETWORKS)
def test_the_reference_network_earns_every_point(assignment, question, tmp_path):
    shutil.copytree(artifacts("quick", assignment), artifact_folder(tmp_path))
    assert part_of_the_points(assignment, question, tmp_path) == 1


@pytest.mark.parametrize(("assignment", "question"), ABOUT_NETWORKS)
def test_a_network_that_was_not_trained_earns_nothing(assignment, question, tmp_path):
    hand_in_untrained(assignment, question, tmp_path)
    assert part_of_the_points(assignment, question, tmp_path) == 0
