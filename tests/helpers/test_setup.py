"""The setup cell ends with one line, and keeps artifacts on Google Drive only if it is asked to."""

import os
import re
from pathlib import Path

import pytest
import torch
from fake_colab import FakeColab

import helpers
from helpers import colab, setup
from helpers.artifacts import artifact_folder, load_artifact, save_artifact
from helpers.setup import set_up
from helpers.training import History

HISTORY = History([1.0], [0.5], [0.5], [0.1], [2.0])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return the folder of a notebook, on a machine without a GPU."""
    (tmp_path / "content").mkdir()
    monkeypatch.chdir(tmp_path / "content")
    monkeypatch.setattr(setup, "default_device", lambda: torch.device("cpu"))
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    monkeypatch.setenv("COURSE_DATA", "")  # so that it is put back after the test
    monkeypatch.delenv("COURSE_DATA")
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    return tmp_path / "content"


@pytest.fixture
def google(tmp_path, monkeypatch):
    fake = FakeColab(tmp_path / "drive")
    fake.install(monkeypatch)
    monkeypatch.setattr(colab, "DRIVE", fake.drive)
    return fake


def said(capsys, *arguments):
    """Return the lines that `set_up` prints, without the version."""
    set_up("pruning", *arguments)
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith(f"helpers {helpers.__version__}, profile ")
    return [first.partition(", profile ")[2], *others]


def test_the_device_is_the_one_that_trainings_use():
    assert set_up("pruning") == torch.device("cpu")


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        ("quick", "quick, no GPU: training takes a few minutes without one"),
        ("full", "full, no GPU: training can take hours without one"),
    ],
)
def test_one_line_says_what_it_means_that_there_is_no_gpu(monkeypatch, capsys, profile, line):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    assert said(capsys) == [line]


def test_on_colab_the_line_says_how_to_get_a_gpu(google, capsys):
    (line,) = said(capsys)
    assert line.startswith("quick, no GPU: choose Runtime > Change runtime type for one; training")


def test_a_gpu_is_named(monkeypatch, capsys):
    monkeypatch.setattr(setup, "default_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")
    assert said(capsys) == ["quick, on the GPU Tesla T4"]


def test_a_grader_gives_no_advice(monkeypatch, capsys, google):
    monkeypatch.setenv("COURSE_GRADING", "1")
    assert said(capsys) == ["quick, without a GPU"]


# ------------------------------------------------------------------------------------------------
# Google Drive


def test_drive_is_not_asked_for_unless_the_student_wants_it(google, capsys, folder):
    assert len(said(capsys, False)) == 1
    assert (google.mounted, list(folder.iterdir())) == ([], [])


def test_outside_of_colab_nothing_is_kept_elsewhere(capsys, folder):
    assert len(said(capsys, True)) == 1
    assert list(folder.iterdir()) == []


def test_artifacts_are_kept_on_drive_and_found_by_the_next_machine(
    google, capsys, tmp_path, monkeypatch
):
    assert said(capsys, True)[1:] == [
        "What you train is kept on your Google Drive, in efficient-dl-course/pruning."
    ]
    save_artifact(artifact_folder(), "one_shot", torch.nn.Linear(2, 2), HISTORY)
    (tmp_path / "next").mkdir()
    monkeypatch.chdir(tmp_path / "next")
    set_up("pruning", True)
    assert load_artifact(artifact_folder(), "one_shot").history == HISTORY


def test_data_are_kept_on_drive_unless_the_student_has_chosen_a_folder(
    google, monkeypatch, tmp_path
):
    set_up("pruning", True)
    assert os.environ["COURSE_DATA"] == str(google.drive / "MyDrive" / colab.FOLDER / "data")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    set_up("pruning", True)
    assert os.environ["COURSE_DATA"] == str(tmp_path)


def test_the_cell_can_be_run_again(google, capsys):
    first = said(capsys, True)
    assert said(capsys, True) == first


def test_what_was_trained_before_goes_to_drive_and_replaces_nothing_there(google, folder):
    set_up("pruning", True)
    kept = google.drive / "MyDrive" / colab.FOLDER / "pruning" / "artifacts" / "quick"
    kept.mkdir()
    (kept / "both.json").write_text("on Drive")
    Path("artifacts").unlink()
    here = folder / "artifacts" / "quick"
    here.mkdir(parents=True)
    (here / "both.json").write_text("on the machine")
    (here / "new.json").write_text("on the machine")
    set_up("pruning", True)
    assert {path.name: path.read_text() for path in artifact_folder().iterdir()} == {
        "both.json": "on Drive",
        "new.json": "on the machine",
    }
    before = folder / "artifacts before Google Drive" / "quick"
    assert (before / "both.json").read_text() == "on the machine"


@pytest.mark.parametrize("refusal", [ValueError("mount failed"), RuntimeError("no credentials")])
def test_without_drive_the_notebook_goes_on_and_says_so_in_one_line(
    google, capsys, folder, refusal
):
    google.refusal = refusal
    _, line = said(capsys, True)
    assert re.match(rf"Google Drive cannot be used \({refusal}\)\. Everything works without", line)
    save_artifact(artifact_folder(), "one_shot", torch.nn.Linear(2, 2), HISTORY)
    assert (folder / "artifacts" / "quick" / "one_shot.json").is_file()
    assert "COURSE_DATA" not in os.environ
