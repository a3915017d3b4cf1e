"""Trained networks are saved once and loaded later; hostile files are refused with a message."""

import json
import math
import os
import struct
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations, prune

from helpers import artifacts
from helpers.artifacts import (
    ArtifactError,
    ArtifactMissing,
    artifact_files,
    artifact_folder,
    load_artifact,
    read_weights,
    save_artifact,
    train_or_load,
    write_weights,
)
from helpers.training import History

HISTORY = History([1.0, 0.5], [0.5, 0.75], [0.5, 0.7], [0.1, 0.05], [2.0, 2.5])


def model(width=3):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return an empty folder, which is the current one, as for a notebook."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    return tmp_path


@pytest.fixture
def folder(here):
    """Return a folder with the artifact `net`."""
    save_artifact(artifact_folder(), "net", model(), HISTORY)
    return artifact_folder()


def training(calls):
    def train(network, checkpoint):
        calls.append(checkpoint)
        checkpoint.write_bytes(b"the state after an epoch")
        nn.init.constant_(network[0].weight, 2.0)
        return HISTORY

    return train


# ------------------------------------------------------------------------------------------------
# train_or_load


def test_the_first_time_trains_and_the_next_time_loads(here):
    calls, first, second = [], model(), model()
    artifact_folder().mkdir(parents=True)
    assert train_or_load("net", training(calls), first) == HISTORY
    assert train_or_load("net", training(calls), second) == HISTORY
    assert len(calls) == 1
    assert (second[0].weight == 2.0).all()
    assert torch.equal(second[1].running_mean, first[1].running_mean)


def test_the_checkpoint_is_removed_when_the_artifact_is_complete(here):
    artifact_folder().mkdir(parents=True)
    train_or_load("net", training([]), model())
    names = {path.name for path in artifact_folder().iterdir()}
    assert names == {"net.safetensors", "net.json"}


def test_an_interrupted_training_leaves_its_checkpoint_and_no_artifact(here):
    def interrupted(network, checkpoint):
        checkpoint.write_bytes(b"the state after an epoch")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_or_load("net", interrupted, model())
    names = {path.name for path in artifact_folder().iterdir()}
    assert names == {"net.checkpoint", "net.begun.json"}


def test_each_profile_has_its_own_artifacts(here, monkeypatch):
    quick = artifact_folder()
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert artifact_folder() != quick
    assert artifact_folder("elsewhere").parts == ("elsewhere", "artifacts", "full")


def test_grading_never_trains(here, monkeypatch):
    monkeypatch.setenv("COURSE_GRADING", "1")
    calls = []
    with pytest.raises(ArtifactMissing, match=r"net\.safetensors is missing.*run the cell"):
        train_or_load("net", training(calls), model())
    assert not calls


def test_grading_loads_what_was_submitted(folder, monkeypatch):
    monkeypatch.setenv("COURSE_GRADING", "1")
    assert train_or_load("net", training([]), model()) == HISTORY


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (model(width=4), r"its 0.bias has the shape \(3,\), not \(4,\)"),
        (nn.Sequential(model()[0]), "it has 1.bias"),
        (nn.Sequential(*model(), nn.Linear(2, 2)), "it lacks 2.bias"),
    ],
)
def test_an_artifact_of_another_network_is_refused_with_a_message(folder, other, words):
    with pytest.raises(ArtifactError, match=f"'net' is the artifact of another network: {words}"):
        train_or_load("net", training([]), other)


def diverged(network, checkpoint):
    nn.init.constant_(network[0].weight, math.nan)
    return HISTORY


def infinite(network, checkpoint):
    return replace(HISTORY, train_loss=[1.0, math.inf])


@pytest.mark.parametrize("train", [diverged, infinite])
def test_a_training_that_diverged_is_not_saved_and_says_so(here, train):
    with pytest.raises(ArtifactError, match=r"diverged.*Lower the learning rate"):
        train_or_load("net", train, model())
    assert [path.name for path in artifact_folder().iterdir()] == ["net.begun.json"]


# ------------------------------------------------------------------------------------------------
# Networks with the layers of torch.nn.utils


def prune_some(network, checkpoint):
    prune.l1_unstructured(network[0], "weight", 0.5)
    return HISTORY


def test_a_network_pruned_by_torch_is_saved_as_if_prune_remove_had_been_called(here, capsys):
    pruned = model()
    train_or_load("net", prune_some, pruned)
    assert "net: the layers of torch.nn.utils (0) were made plain" in capsys.readouterr().out
    loaded = model()
    load_artifact(artifact_folder(), "net").load_into(loaded)
    assert torch.equal(loaded[0].weight, pruned[0].weight)
    assert (loaded[0].weight == 0).float().mean() == pytest.approx(0.5, abs=0.01)
    assert "weight" in dict(pruned[0].named_parameters())


def test_a_network_that_is_pruned_by_torch_before_it_is_loaded_can_be_loaded(here):
    def pruned():
        network = model()
        prune.l1_unstructured(network[0], "weight", 0.5)
        return network

    trained, again = pruned(), pruned()
    train_or_load("net", training([]), trained)
    train_or_load("net", training([]), again)
    assert torch.equal(again[0].weight, trained[0].weight)


def test_a_parametrized_network_is_saved_with_its_usual_parameters(here):
    network = model()
    parametrizations.weight_norm(network[0])
    before = network[0].weight.detach().clone()
    save_artifact(artifact_folder(), "net", network, HISTORY)
    loaded = load_artifact(artifact_folder(), "net")
    assert loaded.weights.keys() == model().state_dict().keys()
    assert torch.equal(loaded.weights["0.weight"], before)


@pytest.mark.parametrize("name", ["", "a/b", "../net", "Net", "net.json", "x" * 65])
def test_a_name_that_could_leave_the_folder_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match="not a valid name for an artifact"):
        artifact_files(tmp_path, name)


# ------------------------------------------------------------------------------------------------
# Reading files that anybody may have made


def test_an_artifact_is_read_exactly_as_it_was_saved(here):
    saved = model()
    save_artifact(artifact_folder(), "net", saved, HISTORY)
    artifact = load_artifact(artifact_folder(), "net")
    assert artifact.history == HISTORY
    assert artifact.weights.keys() == saved.state_dict().keys()
    for name, tensor in saved.state_dict().items():
        assert torch.equal(artifact.weights[name], tensor)


def test_an_interrupted_save_leaves_no_artifact(folder, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(artifacts.safetensors.torch, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        save_artifact(folder, "net", model(), HISTORY)
    with pytest.raises(ArtifactMissing):
        load_artifact(folder, "net")


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_missing_file_says_how_to_make_it(folder, suffix):
    (folder / f"net{suffix}").unlink()
    with pytest.raises(ArtifactMissing, match="run the cell that trains 'net'"):
        load_artifact(folder, "net")


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_link_is_refused(folder, suffix):
    file = folder / f"net{suffix}"
    target = file.rename(folder / "target")
    file.symlink_to(target)
    with pytest.raises(ArtifactError, match="is a link or lies in a linked folder"):
        load_artifact(folder, "net")


def test_a_linked_folder_is_refused(folder):
    link = folder.parent / "link"
    link.symlink_to(folder.resolve(), target_is_directory=True)
    with pytest.raises(ArtifactError, match="is a link or lies in a linked folder"):
        load_artifact(link, "net")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_refused_without_waiting(folder):
    (folder / "net.json").unlink()
    os.mkfifo(folder / "net.json")
    with pytest.raises(ArtifactError, match=r"net\.json is not a regular file"):
        load_artifact(folder, "net")


def test_a_folder_in_place_of_a_file_is_refused(folder):
    (folder / "net.json").unlink()
    (folder / "net.json").mkdir()
    with pytest.raises(ArtifactError, match=r"net\.json is not a regular file"):
        load_artifact(folder, "net")


def test_a_file_that_is_too_large_is_refused_unread(folder):
    os.truncate(folder / "net.safetensors", artifacts.MAX_WEIGHTS_BYTES + 1)  # takes no disk
    with pytest.raises(ArtifactError, match="larger than 64 MB"):
        load_artifact(folder, "net")


def header(content: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(content)) + content + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04\x95 a pickle",
        header(b"not json"),
        struct.pack("<Q", 1 << 62) + b"{}",
        header(b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,800]}}', b"\0" * 8),
        header(b'{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'),
        header(b'{"w":{"dtype":"F9","shape":[2],"data_offsets":[0,8]}}', b"\0" * 8),
        header(b'{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', b"\0" * 4),
    ],
)
def test_malformed_weights_are_refused(folder, content):
    (folder / "net.safetensors").write_bytes(content)
    with pytest.raises(ArtifactError, match="damaged or not a safetensors file"):
        load_artifact(folder, "net")


@settings(deadline=None)  # the first example waits for imports
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_an_artifact_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("weights") / "net.safetensors"
    path.write_bytes(content)
    with pytest.raises(ArtifactError):
        read_weights(path)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_weights_that_are_not_finite_are_refused(folder, number):
    write_weights(folder / "net.safetensors", {"w": torch.tensor([1.0, number])})
    with pytest.raises(ArtifactError, match="not finite"):
        load_artifact(folder, "net")


def test_an_unusual_type_of_number_is_refused(folder):
    write_weights(folder / "net.safetensors", {"w": torch.zeros(2, dtype=torch.complex64)})
    with pytest.raises(ArtifactError, match="complex64"):
        load_artifact(folder, "net")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[1, 2]",
        json.dumps(HISTORY.to_dict() | {"train_loss": [math.nan, 1.0]}).encode(),
        json.dumps(HISTORY.to_dict() | {"train_loss": [1.0]}).encode(),
        json.dumps(HISTORY.to_dict()).replace("0.75", "9" * 5000).encode(),
    ],
)
def test_a_malformed_history_is_refused(folder, content):
    (folder / "net.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"net\.json is not a history"):
        load_artifact(folder, "net")


def test_tied_weights_can_be_saved(tmp_path):
    shared = torch.arange(6.0).reshape(2, 3)
    write_weights(tmp_path / "net.safetensors", {"a": shared, "b": shared.t()})
    weights = read_weights(tmp_path / "net.safetensors")
    assert torch.equal(weights["b"], shared.t())
