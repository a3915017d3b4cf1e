"""The usual recipe beside ours trains the same network on the same data."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from autograder.bench import training
from helpers import data
from helpers.data import Split
from helpers.training import evaluate


@pytest.mark.slow
def test_the_usual_recipe_learns():
    digits = data.load("digits")
    small = replace(
        digits,
        train=Split(digits.train.images[:512], digits.train.labels[:512]),
        test=Split(digits.test.images[:100], digits.test.labels[:100]),
    )
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
    before = evaluate(model, small)
    seconds = training._usual_recipe(model, small, epochs=3, workers=0)
    assert len(seconds) == 3
    assert evaluate(model, small) > before + 0.2


def test_a_picture_is_the_image_as_floats():
    digits = data.load("digits")
    pictures = training._Pictures(digits.train, training.transforms.ToTensor())
    image, label = pictures[3]
    assert torch.equal((255 * image).round().to(torch.uint8), digits.train.images[3])
    assert label == int(digits.train.labels[3])
