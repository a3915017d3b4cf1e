"""Recorded steps on a GPU, in a single training and in several trainings side by side."""

import math
import threading
from dataclasses import replace

import pytest
import torch
from course_trainings import KINDS, distance, small_model
from torch import nn

from helpers import data
from helpers.data import Split
from helpers.training import PRECISIONS, fit
from helpers.turns import Turns

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

DEVICE = "cuda"
EPOCHS = 3
BATCH_SIZE = 32
STEPS = 30  # per epoch
# In each step a sum may be rounded differently, because the order of its terms is free.
FREE = EPOCHS * STEPS * 2**-20


def part_of(name):
    whole = data.load(name, device=DEVICE)
    count = STEPS * BATCH_SIZE
    return replace(whole, train=Split(whole.train.images[:count], whole.train.labels[:count]))


@pytest.fixture(scope="module")
def digits():
    return part_of("digits")


@pytest.fixture(scope="module")
def dark_digits():
    """Digits of which a small network makes something within a few epochs."""
    return part_of("dark_digits")


def trained(model, dataset, **options):
    settings = {"epochs": EPOCHS, "lr": 0.01, "batch_size": BATCH_SIZE, "precision": "float32"}
    return fit(model, dataset, progress=False, **(settings | options))


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
    # At worst, the noise makes two networks of the same quality, each with its own mistakes. The
    # difference of two such shares has a standard deviation of at most sqrt(1 / (2 n)).
    within = 3 * math.sqrt(1 / (2 * len(digits.test)))
    assert history.test_accuracy[-1] == pytest.approx(expected.test_accuracy[-1], abs=within)


def test_the_steps_of_adamw_are_recorded_too(digits, capsys):
    def train(**options):
        return trained(small_model(), digits, lr=0.001, optimizer="adamw", **options)

    recorded = train()
    assert "cannot repeat" not in capsys.readouterr().out
    assert recorded.train_loss == pytest.approx(train(cuda_graph=False).train_loss, rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_a_recorded_epoch_makes_the_program_wait(kind, digits):
    model, hooks = KINDS[kind](digits)
    after_step = hooks.get("after_step", lambda model: None)

    def watch(model):
        after_step(model)
        torch.cuda.set_sync_debug_mode("error")

    watched = hooks | {"after_step": watch}
    if "before_epoch" in hooks:
        # Between two epochs a hook may wait, as for a percentile that NumPy computes.
        def unwatched(model, epoch):
            mode = torch.cuda.get_sync_debug_mode()
            torch.cuda.set_sync_debug_mode("default")
            hooks["before_epoch"](model, epoch)
            torch.cuda.set_sync_debug_mode(mode)

        watched["before_epoch"] = unwatched
    try:
        trained(model, digits, **watched)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_recorded_training_learns_in_every_precision(precision, dark_digits, capsys):
    history = trained(small_model(), dark_digits, precision=precision, lr=0.05, epochs=8)
    assert history.train_loss[-1] < 0.7 * history.train_loss[0]
    assert "cannot repeat" not in capsys.readouterr().out


class ReadsBack(nn.Module):
    def forward(self, x):
        return x + min(0.0, x.max().item())


@pytest.mark.parametrize("changing", [False, True])
def test_a_layer_that_reads_a_number_back_is_trained_plainly_and_reported_once(
    changing, digits, capsys
):
    hooks = {"before_epoch": lambda model, epoch: None} if changing else {}
    model, expected, again = (small_model(ReadsBack()) for _ in range(3))
    trained(model, digits, **hooks)
    assert capsys.readouterr().out.count("cannot repeat the steps") == 1
    for plain in (expected, again):
        trained(plain, digits, cuda_graph=False, **hooks)
    assert distance(model, expected) <= 4 * distance(again, expected) + FREE


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
    for seed in range(len(kinds)):
        noise = distance(alone[seed], again[seed])
        assert distance(together[seed], alone[seed]) <= 4 * noise + FREE


def test_one_training_after_the_other_uses_the_same_memory(digits):
    reserved = []
    for _ in range(6):
        trained(small_model(), digits)
        reserved.append(torch.cuda.memory_reserved())
    assert reserved[-1] == reserved[2]
