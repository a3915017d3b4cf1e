"""`pack` puts the notebook and its artifacts into a zip, and names what is missing."""

import json
import os
import zipfile

import pytest
from torch import nn

from helpers import submission
from helpers.artifacts import artifact_folder, save_artifact
from helpers.submission import SubmissionError, pack
from helpers.training import History

HISTORY = History([1.0], [0.5], [0.5], [0.1], [2.0])


def cell(grade_id, source, solution=True):
    return {
        "cell_type": "code",
        "metadata": {"nbgrader": {"grade_id": grade_id, "solution": solution}},
        "source": source,
    }


def write_notebook(folder, cells=(), artifacts=()):
    content = {"cells": list(cells), "metadata": {"course": {"artifacts": list(artifacts)}}}
    (folder / "quantization.ipynb").write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a student's folder with a notebook and the artifact qat_4bit."""
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    write_notebook(tmp_path)
    save_artifact(artifact_folder(tmp_path), "qat_4bit", nn.Linear(2, 2), HISTORY)
    return tmp_path


def names(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return set(archive.namelist())


def test_a_submission_holds_the_notebook_and_its_artifacts(folder):
    path = pack("quantization", folder)
    assert path == folder / "quantization.zip"
    assert names(path) == {
        "quantization.ipynb",
        "artifacts/quick/qat_4bit.safetensors",
        "artifacts/quick/qat_4bit.json",
    }
    with zipfile.ZipFile(path) as archive:
        packed = archive.read("artifacts/quick/qat_4bit.safetensors")
    assert packed == (folder / "artifacts/quick/qat_4bit.safetensors").read_bytes()


def test_nothing_else_is_packed(folder, monkeypatch):
    before = names(pack("quantization", folder))
    (folder / "diary.txt").write_text("private")
    (folder / "artifacts" / "quick" / "notes.txt").write_text("private")
    (folder / "artifacts" / "quick" / "qat_3bit.checkpoint").write_bytes(b"half a training")
    save_artifact(folder / "artifacts" / "full", "qat_2bit", nn.Linear(2, 2), HISTORY)
    assert names(pack("quantization", folder)) == before


def test_a_link_to_another_file_is_not_packed(folder, capsys):
    (folder / "secret").write_bytes(b"private")
    (folder / "artifacts" / "quick" / "stolen.safetensors").symlink_to(folder / "secret")
    assert not any("stolen" in name for name in names(pack("quantization", folder)))
    assert "stolen is left out" in capsys.readouterr().out


def test_a_complete_submission_is_not_called_incomplete(folder, capsys):
    write_notebook(folder, [cell("ste_solution", "def f(): ...")], ["qat_4bit"])
    pack("quantization", folder)
    out = capsys.readouterr().out
    assert "quantization.ipynb (as saved just now) and qat_4bit" in out
    assert "Not complete" not in out


def test_a_network_that_is_not_trained_is_named(folder, capsys):
    write_notebook(folder, artifacts=["qat_4bit", "qat_3bit"])
    pack("quantization", folder)
    assert "qat_3bit is not trained yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["# YOUR CODE HERE\nraise NotImplementedError", "YOUR ANSWER HERE"]
)
def test_a_question_that_is_empty_is_named(folder, capsys, text):
    cells = [cell("ste_forward_solution", ["def f():\n", text]), cell("ste", text, solution=False)]
    write_notebook(folder, cells)
    pack("quantization", folder)
    out = capsys.readouterr().out
    assert out.count("still empty") == 1
    assert "ste_forward is still empty" in out


def test_a_damaged_artifact_is_left_out_and_named(folder, capsys):
    (folder / "artifacts" / "quick" / "qat_4bit.safetensors").write_bytes(b"torn")
    assert names(pack("quantization", folder)) == {"quantization.ipynb"}
    assert "qat_4bit is left out. qat_4bit.safetensors is damaged" in capsys.readouterr().out


def test_the_age_of_an_old_notebook_is_reported(folder, capsys):
    notebook = folder / "quantization.ipynb"
    hours_ago = notebook.stat().st_mtime - 2 * 3600 - 5
    os.utime(notebook, (hours_ago, hours_ago))
    pack("quantization", folder)
    assert "as saved 120 min ago" in capsys.readouterr().out


def test_packing_again_replaces_the_submission(folder):
    pack("quantization", folder)
    write_notebook(folder, [cell("a", "changed")])
    with zipfile.ZipFile(pack("quantization", folder)) as archive:
        assert b"changed" in archive.read("quantization.ipynb")


def test_a_missing_notebook_says_where_it_should_be(tmp_path):
    with pytest.raises(SubmissionError, match=r"no quantization\.ipynb.*save the notebook"):
        pack("quantization", tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json"])
def test_a_damaged_notebook_is_refused(tmp_path, content):
    (tmp_path / "quantization.ipynb").write_text(content)
    with pytest.raises(SubmissionError, match="is damaged"):
        pack("quantization", tmp_path)


def test_a_notebook_with_huge_outputs_is_refused_with_a_message(folder):
    os.truncate(folder / "quantization.ipynb", submission.MAX_NOTEBOOK_BYTES + 1)
    with pytest.raises(SubmissionError, match="clear the outputs"):
        pack("quantization", folder)
    assert not (folder / "quantization.zip").exists()


def test_too_many_artifacts_are_refused_with_a_message(folder, monkeypatch):
    monkeypatch.setattr(submission, "MAX_TOTAL_BYTES", 100)
    with pytest.raises(SubmissionError, match="delete artifacts"):
        pack("quantization", folder)


def test_without_networks_the_message_does_not_mention_any(tmp_path, capsys):
    write_notebook(tmp_path)
    pack("quantization", tmp_path)
    said = capsys.readouterr().out.strip()
    assert said == "quantization.zip holds quantization.ipynb (as saved just now)."
