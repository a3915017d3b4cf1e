"""Fine-tuning, as most experiments do it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torch import nn

from autograder.runs.experiment import Build, Train
from helpers.data import Dataset
from helpers.reference import masks
from helpers.training import History, fit

LR = 0.01


def fine_tuned(untrained: Build, epochs: int) -> Train:
    """Fine-tune; what is zero at the start stays zero."""

    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model = untrained(dataset)
        kept = {layer: w != 0 for layer, w in masks.layer_weights(model).items()}
        history = fit(
            model,
            dataset,
            epochs=epochs,
            lr=LR,
            seed=seed,
            checkpoint=checkpoint,
            after_step=partial(masks.apply_masks, masks=kept),
        )
        return model, history

    return train
