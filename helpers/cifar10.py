"""CIFAR-10, downloaded once and cached as four plain arrays.

The arrays are stored as ``cifar10.npz`` in the data folder, which is the folder that the
environment variable COURSE_DATA names, or else a cache folder of the user. If the file is missing,
the archive of CIFAR-10 is downloaded from the folder that COURSE_MIRROR names (a URL), or else from
the home page of CIFAR-10.

References
----------
Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009;
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import codecs
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.data_folder import DataMissing, data_folder, downloaded
from helpers.files import replacing
from helpers.images import ImageDataset, image_split, sort_by_digest

ARCHIVE = "cifar-10-python.tar.gz"
HOME = "https://www.cs.toronto.edu/~kriz"
"""Folder of the archive on the site of Alex Krizhevsky, the author of CIFAR-10."""
MD5 = "c58f30108f718f92721af3b95e74349a"
"""Checksum of the archive, the same that torchvision verifies."""
CACHE = "cifar10.npz"
BATCHES = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}

Arrays = dict[str, NDArray[np.uint8]]


def load_cifar10() -> ImageDataset:
    """Load CIFAR-10 as a data set on the CPU.

    Raises
    ------
    DataMissing
        As for `load_arrays`.
    """
    arrays = load_arrays()
    return ImageDataset(
        name="cifar10",
        train=image_split(arrays["train_images"], arrays["train_labels"]),
        test=image_split(arrays["test_images"], arrays["test_labels"]),
        mean=torch.tensor([0.4914, 0.4822, 0.4465]),
        std=torch.tensor([0.2470, 0.2435, 0.2616]),
        flip=True,
        pad=4,
    )


def load_arrays(md5: str = MD5) -> Arrays:
    """Load CIFAR-10, downloading it first if it is not cached.

    Parameters
    ----------
    md5
        Expected MD5 checksum of the archive, in hexadecimal.

    Returns
    -------
    dict[str, ndarray]
        ``train_images`` (50000, 32, 32, 3) and ``test_images`` (10000, 32, 32, 3), uint8 RGB;
        ``train_labels`` and ``test_labels`` (N,), uint8. Each split is sorted by the SHA-256 of
        each image's 3,072 bytes.

    Raises
    ------
    DataMissing
        If there is no cached file and the download fails, or if the cached file is damaged.
    """
    cache = data_folder() / CACHE
    if not cache.exists():
        archive = downloaded(ARCHIVE, f"{HOME}/{ARCHIVE}", md5, called="CIFAR-10 is", kept=CACHE)
        arrays = read_archive(archive)
        with replacing(cache) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub misreads the keywords
        archive.unlink()
    return _read_cache(cache)


def read_archive(archive: Path) -> Arrays:
    """Read the original archive of CIFAR-10 into the arrays that `load_arrays` returns."""
    arrays: Arrays = {}
    with tarfile.open(archive) as tar:
        for split, names in BATCHES.items():
            images, labels = [], []
            for name in names:
                member = tar.extractfile(f"cifar-10-batches-py/{name}")
                assert member is not None, f"{name} is not a file"
                batch = _PlainUnpickler(member, encoding="bytes").load()
                images.append(batch[b"data"])
                labels.append(np.array(batch[b"labels"], dtype=np.uint8))
            # Each image is stored as its red, then its green, then its blue pixels.
            stacked = np.concatenate(images).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            order = sort_by_digest(np.ascontiguousarray(stacked))
            arrays[f"{split}_images"] = stacked[order]
            arrays[f"{split}_labels"] = np.concatenate(labels)[order]
    return arrays


class _PlainUnpickler(pickle.Unpickler):
    """Unpickler for numpy arrays in plain containers that refuses anything that runs code."""

    ALLOWED: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): codecs.encode,
        # numpy renamed this module after the archive was written.
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(
                f"{module}.{name} is not allowed in the archive of CIFAR-10"
            )
        return self.ALLOWED[module, name]


def _read_cache(cache: Path) -> Arrays:
    """Read the cached arrays and check their shapes and types."""
    try:
        with np.load(cache, allow_pickle=False) as stored:
            arrays = {
                f"{split}_{part}": stored[f"{split}_{part}"]
                for split in BATCHES
                for part in ("images", "labels")
            }
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(cache) from error
    for split in BATCHES:
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        if images.shape != (len(labels), 32, 32, 3) or images.dtype != np.uint8:
            raise _damaged(cache)
    return arrays


def _damaged(cache: Path) -> DataMissing:
    return DataMissing(f"{cache} is damaged or not CIFAR-10: delete it and run this again.")
