"""The baseline: the ConvNet, trained from scratch with a learning rate that falls in steps."""

import json
from pathlib import Path

from torch import nn

from helpers.artifacts import read_weights, train_or_load
from helpers.dataset import Dataset
from helpers.history import History
from helpers.models import ConvNet, convnet
from helpers.profile import pick, profile
from helpers.training import fit, seed_everything

__all__ = ["NAME", "shipped_files", "trained_convnet"]

NAME = "convnet_multistep"
"""The artifact in the assignment on learning rates, in which the network is trained."""
SEED = 0


def shipped_files(profile: str) -> tuple[Path, Path]:
    """Return the files in which the network of a profile and its history ship, if they do."""
    weights = Path(__file__).with_name(f"convnet_{profile}.safetensors")
    return weights, weights.with_suffix(".json")


def trained_convnet(dataset: Dataset) -> tuple[ConvNet, History]:
    """Return the trained ConvNet and the history of its training.

    If the course has no such network for the profile yet, this function trains it and saves it
    beside the notebook, as the artifact ``convnet_multistep``.

    Parameters
    ----------
    dataset
        The data set of the profile: ``dark_digits`` or ``cifar10``.

    Returns
    -------
    model
        In evaluation mode, on the device of the data set.
    history
        The figures of its training, epoch by epoch.
    """
    seed_everything(SEED)
    model = convnet()
    weights, history_file = shipped_files(profile())
    if weights.exists() and history_file.exists():
        model.load_state_dict(read_weights(weights))
        history = History.from_dict(json.loads(history_file.read_text(encoding="utf-8")))
    else:

        def train(model: nn.Module, checkpoint: Path) -> History:
            return fit(
                model,
                dataset,
                epochs=pick(quick=20, full=100),
                lr=0.1,
                schedule="multistep",
                seed=SEED,
                checkpoint=checkpoint,
            )

        history = train_or_load(NAME, train, model)
    return model.to(dataset.device).eval(), history
