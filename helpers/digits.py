"""Images like those of house numbers, made of the handwritten digits of scikit-learn."""

import hashlib
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.images import ImageDataset, image_split, sort_by_digest

__all__ = ["load_digits"]

SIDE = 16  # pixels
TRAINING, TEST = 10_240, 2_000  # images
CONTRAST = (25, 90)  # smallest and largest difference of ink and background, in each channel
NOISE = 24  # largest change of a pixel
ONE = 64  # the width of an original pixel, and a weight of 1, in whole numbers

Ink = Literal["either", "dark"]
"""Whether digits may be darker or brighter than their background, in each channel, or are darker in
all."""

# Mean and standard deviation of the training images, by which the shipped network was trained.
MEAN = {
    "either": (0.49806079, 0.49784492, 0.49342884),
    "dark": (0.45586326, 0.45633852, 0.45117786),
}
STD = {"either": (0.22140299, 0.21974326, 0.22169241), "dark": (0.21744924, 0.21611200, 0.21816752)}
NAMES = {"either": "digits", "dark": "dark_digits"}

Digits = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Original digits (N, 8, 8), from 0 to 16, and what they show (N,)."""


def load_digits(ink: Ink = "either") -> ImageDataset:
    """Compose small colour images of handwritten digits, similar to photographs of house numbers.

    The digit in the middle is the class of an image, and parts of two other digits are beside it.
    Size, position, slant, both colours and noise are drawn for each image. The 1,797 digits of
    scikit-learn by themselves are so easy that a network can lose most of its precision without
    losing accuracy.

    The images are the same on every computer: all arithmetic is in whole numbers, and the random
    numbers come from the hash function SHAKE-256. No original digit is in both splits: test images
    show, in each class, the first fifth (rounded) of the originals by SHA-256.

    Parameters
    ----------
    ink
        With ``"either"``, each channel of a digit is brighter or darker than the background, and a
        network needs some twenty epochs to make anything of the images. With ``"dark"``, all
        channels are darker; the images are the same otherwise, and a few epochs suffice.

    Returns
    -------
    ImageDataset
        10,240 training and 2,000 test images, (N, 3, 16, 16), the same number of each class.
    """
    training, test = _originals()
    return ImageDataset(
        name=NAMES[ink],
        train=image_split(*_compose(training, TRAINING, b"train", ink)),
        test=image_split(*_compose(test, TEST, b"test", ink)),
        mean=torch.tensor(MEAN[ink]),
        std=torch.tensor(STD[ink]),
        flip=False,
        pad=1,
    )


def _originals() -> tuple[Digits, Digits]:
    """Return scikit-learn's digits, those for training images and those for test images."""
    # Imported here because it is slow.
    from sklearn import datasets

    values, labels = datasets.load_digits(return_X_y=True)
    values = values.reshape(-1, 8, 8).astype(np.uint8)
    order = sort_by_digest(values)
    values, labels = values[order].astype(np.int64), labels[order].astype(np.int64)
    is_test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        members = np.flatnonzero(labels == label)
        is_test[members[: round(len(members) / 5)]] = True
    return (values[~is_test], labels[~is_test]), (values[is_test], labels[is_test])


def _compose(
    originals: Digits, count: int, key: bytes, ink: Ink
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Compose images of original digits.

    Parameters
    ----------
    originals
        The digits to draw from.
    count
        How many images to make. Their classes are 0 to 9 in turn.
    key
        The seed of the random numbers.
    ink
        As for `load_digits`.

    Returns
    -------
    images
        (count, 16, 16, 3).
    labels
        (count,).
    """
    values, classes = originals
    numbers = _bytes(key, count * 64).view("<u2").reshape(count, 32)
    labels = np.arange(count) % 10
    middle = np.zeros(count, dtype=np.int64)
    for label in range(10):
        members, wanted = np.flatnonzero(classes == label), labels == label
        middle[wanted] = members[numbers[wanted, 0] % len(members)]
    left, right = numbers[:, 1] % len(values), numbers[:, 2] % len(values)
    strips = np.concatenate([values[left], values[middle], values[right]], axis=2)
    shape = _sample(strips, numbers[:, 3:9])
    background = _between(40, 215, numbers[:, 9:12])
    signs = 2 * (numbers[:, 15:18].astype(np.int64) & 1) - 1 if ink == "either" else -1
    contrast = _between(*CONTRAST, numbers[:, 12:15]) * signs
    noise = _between(-NOISE, NOISE, _bytes(key + b" noise", count * SIDE * SIDE * 3))
    images = background[:, None, None] + (contrast[:, None, None] * shape[..., None] >> 16)
    images = images + noise.reshape(images.shape)
    return np.clip(images, 0, 255).astype(np.uint8), labels


def _sample(strips: NDArray[np.int64], numbers: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return images of the middle of strips of digits, stretched, slanted and shifted.

    Parameters
    ----------
    strips
        (N, 8, 24), from 0 to 16: three digits side by side.
    numbers
        (N, 6), random: they decide on stretch, slant and shift, across and down.

    Returns
    -------
    ndarray
        (N, 16, 16), from 0 to 65536: linear interpolation between the values of a strip.
    """
    padded = np.pad(strips, ((0, 0), (1, 1), (1, 1)))
    # In 64ths of an original pixel, for each half pixel of the image.
    across, down = (_between(18, 26, numbers[:, k])[:, None, None] for k in (0, 1))
    skew = [_between(-5, 5, numbers[:, k])[:, None, None] for k in (2, 3)]
    moved = [_between(-3, 3, numbers[:, k])[:, None, None] for k in (4, 5)]
    half_pixels = 2 * np.arange(SIDE) - (SIDE - 1)  # from the centre of the image
    x = half_pixels[None, None, :] + moved[0]
    y = half_pixels[None, :, None] + moved[1]
    row = np.clip((4 + 1) * ONE - ONE // 2 + skew[1] * x + down * y, 0, 9 * ONE - 1)
    column = np.clip((12 + 1) * ONE - ONE // 2 + across * x + skew[0] * y, 0, 25 * ONE - 1)
    i, j, below, right = row // ONE, column // ONE, row % ONE, column % ONE
    n = np.arange(len(strips))[:, None, None]
    upper = (ONE - right) * padded[n, i, j] + right * padded[n, i, j + 1]
    lower = (ONE - right) * padded[n, i + 1, j] + right * padded[n, i + 1, j + 1]
    return (ONE - below) * upper + below * lower


def _bytes(key: bytes, count: int) -> NDArray[np.uint8]:
    """Return pseudo-random bytes, always the same for a key."""
    return np.frombuffer(hashlib.shake_256(key).digest(count), dtype=np.uint8)


def _between(low: int, high: int, numbers: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    """Map random numbers to the range from `low` to `high`, both included."""
    return low + numbers.astype(np.int64) % (high - low + 1)
