"""The data sets of the course, by name and on the training device."""

import torch

from helpers.cifar10 import load_cifar10
from helpers.dataset import Dataset, Split
from helpers.device import default_device
from helpers.digits import load_digits
from helpers.images import ImageDataset
from helpers.profile import profile

__all__ = ["STANDARD", "Dataset", "ImageDataset", "Split", "load"]

STANDARD = {"quick": "digits", "full": "cifar10"}
"""The data set of each profile, unless an assignment says otherwise."""


def load(name: str | None = None, device: torch.device | str | None = None) -> ImageDataset:
    """Load a data set.

    Parameters
    ----------
    name
        ``"digits"`` (10,240 training and 2,000 test images of 16x16 pixels, nothing to download),
        ``"dark_digits"`` (the same, but easier to learn; see `helpers.digits`) or ``"cifar10"``
        (50,000 and 10,000 of 32x32; see `helpers.cifar10` for where they come from). None takes
        the one of the current profile in `STANDARD`.
    device
        Where the examples will live. None takes the fastest device here.

    Returns
    -------
    ImageDataset

    Raises
    ------
    ValueError
        If there is no data set of that name.
    helpers.cifar10.DataMissing
        If CIFAR-10 is neither cached nor to be had.
    """
    name = name or STANDARD[profile()]
    if name == "digits":
        dataset = load_digits()
    elif name == "dark_digits":
        dataset = load_digits(ink="dark")
    elif name == "cifar10":
        dataset = load_cifar10()
    else:
        raise ValueError(
            f"There is no data set {name!r}: load 'digits', 'dark_digits' or 'cifar10'."
        )
    return dataset.to(device or default_device())
