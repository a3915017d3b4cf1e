"""Recorded steps on a GPU, in a single training and in several trainings side by side."""

import threading
from dataclasses import replace

import pytest
import torch
from course_trainings import KINDS, distance
from torch import nn

from helpers import data
from helpers.data import Split
from helpers.training import PRECISIONS, fit, seed_everything
from helpers.turns import Turns

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

DEVICE = "cuda"
EPOCHS = 3
BATCH_SIZE = 32
STEPS = 30  # per epoch


@pytest.fixture(scope="module")
def digits():
    whole = data.load("digits", device=DEVICE)
    count = STEPS * BATCH_SIZE
    return replace(whole, train=Split(whole.train.images[:count], whole.train.labels[:count]))


def trained(model, dataset, **options):
    settings = {"epochs": EPOCHS, "lr": 0.01, "batch_size": BATCH_SIZE, "precision": "float32"}
    return fit(model, dataset, progress=False, **(settings | options))


def small_model(*more):
    seed_everything(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=4),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        *more,
        nn.Linear(256, 10),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_training_equals_a_plain_one_up_to_rounding(kind, digits, capsys):
    def train(lr=0.01, **options):
        model, hooks = KINDS[kind](digits)
        return model, trained(model, digits, lr=lr, **hooks, **options)

    recorded, history = train()
    assert "cannot repeat" not in capsys.readouterr().out
    plain, expected = train(cuda_graph=False)
    # A GPU adds in another order each time, and the learning rate is rounded to float32. Two
    # differences are too few to measure this noise exactly: hence the factor of 4 below.
    again, _ = train(cuda_graph=False)
    off, _ = train(0.01 * (1 + 2**-23), cuda_graph=False)
    noise = max(distance(again, plain), distance(off, plain))
    assert distance(recorded, plain) <= 4 * noise
    assert history.learning_rate == expected.learning_rate
    assert history.test_accuracy[-1] == pytest.approx(expected.test_accuracy[-1], abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_a_recorded_training_makes_the_program_wait(kind, digits):
    model, hooks = KINDS[kind](digits)
    inner = hooks.get("after_step", lambda model: None)

    def watch(model):
        inner(model)
        torch.cuda.set_sync_debug_mode("error")

    try:
        trained(model, digits, **(hooks | {"after_step": watch}))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_recorded_training_learns_in_every_precision(precision, digits, capsys):
    history = trained(small_model(), digits, precision=precision, lr=0.05, epochs=8)
    assert history.train_loss[-1] < history.train_loss[0] / 2
    assert "cannot repeat" not in capsys.readouterr().out


class ReadsBack(nn.Module):
    def forward(self, x):
        return x + min(0.0, x.max().item())


@pytest.mark.parametrize("changing", [False, True])
def test_a_layer_that_reads_a_number_back_is_trained_plainly_and_reported_once(
    changing, digits, capsys
):
    hooks = {"before_epoch": lambda model, epoch: None} if changing else {}
    model, expected = small_model(ReadsBack()), small_model(ReadsBack())
    trained(model, digits, **hooks)
    assert capsys.readouterr().out.count("cannot repeat the steps") == 1
    trained(expected, digits, cuda_graph=False, **hooks)
    largest = max(w.abs().max().item() for w in expected.parameters())
    assert distance(model, expected) <= EPOCHS * STEPS * 2**-20 * max(largest, 1)


class Draws(nn.Module):
    """Stores a random number of each step."""

    def __init__(self):
        super().__init__()
        self.register_buffer("drawn", torch.zeros(EPOCHS * STEPS))
        self.register_buffer("steps", torch.zeros(1, dtype=torch.int64))

    def forward(self, x):
        if self.training:
            self.drawn.index_copy_(0, self.steps, torch.rand(1, device=x.device))
            self.steps += 1
        return x


def test_every_repeated_step_draws_other_numbers(digits):
    model = small_model(Draws())
    trained(model, digits)
    assert len(model[4].drawn.unique()) == EPOCHS * STEPS


def test_trainings_side_by_side_give_the_same_as_each_alone(digits):
    kinds = ("plain", "pruned", "pruned step by step", "plain")

    def train(kind, seed, found):
        model, hooks = KINDS[kind](digits)
        trained(model, digits, seed=seed, **hooks)
        found[seed] = model

    alone, again, together = {}, {}, {}
    for found in (alone, again):
        for seed, kind in enumerate(kinds):
            train(kind, seed, found)
    turns = Turns()

    def take_turns(kind, seed):
        with turns.taken():
            train(kind, seed, together)

    threads = [threading.Thread(target=take_turns, args=(k, seed)) for seed, k in enumerate(kinds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # In each step a sum may be rounded differently, because the order of its terms is free.
    free = EPOCHS * STEPS * 2**-20
    for seed in range(len(kinds)):
        noise = distance(alone[seed], again[seed])
        assert distance(together[seed], alone[seed]) <= 4 * noise + free


def test_one_training_after_the_other_uses_the_same_memory(digits):
    reserved = []
    for _ in range(6):
        trained(small_model(), digits)
        reserved.append(torch.cuda.memory_reserved())
    assert reserved[-1] == reserved[2]
