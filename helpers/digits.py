"""Handwritten digits in the format of CIFAR-10, which come with scikit-learn."""

import numpy as np
import torch

from helpers.images import ImageDataset, image_split, sort_by_digest

__all__ = ["load_digits"]


def load_digits() -> ImageDataset:
    """Enlarge scikit-learn's handwritten digits to the format of CIFAR-10, and split them.

    Each of the 8x8 values, 0 to 16, becomes a square of 4x4 grey pixels, 0 to 255. Test images
    are, in each class, the first fifth (rounded) of its images by SHA-256, which picks as if at
    random but asks no random generator.
    """
    # Slow to import, so only here.
    from sklearn import datasets

    values, labels = datasets.load_digits(return_X_y=True)
    grey = np.rint(values.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    images = np.repeat(np.repeat(grey, 4, axis=1), 4, axis=2)[..., None].repeat(3, axis=3)
    order = sort_by_digest(images)
    images, labels = images[order], labels[order]
    is_test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        members = np.flatnonzero(labels == label)
        is_test[members[: round(len(members) / 5)]] = True
    return ImageDataset(
        name="digits",
        train=image_split(images[~is_test], labels[~is_test]),
        test=image_split(images[is_test], labels[is_test]),
        mean=torch.full((3,), 0.3055),
        std=torch.full((3,), 0.3761),
        flip=False,
        pad=4,  # one of the original pixels
    )
