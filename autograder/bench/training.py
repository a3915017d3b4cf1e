"""Our training beside the usual recipe: images per second, accuracy after equal epochs, memory.

The usual recipe is that of most tutorials: a DataLoader whose workers turn each image into a PIL
image, crop and mirror it there, and stack floats; batches of 128, all computed in float32. Ours
computes in the type that the device is fast in.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torchvision import transforms

from autograder.bench.machine import precision
from helpers.data import Dataset, Split, load
from helpers.device import default_device
from helpers.models import resnet20
from helpers.profile import pick
from helpers.training import evaluate, fit, seed_everything

LR = 0.1
BATCH_SIZE = 128
COLAB_WORKERS = 2


def training() -> dict[str, Any]:
    """Train a ResNet-20 for equal epochs in our way and in the usual one.

    Each run has a process of its own, so that none leaves memory or warm caches to the next.

    Returns
    -------
    dict
        For ours, and for the usual recipe with as many workers as Colab has and with one per core:
        the type it computes in, images per second (the median epoch but for the first, which warms
        up; its evaluation included), test accuracy after the last epoch, peak memory in MiB (of
        the GPU, or else of the process and, on top, of its largest worker).
        And the epochs, and how many times faster ours is.
    """
    cores = os.cpu_count() or 1
    runs = {"ours": _measured(None)}
    for workers in dict.fromkeys((COLAB_WORKERS, cores)):
        runs[f"usual_{workers}_workers"] = _measured(workers)
    ours = runs["ours"]["images_per_second"]
    ratios = {
        f"times_faster_than_{name}": ours / run["images_per_second"]
        for name, run in runs.items()
        if name != "ours"
    }
    return {"epochs": _epochs(), **runs, **ratios}


def _epochs() -> int:
    return pick(quick=5, full=2)


def _measured(workers: int | None) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_run, workers).result()


def _run(workers: int | None) -> dict[str, Any]:
    """Train in our way (None) or with a DataLoader of so many workers."""
    dataset = load(device=default_device())
    seed_everything(0)
    model = resnet20().to(dataset.device)
    if workers is None:
        history = fit(model, dataset, epochs=_epochs(), lr=LR, progress=False)
        seconds, accuracy = history.seconds, history.test_accuracy[-1]
    else:
        seconds = _usual_recipe(model, dataset, _epochs(), workers)
        accuracy = evaluate(model, dataset)
    return {
        "precision": precision() if workers is None else "float32",
        "images_per_second": len(dataset.train) / median(seconds[1:]),
        "accuracy": accuracy,
        "peak_memory_mib": _peak_memory(dataset.device) / 2**20,
    }


class _Pictures(TorchDataset):
    """A split as the usual recipe has it: a PIL image and a transform for each."""

    def __init__(self, split: Split, transform: Any) -> None:
        self.images = split.images.cpu()
        self.labels = split.labels.cpu()
        self.picture = transforms.ToPILImage()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.picture(self.images[index])), int(self.labels[index])


def _usual_recipe(
    model: torch.nn.Module, dataset: Dataset, epochs: int, workers: int
) -> list[float]:
    """Train as most tutorials do; return the seconds of each epoch, its evaluation included.

    A GPU and the program wait for each other only at the end of an epoch, when the clock is read.
    """
    normalise = [transforms.ToTensor(), transforms.Normalize(dataset.mean, dataset.std)]
    mirrored = [transforms.RandomHorizontalFlip()] if dataset.flip else []
    crop = transforms.RandomCrop(32, padding=dataset.pad)
    options: dict[str, Any] = {
        "batch_size": BATCH_SIZE,
        "num_workers": workers,
        "pin_memory": dataset.device.type == "cuda",
    }
    train = DataLoader(
        _Pictures(dataset.train, transforms.Compose([crop, *mirrored, *normalise])),
        shuffle=True,
        drop_last=True,
        **options,
    )
    test = DataLoader(_Pictures(dataset.test, transforms.Compose(normalise)), **options)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=LR, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs * len(train))
    seconds = []
    for _ in range(epochs):
        began = perf_counter()
        model.train()
        for images, labels in _moved(train, dataset.device):
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
        model.eval()
        right = torch.zeros((), dtype=torch.int64, device=dataset.device)
        with torch.no_grad():
            for images, labels in _moved(test, dataset.device):
                right += (model(images).argmax(1) == labels).sum()
        right.item()
        seconds.append(perf_counter() - began)
    return seconds


def _moved(loader: DataLoader, device: torch.device) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the loader's batches on the device; its pinned memory lets the program go on."""
    for images, labels in loader:
        yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)


def _peak_memory(device: torch.device) -> int:
    """Return the most bytes in use at a time: of the GPU, or of this process and a worker."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    own, workers = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return unit * sum(resource.getrusage(who).ru_maxrss for who in (own, workers))
