"""The loss on training images, by which the training of a network's weights shows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.dataset import Dataset

EXAMPLES = 2000
"""How many training examples are looked at, or all if there are fewer. With 2,000 of CIFAR-10 a
CPU takes a few seconds, and all networks are compared on the same ones."""
BATCH_SIZE = 128


@torch.inference_mode()
def training_loss(model: nn.Module, dataset: Dataset) -> float:
    """Return the mean cross-entropy on the first training examples, without augmentation.

    Training lowers this figure, whatever else it does. It tells networks apart whose accuracies
    are too close to each other: a network of which only the batch norm was adapted can classify
    nearly as many images right, but it is less sure of them.

    Parameters
    ----------
    model
        Maps inputs to scores. It moves to the device of the data set, is evaluated in evaluation
        mode, and is then in the mode it was in.
    dataset
        Its first `EXAMPLES` training examples are used.

    Returns
    -------
    float
        In nats.
    """
    was_training = model.training
    model.to(dataset.device).eval()
    total, count = 0.0, 0
    try:
        for inputs, targets in dataset.batches("train", BATCH_SIZE, EXAMPLES):
            scores = model(inputs).flatten(0, -2).double()
            total += float(F.cross_entropy(scores, targets.flatten(), reduction="sum"))
            count += targets.numel()
    finally:
        model.train(was_training)
    return total / count
