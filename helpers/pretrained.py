"""The networks that the assignments start from.

Those of both profiles ship in this package. ``python -m helpers.pretrained FOLDER`` trains that of
`quick` again, by the recipe below, in seven minutes on a CPU; that of `full` is the first network
of the course's reference runs.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from helpers.artifacts import read_weights, train_or_load, write_weights
from helpers.data import Dataset, load
from helpers.models import ResNet20, resnet20
from helpers.training import History, fit, seed_everything

__all__ = ["RECIPES", "pretrained_resnet20", "shipped_file", "starting_weights"]

SHIPPED = Path(__file__).with_suffix("")  # the folder beside this file that has its name
PROFILE_OF = {"digits": "quick", "cifar10": "full"}
SEED = 0

# Settings of `fit`. The digits take few steps, and the large weight decay makes the network forget
# its random initial weights in these few steps. In a network that keeps them, all layers are alike,
# and new statistics of batch norm repair nearly all the damage that rounding does.
RECIPES: dict[str, dict[str, Any]] = {
    # In float32, for the network that ships to be made again on any processor.
    "digits": {
        "epochs": 50,
        "lr": 0.05,
        "weight_decay": 2e-3,
        "schedule": "cosine",
        "precision": "float32",
    },
    "cifar10": {"epochs": 100, "lr": 0.1, "weight_decay": 5e-4, "schedule": "cosine"},
}


def starting_weights(profile: str) -> dict[str, Tensor] | None:
    """Return the state dict of the ResNet-20 that ships for `profile`, or None if none does."""
    path = shipped_file(profile)
    return read_weights(path) if path.exists() else None


def shipped_file(profile: str) -> Path:
    """Return the file in which the ResNet-20 of `profile` ships, if it does."""
    return SHIPPED / f"resnet20_{profile}.safetensors"


def pretrained_resnet20(dataset: Dataset) -> ResNet20:
    """Return a ResNet-20 (270,896 weights) that is trained on `dataset`.

    Where none ships with the course, it is trained here, and kept beside the notebook as the
    artifact ``resnet20``.

    Parameters
    ----------
    dataset
        ``digits`` or ``cifar10``.

    Returns
    -------
    ResNet20
        In evaluation mode, on the device of `dataset`.
    """
    seed_everything(SEED)
    model = resnet20()
    weights = starting_weights(PROFILE_OF[dataset.name])
    if weights is not None:
        model.load_state_dict(weights)
    else:

        def train(model: nn.Module, checkpoint: Path) -> History:
            return fit(model, dataset, seed=SEED, checkpoint=checkpoint, **RECIPES[dataset.name])

        train_or_load("resnet20", train, model)
    return model.to(dataset.device).eval()


def make(dataset: Dataset, folder: Path) -> Path:
    """Train the network of `dataset` by its recipe and write it as it ships; return the file."""
    seed_everything(SEED)
    model = resnet20()
    history = fit(model, dataset, seed=SEED, **RECIPES[dataset.name])
    path = folder / f"resnet20_{PROFILE_OF[dataset.name]}.safetensors"
    about = {
        "model": "resnet20()",
        "data": dataset.name,
        "recipe": RECIPES[dataset.name],
        "seed": SEED,
        "test_accuracy": history.test_accuracy[-1],
        "torch": torch.__version__,
        "device": str(dataset.device),
        "threads": torch.get_num_threads(),
    }
    write_weights(path, model.state_dict(), about)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m helpers.pretrained FOLDER")
    # The order of a sum depends on the number of threads, and the last bits of the weights on it.
    torch.set_num_threads(1)
    print(make(load("digits", device="cpu"), Path(sys.argv[1])))
