"""The data sets of the course, by name and on the training device."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from helpers.cifar10 import load_cifar10
from helpers.dataset import Dataset, Split
from helpers.device import default_device
from helpers.digits import load_digits
from helpers.images import ImageDataset
from helpers.profile import profile
from helpers.text import TextDataset, load_alice, load_tinyshakespeare

__all__ = ["STANDARD", "Dataset", "ImageDataset", "Split", "TextDataset", "load"]

STANDARD = {"quick": "digits", "full": "cifar10"}
"""The data set of each profile, unless an assignment says otherwise."""


_LOADERS: dict[str, Callable[[], Dataset]] = {
    "digits": load_digits,
    "dark_digits": partial(load_digits, ink="dark"),
    "cifar10": load_cifar10,
    "alice": load_alice,
    "tinyshakespeare": load_tinyshakespeare,
}


def load(name: str | None = None, device: torch.device | str | None = None) -> Any:
    """Load a data set.

    Parameters
    ----------
    name
        ``"digits"`` (10,240 training and 2,000 test images of 16x16 pixels, nothing to download),
        ``"dark_digits"`` (the same, but easier to learn; see `helpers.digits`), ``"cifar10"``
        (50,000 and 10,000 of 32x32; see `helpers.cifar10` for where they come from), ``"alice"``
        or ``"tinyshakespeare"`` (texts; see `helpers.text`). None takes the one of the current
        profile in `STANDARD`.
    device
        Where the examples will live. None takes the fastest device here.

    Returns
    -------
    ImageDataset or TextDataset

    Raises
    ------
    ValueError
        If there is no data set of that name.
    helpers.data_folder.DataMissing
        If CIFAR-10 or tiny Shakespeare is neither cached nor to be had.
    """
    name = name or STANDARD[profile()]
    if name not in _LOADERS:
        names = [repr(known) for known in _LOADERS]
        raise ValueError(
            f"There is no data set {name!r}: load {', '.join(names[:-1])} or {names[-1]}."
        )
    return _LOADERS[name]().to(device or default_device())
