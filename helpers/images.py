"""Data sets of images, which are stored as uint8 and augmented and normalised batch by batch.

Images stay uint8 until a batch is used, so that a whole data set fits on any GPU. Cropping,
flipping and normalising a batch then take a few tensor operations on the device itself.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from helpers.dataset import Dataset, Split

__all__ = ["ImageDataset", "augment", "image_split", "sort_by_digest"]


@dataclass(frozen=True)
class ImageDataset(Dataset):
    """Images of several classes; training images are cropped, and possibly mirrored, at random.

    The images of both splits are uint8, (N, 3, H, W), and their labels (N,), from 0 to 9.

    Attributes
    ----------
    mean, std
        (3,), float32: mean and standard deviation of each channel of the training images, scaled
        to [0, 1].
    flip
        Whether training images may be mirrored, because a mirrored image belongs to the same class.
    pad
        Number of pixels by which a random crop may shift an image in each direction.
    """

    mean: Tensor
    std: Tensor
    flip: bool
    pad: int

    numbers_per_example: ClassVar[int] = 4
    unit: ClassVar[str] = "images"

    def to(self, device: torch.device | str) -> Self:
        """Return the same data set on another device."""
        return replace(super().to(device), mean=self.mean.to(device), std=self.std.to(device))

    def network_inputs(self, stored: Tensor) -> Tensor:
        """Convert uint8 images (N, 3, H, W) to float32 with about zero mean and unit variance.

        The images are normalised with the data set's mean and standard deviation of each channel.
        """
        mean = self.mean.to(stored.device)[:, None, None]
        std = self.std.to(stored.device)[:, None, None]
        if stored.device.type in ("cpu", "cuda"):
            # If the channels of a pixel are adjacent in memory, convolutions take a third less time
            # on a CPU, and the tensor cores of a GPU need no copies. Layers follow the format of
            # the images; weights keep theirs, so that code that calls .view on a weight works.
            stored = stored.contiguous(memory_format=torch.channels_last)
        return (stored.float() / 255 - mean) / std

    def draw_epoch(self, batch_size: int, generator: torch.Generator) -> Tensor:
        """Draw all random numbers for one epoch of training; see `Dataset.draw_epoch`.

        The four numbers of an image are its index, the vertical and the horizontal offset of its
        crop, and whether it is mirrored (1) or not (0).
        """
        plan = super().draw_epoch(batch_size, generator)

        def draw(high: int) -> Tensor:
            return torch.randint(high, (batch_size,), generator=generator)

        for step in plan:
            step[1] = draw(2 * self.pad + 1)
            step[2] = draw(2 * self.pad + 1)
            if self.flip:
                step[3] = draw(2)
        return plan

    def planned_batch(self, row: Tensor) -> tuple[Tensor, Tensor]:
        """Return the augmented images and the labels of one step; see `Dataset.planned_batch`."""
        indices, top, left, mirrored = row
        images = augment(self.train.images[indices], self.pad, top, left, mirrored)
        return images, self.train.labels[indices]


def augment(images: Tensor, pad: int, top: Tensor, left: Tensor, mirrored: Tensor) -> Tensor:
    """Pad images with a black frame, crop each to its old size, and mirror some of them.

    With random offsets and random mirroring, this is the usual augmentation for CIFAR-10.

    Parameters
    ----------
    images
        (N, C, H, W), any dtype.
    pad
        Width of the black frame (zeros) in pixels.
    top, left
        (N,), int64, from 0 to 2 * `pad`: the row and column of the framed image at which the crop
        begins. An offset of `pad` leaves an image where it was.
    mirrored
        (N,), 1 for images that are mirrored left to right, 0 for the others.

    Returns
    -------
    Tensor
        (N, C, H, W), of the same dtype and on the same device as `images`.
    """
    count, channels, height, width = images.shape
    device = images.device
    # Row i of the crop of image n is row rows[n, i] of the framed image, and likewise for columns.
    rows = top[:, None] + torch.arange(height, device=device)
    columns = torch.arange(width, device=device)
    columns = left[:, None] + torch.where(mirrored[:, None] == 1, columns.flip(0), columns)
    framed = F.pad(images, (pad, pad, pad, pad))
    n = torch.arange(count, device=device)[:, None, None, None]
    c = torch.arange(channels, device=device)[None, :, None, None]
    return framed[n, c, rows[:, None, :, None], columns[:, None, None, :]]


# ------------------------------------------------------------------------------------------------
# From files to tensors


def image_split(images: NDArray[np.uint8], labels: NDArray[np.integer]) -> Split:
    """Build a split from images (N, H, W, 3) and labels (N,)."""
    channels_first = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return Split(torch.from_numpy(channels_first), torch.from_numpy(labels.astype(np.int64)))


def sort_by_digest(images: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the indices that sort images by the SHA-256 of their bytes.

    The order depends on the images alone, so that every copy of a data set leads to the same
    arrays, however it is arranged.

    Parameters
    ----------
    images
        (N, ...), uint8.

    Returns
    -------
    ndarray
        (N,): the indices of the images in sorted order.
    """
    digests = [hashlib.sha256(image.tobytes()).digest() for image in images]
    return np.array(sorted(range(len(images)), key=digests.__getitem__), dtype=np.intp)
