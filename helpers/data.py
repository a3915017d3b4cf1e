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

__all__ = ["Dataset", "Split", "augment", "batches", "load", "normalize", "sort_by_digest"]


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


def batches(
    split: Split,
    batch_size: int,
    generator: torch.Generator | None = None,
    drop_last: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (images, labels) batch by batch, on the device of the split.

    Parameters
    ----------
    split
        Where the images come from.
    batch_size
        Images per batch; the last batch may be smaller.
    generator
        Shuffles the images; without one they come in order.
    drop_last
        Leave out a last batch that is smaller than the others.
    """
    count = len(split)
    end = count - count % batch_size if drop_last else count
    if generator is None:
        for start in range(0, end, batch_size):
            batch = slice(start, min(start + batch_size, end))
            yield split.images[batch], split.labels[batch]
        return
    order = torch.randperm(count, generator=generator, device=generator.device)
    for indices in order[:end].to(split.labels.device).split(batch_size):
        yield split.images[indices], split.labels[indices]


def augment(images: Tensor, generator: torch.Generator, pad: int, flip: bool) -> Tensor:
    """Move each image by up to `pad` pixels and mirror half of them, all at random.

    The pixels that move in are black (0), as in the usual pad-and-crop of CIFAR-10.

    Parameters
    ----------
    images
        (N, C, H, W), any dtype.
    generator
        Draws the offsets and flips. A CPU generator gives the same ones on every device.
    pad
        Largest offset in pixels, in each direction.
    flip
        Whether to mirror images left to right.

    Returns
    -------
    Tensor
        (N, C, H, W), same dtype and device.
    """
    count, channels, height, width = images.shape

    def draw(high: int) -> Tensor:
        drawn = torch.randint(high, (count, 1), generator=generator, device=generator.device)
        return drawn.to(images.device)

    # Row i of image n comes from row rows[n, i] of the padded image; columns alike.
    rows = draw(2 * pad + 1) + torch.arange(height, device=images.device)  # (N, H)
    columns = torch.arange(width, device=images.device).expand(count, width)  # (N, W)
    left = draw(2 * pad + 1)
    if flip:
        columns = torch.where(draw(2) == 1, columns.flip(1), columns)
    columns = columns + left
    padded = F.pad(images, (pad, pad, pad, pad))
    n = torch.arange(count, device=images.device)[:, None, None, None]
    c = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[n, c, rows[:, None, :, None], columns[:, None, None, :]]


def normalize(images: Tensor, dataset: Dataset) -> Tensor:
    """Turn uint8 images (N, 3, H, W) into float32 ones with about zero mean and unit variance.

    The mean and standard deviation are the data set's, one per channel.
    """
    mean = dataset.mean.to(images.device)[:, None, None]
    std = dataset.std.to(images.device)[:, None, None]
    if images.device.type == "cpu":
        # Convolutions on a CPU take a third less time when a pixel's channels lie together.
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
