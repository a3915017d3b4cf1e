"""The usual recipe, with which ours is compared, trains the same network on the same data."""

import os
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torchvision import transforms

from autograder.bench import training
from helpers import data
from helpers.data import Split
from helpers.training import evaluate


@pytest.mark.slow
def test_the_usual_recipe_learns():
    # Every class has a colour of its own, which a linear model learns soon.
    generator = torch.Generator().manual_seed(0)
    colours = torch.randint(0, 256, (10, 3, 1, 1), generator=generator)
    labels = torch.arange(512) % 10
    noise = torch.randint(-20, 21, (512, 3, 16, 16), generator=generator)
    split = Split((colours[labels] + noise).clamp(0, 255).to(torch.uint8), labels)
    small = replace(data.load("digits"), train=split, test=split)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10))
    before = evaluate(model, small)
    seconds = training._usual_recipe(model, small, epochs=3, workers=0)
    assert len(seconds) == 3
    assert evaluate(model, small) > before + 0.2


def test_a_picture_is_the_image_as_floats():
    digits = data.load("digits")
    transform = transforms.Compose([transforms.ToPILImage(), transforms.ToTensor()])
    pictures = training._Pictures(digits.train, transform)
    image, label = pictures[3]
    assert torch.equal((255 * image).round().to(torch.uint8), digits.train.images[3])
    assert label == int(digits.train.labels[3])


def measured_by(monkeypatch, run, limit=60.0):
    """Return the measurements of a recipe whose process calls `run(sender, recipe)`."""
    monkeypatch.setattr(training, "_send", run)
    return training._measured("ours", limit)


def never_ends(sender, recipe):
    while True:
        time.sleep(1)


def ends_at_once(sender, recipe):
    os._exit(3)


@pytest.mark.slow
def test_a_recipe_that_takes_too_long_is_stopped(monkeypatch):
    assert measured_by(monkeypatch, never_ends, limit=1.0) == {"stopped_after_seconds": 1.0}


@pytest.mark.slow
@pytest.mark.thorough
def test_a_recipe_whose_process_dies_is_reported(monkeypatch):
    assert measured_by(monkeypatch, ends_at_once) == {"failed": "its process ended with 3"}


def test_a_recipe_that_fails_is_reported(monkeypatch):
    def fail(recipe):
        raise RuntimeError("no such device")

    sent = []
    monkeypatch.setattr(training, "_run", fail)
    training._send(SimpleNamespace(send=sent.append), "ours")
    assert sent == [{"failed": "RuntimeError: no such device"}]


def test_a_stopped_recipe_has_no_ratio_and_figures_are_yielded_one_by_one(monkeypatch):
    speeds = {"ours": 300.0, "usual_2_workers": 100.0}

    def measured(recipe, limit):
        if recipe in speeds:
            return {"images_per_second": speeds[recipe]}
        return {"stopped_after_seconds": limit}

    monkeypatch.setattr(training, "_measured", measured)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    *_, figures = found = list(training.training(limit=5.0))
    assert [len(f.keys() & {*speeds, "usual_16_workers"}) for f in found] == [1, 2, 3]
    assert figures["times_faster_than_usual_2_workers"] == 3.0
    assert figures["usual_16_workers"] == {"stopped_after_seconds": 5.0}
    assert "times_faster_than_usual_16_workers" not in figures
