"""A training shows its curves while it runs."""

import builtins
import sys
import types

import pytest
import torch
from torch import nn

from helpers import live_curve, progress
from helpers.data import ImageDataset, Split
from helpers.training import TrainingInterrupted, fit


@pytest.fixture
def dataset():
    split = Split(torch.zeros(64, 3, 32, 32, dtype=torch.uint8), torch.arange(64) % 2)
    return ImageDataset("tiny", split, split, torch.zeros(3), torch.ones(3), flip=False, pad=0)


@pytest.fixture
def shown(monkeypatch):
    """Stand for the kernel of a notebook; return what it has shown."""
    found = []

    class Publisher:
        def publish(self, **message):
            found.append(message)

    shell = types.SimpleNamespace(kernel=object(), display_pub=Publisher())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(live_curve, "SECONDS", 0.0)
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    return found


def trained(dataset, epochs=3, **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
    return fit(model, dataset, epochs=epochs, batch_size=8, lr=0.01, **options)


def test_a_notebook_shows_one_picture_that_each_epoch_replaces(dataset, shown):
    trained(dataset)
    assert [message["update"] for message in shown] == [False, True, True, True]
    assert len({message["transient"]["display_id"] for message in shown}) == 1
    heads = [message["data"]["text/plain"].partition(":")[0] for message in shown]
    assert heads == ["Epoch 1 of 3", "Epoch 2 of 3", "Epoch 3 of 3", "Epoch 3 of 3"]


def test_short_epochs_are_not_all_shown(dataset, shown, monkeypatch):
    monkeypatch.setattr(live_curve, "SECONDS", 1000.0)
    trained(dataset, epochs=20)
    assert len(shown) == 2  # the first and the last


def test_the_name_of_the_checkpoint_says_with_which_runs_to_compare(dataset, shown, tmp_path):
    trained(dataset, checkpoint=tmp_path / "qat_4bit.checkpoint")
    assert "The course's 3 runs ended between" in shown[-1]["data"]["text/html"]
    trained(dataset, checkpoint=tmp_path / "my_own.checkpoint")
    assert "The course's" not in shown[-1]["data"]["text/html"]


def test_an_interrupted_training_leaves_a_picture_and_goes_on_with_its_curve(
    dataset, shown, tmp_path
):
    def stop(model, epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "net.checkpoint"
    with pytest.raises(TrainingInterrupted):
        trained(dataset, checkpoint=checkpoint, before_epoch=stop)
    assert shown[-1]["data"]["text/plain"].startswith("Epoch 2 of 3")
    before = len(shown)
    trained(dataset, checkpoint=checkpoint, before_epoch=lambda model, epoch: None)
    assert shown[before]["data"]["text/plain"].startswith("Epoch 2 of 3")


@pytest.mark.parametrize("how", ["no progress", "quiet", "grading"])
def test_nothing_is_shown_if_nobody_looks(dataset, shown, monkeypatch, how):
    if how == "grading":
        monkeypatch.setenv("COURSE_GRADING", "1")
    if how == "quiet":
        with progress.quiet():
            trained(dataset)
    else:
        trained(dataset, progress=how != "no progress")
    assert not shown


def test_a_terminal_gets_a_bar_of_text_and_says_how_the_course_ended(
    dataset, monkeypatch, tmp_path, capsys
):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    trained(dataset, checkpoint=tmp_path / "qat_4bit.checkpoint")
    printed = capsys.readouterr().out
    assert "epoch 3/3" in printed
    assert "The course's 3 runs ended between" in printed
    assert "<" not in printed.replace("<?", "").partition("The course's")[2]


def test_no_library_is_imported_to_draw(dataset, shown, monkeypatch):
    real, found = builtins.__import__, []

    def noting(name, *rest):
        found.append(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", noting)
    trained(dataset, progress=True)
    assert shown
    assert not [name for name in found if name.startswith("matplotlib")]
