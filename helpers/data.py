"""The two data sets of the course, as uint8 tensors on the training device.

Images stay uint8 until a batch is used: a whole data set then fits on any GPU, and cropping,
flipping and normalising a batch are a few tensor operations on the device itself.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from helpers.device import default_device
from helpers.profile import pick

__all__ = [
    "Dataset",
    "Split",
    "augment",
    "batches",
    "draw_epoch",
    "load",
    "normalize",
    "planned_batch",
    "sort_by_digest",
    "training_batches",
]


@dataclass(frozen=True)
class Split:
    """Images with their labels.

    Attributes
    ----------
    images
        (N, 3, 32, 32), uint8.
    labels
        (N,), int64, from 0 to 9.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> "Split":
        """Return the same split on another device."""
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Dataset:
    """A training and a test split, and what is needed to feed them to a network.

    Attributes
    ----------
    name
        ``"digits"`` or ``"cifar10"``.
    train, test
        The two splits.
    mean, std
        (3,), float32: mean and standard deviation of each channel of the training images, which
        are scaled to [0, 1] for this.
    flip
        Whether a mirrored image is an image of the same class.
    pad
        Pixels by which a random crop may move an image in each direction.
    """

    name: str
    train: Split
    test: Split
    mean: Tensor
    std: Tensor
    flip: bool
    pad: int

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self.train.images.device

    def to(self, device: torch.device | str) -> "Dataset":
        """Return the same data set on another device."""
        return replace(
            self,
            train=self.train.to(device),
            test=self.test.to(device),
            mean=self.mean.to(device),
            std=self.std.to(device),
        )


def load(name: str | None = None, device: torch.device | str | None = None) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    name
        ``"digits"`` (1,438 training and 359 test images, nothing to download) or ``"cifar10"``
        (50,000 and 10,000; see `helpers.cifar10` for where they come from). None takes the one of
        the current profile.
    device
        Where the images will live. None takes the fastest device here.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If there is no data set of that name.
    helpers.cifar10.DataMissing
        If CIFAR-10 is neither cached nor to be had.
    """
    name = name or pick(quick="digits", full="cifar10")
    if name == "digits":
        dataset = _digits()
    elif name == "cifar10":
        dataset = _cifar10()
    else:
        raise ValueError(f"There is no data set {name!r}: load 'digits' or 'cifar10'.")
    return dataset.to(device or default_device())


# ------------------------------------------------------------------------------------------------
# Batches


def batches(split: Split, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (images, labels) batch by batch, in order; the last batch may be smaller."""
    return zip(split.images.split(batch_size), split.labels.split(batch_size), strict=True)


def training_batches(
    dataset: Dataset, batch_size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield one epoch of shuffled, augmented training images with their labels.

    Everything random is drawn at the start of the epoch, on the CPU, and goes to the device in one
    copy: nothing later makes a GPU and the program that feeds it wait for each other.

    Parameters
    ----------
    dataset
        Its training images come in random order, augmented as its `pad` and `flip` say.
    batch_size
        Images per batch; a last smaller batch is left out.
    generator
        A CPU generator: the same seed then draws the same batches on every device.

    Yields
    ------
    images
        (`batch_size`, 3, 32, 32), uint8, on the device of the data set.
    labels
        (`batch_size`,), int64, likewise.
    """
    plan = draw_epoch(dataset, batch_size, generator)
    for row in plan.to(dataset.device, non_blocking=plan.is_pinned()):
        yield planned_batch(dataset, row)


def draw_epoch(dataset: Dataset, batch_size: int, generator: torch.Generator) -> Tensor:
    """Draw everything random about an epoch of training.

    Parameters
    ----------
    dataset, batch_size, generator
        As for `training_batches`.

    Returns
    -------
    Tensor
        (steps, 4, `batch_size`), int64, on the CPU; for a data set on a GPU in pinned memory, from
        which a copy is one that the program need not wait for. For each step: which images, their
        offsets down and to the right, and whether to mirror them (1) or not (0).
    """
    train = dataset.train
    steps = len(train) // batch_size

    def draw(high: int) -> Tensor:
        return torch.randint(high, (batch_size,), generator=generator)

    cuda = dataset.device.type == "cuda"
    plan = torch.zeros(steps, 4, batch_size, dtype=torch.int64, pin_memory=cuda)
    order = torch.randperm(len(train), generator=generator)
    plan[:, 0] = order[: steps * batch_size].view(steps, batch_size)
    for step in plan:
        step[1] = draw(2 * dataset.pad + 1)
        step[2] = draw(2 * dataset.pad + 1)
        if dataset.flip:
            step[3] = draw(2)
    return plan


def planned_batch(dataset: Dataset, row: Tensor) -> tuple[Tensor, Tensor]:
    """Return the augmented images and the labels of one step.

    Parameters
    ----------
    dataset
    row
        (4, batch size), int64, on the device of the data set: a row of `draw_epoch`.
    """
    indices, top, left, mirrored = row
    images = augment(dataset.train.images[indices], dataset.pad, top, left, mirrored)
    return images, dataset.train.labels[indices]


def augment(images: Tensor, pad: int, top: Tensor, left: Tensor, mirrored: Tensor) -> Tensor:
    """Frame images in black, crop each to its old size, and mirror some of them.

    This is the usual augmentation for CIFAR-10 when offsets and mirroring are drawn at random.

    Parameters
    ----------
    images
        (N, C, H, W), any dtype.
    pad
        Width of the black (0) frame in pixels.
    top, left
        (N,), int64, from 0 to 2 * `pad`: where in the framed image the crop begins. At `pad` an
        image stays where it is.
    mirrored
        (N,), 1 for a crop to be mirrored left to right, 0 for the others.

    Returns
    -------
    Tensor
        (N, C, H, W), same dtype and device.
    """
    count, channels, height, width = images.shape
    device = images.device
    # Row i of the crop of image n comes from row rows[n, i] of the framed image; columns alike.
    rows = top[:, None] + torch.arange(height, device=device)
    columns = torch.arange(width, device=device)
    columns = left[:, None] + torch.where(mirrored[:, None] == 1, columns.flip(0), columns)
    framed = F.pad(images, (pad, pad, pad, pad))
    n = torch.arange(count, device=device)[:, None, None, None]
    c = torch.arange(channels, device=device)[None, :, None, None]
    return framed[n, c, rows[:, None, :, None], columns[:, None, None, :]]


def normalize(images: Tensor, dataset: Dataset) -> Tensor:
    """Turn uint8 images (N, 3, H, W) into float32 ones with about zero mean and unit variance.

    The mean and standard deviation are the data set's, one per channel.
    """
    mean = dataset.mean.to(images.device)[:, None, None]
    std = dataset.std.to(images.device)[:, None, None]
    if images.device.type in ("cpu", "cuda"):
        # Convolutions on a CPU take a third less time when a pixel's channels lie together, and a
        # GPU's tensor cores need no copies then. Layers follow the format of the images; weights
        # stay as they are, so that code that calls .view on a weight works.
        images = images.contiguous(memory_format=torch.channels_last)
    return (images.float() / 255 - mean) / std


# ------------------------------------------------------------------------------------------------
# Where the images come from


def sort_by_digest(images: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the order of the images by the SHA-256 of their bytes.

    The order depends on the images alone: whatever copy of a data set one starts from, one ends
    at the same arrays.

    Parameters
    ----------
    images
        (N, ...), uint8.

    Returns
    -------
    ndarray
        (N,), indices.
    """
    digests = [hashlib.sha256(image.tobytes()).digest() for image in images]
    return np.array(sorted(range(len(images)), key=digests.__getitem__), dtype=np.intp)


def _tensor_split(images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Split:
    """Turn images (N, 32, 32, 3) and labels (N,) into a split."""
    channels_first = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return Split(torch.from_numpy(channels_first), torch.from_numpy(labels.astype(np.int64)))


def _digits() -> Dataset:
    """Enlarge scikit-learn's handwritten digits to the format of CIFAR-10, and split them.

    Each of the 8x8 values, 0 to 16, becomes a square of 4x4 grey pixels, 0 to 255. Test images
    are, in each class, the first fifth (rounded) of its images by SHA-256, which picks as if at
    random but asks no random generator.
    """
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    grey = np.rint(values.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    images = np.repeat(np.repeat(grey, 4, axis=1), 4, axis=2)[..., None].repeat(3, axis=3)
    order = sort_by_digest(images)
    images, labels = images[order], labels[order]
    is_test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        members = np.flatnonzero(labels == label)
        is_test[members[: round(len(members) / 5)]] = True
    return Dataset(
        name="digits",
        train=_tensor_split(images[~is_test], labels[~is_test]),
        test=_tensor_split(images[is_test], labels[is_test]),
        mean=torch.full((3,), 0.3055),
        std=torch.full((3,), 0.3761),
        flip=False,
        pad=4,  # one of the original pixels
    )


def _cifar10() -> Dataset:
    from helpers import cifar10

    arrays = cifar10.load_arrays()
    return Dataset(
        name="cifar10",
        train=_tensor_split(arrays["train_images"], arrays["train_labels"]),
        test=_tensor_split(arrays["test_images"], arrays["test_labels"]),
        mean=torch.tensor([0.4914, 0.4822, 0.4465]),
        std=torch.tensor([0.2470, 0.2435, 0.2616]),
        flip=True,
        pad=4,
    )
