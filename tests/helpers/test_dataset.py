"""A data set need not consist of images: training and measuring also work with a text."""

import math
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from helpers.dataset import Dataset, Split
from helpers.measurements import measure
from helpers.training import evaluate, fit, seed_everything

TEXT = "the cat sat on the mat " * 20
CHARACTERS = sorted(set(TEXT))
LENGTH = 8


def characters(text):
    """Return pieces of a text; the target of each character is the next character."""
    codes = torch.tensor([CHARACTERS.index(character) for character in text])
    pieces = (len(codes) - 1) // LENGTH
    inputs = codes[: pieces * LENGTH].view(pieces, LENGTH)
    return Split(inputs, codes[1 : pieces * LENGTH + 1].view(pieces, LENGTH))


@pytest.fixture
def text():
    return Dataset("text", characters(TEXT[:300]), characters(TEXT[300:]))


def bigrams():
    """Return a model that predicts the next character from one, (N, T) to (N, T, characters)."""
    seed_everything(0)
    return nn.Sequential(nn.Embedding(len(CHARACTERS), 16), nn.Linear(16, len(CHARACTERS)))


def train(model, dataset, **options):
    return fit(model, dataset, **({"epochs": 20, "batch_size": 4, "progress": False} | options))


def successors(text):
    """Count how often each character is followed by each other, (characters, characters)."""
    counts = torch.zeros(len(CHARACTERS), len(CHARACTERS))
    inputs, targets = text.train.inputs.flatten(), text.train.targets.flatten()
    return counts.index_put((inputs, targets), torch.ones(len(inputs)), accumulate=True)


def test_a_language_model_learns_the_bigrams_of_its_text(text):
    model = bigrams()
    history = train(model, text)
    counts = successors(text)
    assert torch.equal(model(torch.arange(len(CHARACTERS))).argmax(1), counts.argmax(1))
    assert history.test_accuracy[-1] == evaluate(model, text)


def test_the_loss_is_the_mean_over_characters_in_nats(text):
    model = bigrams()
    for p in model[1].parameters():
        nn.init.zeros_(p)
    history = train(model, text, epochs=1, lr=0.0, weight_decay=0.0)
    assert history.train_loss == [pytest.approx(math.log(len(CHARACTERS)))]


def test_accuracies_are_shares_of_characters(text):
    def share(split):
        right = model(split.inputs).argmax(-1) == split.targets
        return pytest.approx(right.float().mean().item())

    model = bigrams()
    history = train(model, text, epochs=1, batch_size=len(text.train), lr=0.0)
    assert history.train_accuracy == [share(text.train)]
    assert history.test_accuracy == [share(text.test)]


def test_an_interrupted_training_on_text_continues(text, tmp_path, capsys):
    whole, parts = bigrams(), bigrams()
    train(whole, text, epochs=4)

    def interrupt(model, epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train(parts, text, epochs=4, checkpoint=checkpoint, before_epoch=interrupt)
    parts = bigrams()
    train(parts, text, epochs=4, checkpoint=checkpoint)
    assert all(map(torch.equal, parts.parameters(), whole.parameters()))


def test_a_language_model_is_measured_once(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    model = bigrams()
    first = measure(model, text)
    monkeypatch.setattr("helpers.measurements.evaluate", lambda *_: pytest.fail("measured twice"))
    assert measure(model, text) == first == evaluate(model, text)


def test_a_subclass_decides_what_a_network_is_given(text):
    class OneHot(Dataset):
        def network_inputs(self, stored):
            return nn.functional.one_hot(stored, len(CHARACTERS)).float()

    dataset = OneHot("one-hot", text.train, text.test)
    model = nn.Linear(len(CHARACTERS), len(CHARACTERS))
    history = train(model, dataset)
    assert history.test_accuracy[-1] == evaluate(model, dataset) > 0.5


def test_an_epoch_holds_every_example_once_with_its_targets(text):
    numbered = replace(text, train=Split(torch.arange(12), torch.arange(12) + 100))
    drawn = list(numbered.training_batches(4, torch.Generator().manual_seed(0)))
    inputs = torch.cat([inputs for inputs, _ in drawn])
    targets = torch.cat([targets for _, targets in drawn])
    assert sorted(inputs.tolist()) == list(range(12)) != inputs.tolist()
    assert torch.equal(targets, inputs + 100)


def test_the_first_examples_of_a_split_can_be_requested(text):
    sizes = [len(targets) for _, targets in text.batches("train", 4, count=10)]
    assert sizes == [4, 4, 2]
    assert torch.equal(next(text.batches("train", 4, count=10))[0], text.train.inputs[:4])


def test_a_data_set_moves_with_both_splits(text):
    moved = text.to("meta")
    tensors = [t for split in (moved.train, moved.test) for t in (split.inputs, split.targets)]
    assert {str(t.device) for t in tensors} == {str(moved.device)} == {"meta"}


def test_training_and_measuring_import_nothing_about_images():
    modules = "batch_norm, measurements, steps, training"
    code = f"import sys; from helpers import {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "helpers.dataset" in loaded
    assert not {"helpers.images", "helpers.data", "helpers.cifar10"} & set(loaded)
