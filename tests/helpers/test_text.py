"""Texts as data sets: windows, shifts, files, and everything that trains and measures on them."""

import hashlib

import pytest
import torch
from torch import nn

from helpers import cifar10, data, text
from helpers.artifacts import train_or_load
from helpers.measurements import MEASUREMENTS, measure
from helpers.text import load_tinyshakespeare, text_dataset
from helpers.training import evaluate, fit
from helpers.training_loss import training_loss

LENGTH = 8
RHYME = "a sailor went to sea sea sea to see what he could see see see. " * 12


@pytest.fixture
def rhyme():
    return text_dataset("rhyme", RHYME, LENGTH)


class Bigrams(nn.Module):
    """Scores that depend on the last character alone."""

    def __init__(self, vocabulary, dropout=0.1):
        super().__init__()
        self.table = nn.Embedding(vocabulary, vocabulary)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens):
        return self.dropout(self.table(tokens))


def bigrams(dataset):
    torch.manual_seed(0)
    return Bigrams(len(dataset.alphabet))


# ------------------------------------------------------------------------------------------------
# Windows


def test_the_target_of_a_character_is_the_next_one(rhyme):
    for split in (rhyme.train, rhyme.test):
        assert torch.equal(split.inputs.flatten()[1:], split.targets.flatten()[:-1])


def test_the_windows_follow_one_another_and_the_test_is_the_last_tenth(rhyme):
    border = len(RHYME) - round(len(RHYME) / 10)
    assert RHYME[:border].startswith(rhyme.decode(rhyme.train.inputs.flatten()))
    assert RHYME[border:].startswith(rhyme.decode(rhyme.test.inputs.flatten()))
    assert rhyme.decode(rhyme.text) == RHYME[:border]


def test_encoding_and_decoding_are_inverse_and_know_their_alphabet(rhyme):
    assert rhyme.decode(rhyme.encode("see a sailor.")) == "see a sailor."
    with pytest.raises(ValueError, match="The alphabet has no 'Z'"):
        rhyme.encode("Zoo")


def test_training_windows_are_shifted_pieces_of_the_training_text(rhyme):
    generator = torch.Generator().manual_seed(1)
    training, shifts = rhyme.decode(rhyme.text), set()
    for _ in range(5):
        plan = rhyme.draw_epoch(10, generator)
        shifts |= set(plan[:, 1].flatten().tolist())
        for row in plan:
            inputs, targets = rhyme.planned_batch(row)
            assert inputs.shape == targets.shape == (10, LENGTH)
            assert torch.equal(inputs[:, 1:], targets[:, :-1])
            assert all(rhyme.decode(window) in training for window in inputs)
    assert shifts == set(range(LENGTH))


def test_the_last_window_can_be_shifted_as_far_as_any(rhyme):
    last = torch.tensor([[len(rhyme.train) - 1], [LENGTH - 1]])
    inputs, targets = rhyme.planned_batch(last)
    assert inputs.shape == targets.shape == (1, LENGTH)


# ------------------------------------------------------------------------------------------------
# Training and measuring


def test_a_model_learns_and_its_accuracy_is_that_of_the_characters(rhyme):
    model = bigrams(rhyme)
    history = fit(model, rhyme, epochs=8, lr=1.0, batch_size=8, progress=False)
    assert history.train_loss[-1] < history.train_loss[0] / 2
    right = model.eval()(rhyme.test.inputs).argmax(-1) == rhyme.test.targets
    assert evaluate(model, rhyme) == right.double().mean().item() == history.test_accuracy[-1]
    assert training_loss(model, rhyme) < 1.5


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_an_interrupted_training_ends_bit_for_bit_as_if_it_had_not_been(rhyme, tmp_path, optimizer):
    settings = {"epochs": 4, "lr": 0.1, "batch_size": 8, "progress": False, "optimizer": optimizer}
    whole = bigrams(rhyme)
    history = fit(whole, rhyme, **settings)

    def stop(model, epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(bigrams(rhyme), rhyme, checkpoint=checkpoint, before_epoch=stop, **settings)
    resumed = bigrams(rhyme)
    again = fit(resumed, rhyme, checkpoint=checkpoint, **settings)
    assert torch.equal(resumed.table.weight, whole.table.weight)
    assert again.train_loss == history.train_loss


def test_adamw_is_that_of_torch(rhyme):
    model, own = bigrams(rhyme), bigrams(rhyme)
    model.dropout.p = own.dropout.p = 0.0
    recipe = {"lr": 0.01, "momentum": 0.8, "weight_decay": 0.1, "schedule": "constant"}
    fit(model, rhyme, epochs=1, batch_size=8, progress=False, optimizer="adamw", **recipe)
    optimizer = torch.optim.AdamW(own.parameters(), 0.01, betas=(0.8, 0.99), weight_decay=0.1)
    for inputs, targets in rhyme.training_batches(8, torch.Generator().manual_seed(0)):
        optimizer.zero_grad()
        nn.functional.cross_entropy(own(inputs).flatten(0, 1), targets.flatten()).backward()
        optimizer.step()
    torch.testing.assert_close(model.table.weight, own.table.weight)


def test_an_unknown_optimizer_is_refused(rhyme):
    with pytest.raises(ValueError, match="must be 'sgd' or 'adamw'"):
        fit(bigrams(rhyme), rhyme, epochs=1, batch_size=8, optimizer="magic")


def test_a_model_is_saved_measured_and_recognised(rhyme, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def train(model, checkpoint):
        return fit(model, rhyme, epochs=2, lr=1.0, batch_size=8, checkpoint=checkpoint)

    model = bigrams(rhyme)
    history = train_or_load("rhymes", train, model)
    loaded = bigrams(rhyme)
    assert train_or_load("rhymes", train, loaded).train_loss == history.train_loss
    accuracy = measure(model, rhyme)
    assert accuracy == history.test_accuracy[-1]
    (file,) = tmp_path.rglob(MEASUREMENTS)
    written = file.read_text()
    assert measure(loaded, rhyme) == accuracy
    assert file.read_text() == written


# ------------------------------------------------------------------------------------------------
# Files


def test_alice_is_the_text_that_it_was():
    content = text.ALICE.read_bytes()
    assert (
        hashlib.sha256(content).hexdigest()
        == "3872397ee4ca622c376fb874695cbc4b4c67fb6aace8bcbb7d955d31bbab96ac"
    )
    assert len(content) <= 200_000


def test_alice_is_the_author_s_text_alone():
    content = text.ALICE.read_text(encoding="ascii")
    assert content.startswith("CHAPTER I. Down the Rabbit-Hole\n\nAlice was beginning to get")
    assert content.endswith("remembering her own child-life, and the happy summer days.\n")
    assert content.count("CHAPTER ") == 12
    for word in ("gutenberg", "copyright", "license", "ebook", "http"):
        assert word not in content.lower()


def test_alice_is_loaded_by_name():
    dataset = data.load("alice", device="cpu")
    assert dataset.name == "alice"
    assert (dataset.length, len(dataset.alphabet)) == (64, 65)
    assert dataset.targets_per_example == 64


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    return tmp_path


def digest(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_tiny_shakespeare_comes_from_a_mirror_and_is_kept(folder, monkeypatch):
    content = (RHYME * 6).encode()
    (folder / "mirror").mkdir()
    (folder / "mirror" / "tinyshakespeare.txt").write_bytes(content)
    monkeypatch.setenv("COURSE_MIRROR", (folder / "mirror").as_uri())
    dataset = load_tinyshakespeare(md5=digest(content))
    assert dataset.length == 128
    (folder / "mirror" / "tinyshakespeare.txt").unlink()
    assert torch.equal(load_tinyshakespeare(md5=digest(content)).text, dataset.text)


def test_a_file_of_another_text_is_refused(folder):
    (folder / "data").mkdir()
    (folder / "data" / "tinyshakespeare.txt").write_text(RHYME)
    with pytest.raises(cifar10.DataMissing, match="damaged or not tiny Shakespeare"):
        load_tinyshakespeare()


def test_a_missing_file_is_explained(folder, monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", (folder / "nowhere").as_uri())
    with pytest.raises(cifar10.DataMissing, match=r"put tinyshakespeare\.txt into a folder"):
        load_tinyshakespeare()
