"""Compare our training with the usual recipe: images per second, accuracy, and memory.

The usual recipe is that of most tutorials: a DataLoader whose workers turn each image into a PIL
image, crop and mirror it, and stack floats into batches of 128; everything is computed in float32.
Our training computes in the type that is fast on the device, and lets an NVIDIA GPU repeat its
recorded steps by itself.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from autograder.bench.machine import precision
from helpers.data import ImageDataset, Split, load
from helpers.device import default_device
from helpers.models import resnet20
from helpers.profile import pick
from helpers.training import evaluate, fit, seed_everything

LR = 0.1
BATCH_SIZE = 128
COLAB_WORKERS = 2
LIMIT = 600.0
"""Seconds that a recipe may take: with many workers, the usual recipe may make little progress."""

OURS, PLAIN = "ours", "ours_plain"


def training(limit: float = LIMIT) -> Iterator[dict[str, Any]]:
    """Train a ResNet-20 for the same number of epochs by our recipe and by the usual recipe.

    Each run has a process of its own, so that no run leaves memory or warm caches to the next.

    Parameters
    ----------
    limit
        Seconds after which a run is stopped.

    Yields
    ------
    dict
        After each run, the figures of all runs so far, the number of epochs, and how many times
        faster ours is. There is a run of our recipe; on a GPU, a run of our recipe without
        recorded steps; and a run of the usual recipe with as many workers as Colab has, and one
        with one worker per core. The figures of a run are the type that it computes in; images
        per second, with evaluation, in the median epoch (the first is left out, because it warms
        up); the test accuracy after the last epoch; and the peak memory in MiB, either of the GPU
        or of the process plus its largest worker. For a run that was stopped there is only the
        number of seconds until then; for a run that failed, only the reason.
    """
    cores = os.cpu_count() or 1
    recipes = [OURS, *([PLAIN] if default_device().type == "cuda" else [])]
    recipes += [f"usual_{workers}_workers" for workers in dict.fromkeys((COLAB_WORKERS, cores))]
    figures: dict[str, Any] = {"epochs": _epochs()}
    for recipe in recipes:
        figures[recipe] = _measured(recipe, limit)
        yield figures | _ratios(figures)


def _ratios(figures: dict[str, Any]) -> dict[str, float]:
    speeds = {
        name: run["images_per_second"]
        for name, run in figures.items()
        if isinstance(run, dict) and "images_per_second" in run
    }
    ours = speeds.pop(OURS, None)
    if ours is None:
        return {}
    return {f"times_faster_than_{name}": ours / speed for name, speed in speeds.items()}


def _epochs() -> int:
    return pick(quick=5, full=2)


def _measured(recipe: str, limit: float) -> dict[str, Any]:
    """Return the figures of a recipe, which a separate process measures and sends."""
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, recipe))
    process.start()
    sender.close()
    try:
        if not receiver.poll(limit):
            return {"stopped_after_seconds": limit}
        return receiver.recv()
    except EOFError:
        process.join()
        return {"failed": f"its process ended with {process.exitcode}"}
    finally:
        # The workers of a DataLoader end by themselves when their parent has ended.
        process.kill()
        process.join()


def _send(sender: Connection, recipe: str) -> None:
    try:
        sender.send(_run(recipe))
    except Exception as error:
        sender.send({"failed": f"{type(error).__name__}: {error}"})


def _run(recipe: str) -> dict[str, Any]:
    dataset = load(device=default_device())
    seed_everything(0)
    model = resnet20().to(dataset.device)
    ours = recipe in (OURS, PLAIN)
    if ours:
        history = fit(
            model, dataset, epochs=_epochs(), lr=LR, progress=False, cuda_graph=recipe == OURS
        )
        seconds, accuracy = history.seconds, history.test_accuracy[-1]
    else:
        workers = int(recipe.split("_")[1])
        seconds = _usual_recipe(model, dataset, _epochs(), workers)
        accuracy = evaluate(model, dataset)
    return {
        "precision": precision() if ours else "float32",
        "images_per_second": len(dataset.train) / median(seconds[1:]),
        "accuracy": accuracy,
        "peak_memory_mib": _peak_memory(dataset.device) / 2**20,
    }


class _Pictures(TorchDataset):
    """A split in the form that the usual recipe uses, with a transform for each image."""

    def __init__(self, split: Split, transform: Any) -> None:
        self.images = split.images.cpu()
        self.labels = split.labels.cpu()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.images[index]), int(self.labels[index])


def _usual_recipe(
    model: torch.nn.Module, dataset: ImageDataset, epochs: int, workers: int
) -> list[float]:
    """Train as most tutorials do; return the seconds of each epoch, including its evaluation.

    The program waits for the GPU only at the end of an epoch, when the clock is read.
    """
    # Imported here, because our recipe does not need it.
    from torchvision import transforms

    picture = transforms.ToPILImage()
    normalise = [transforms.ToTensor(), transforms.Normalize(dataset.mean, dataset.std)]
    mirrored = [transforms.RandomHorizontalFlip()] if dataset.flip else []
    crop = transforms.RandomCrop(tuple(dataset.train.images.shape[-2:]), padding=dataset.pad)
    options: dict[str, Any] = {
        "batch_size": BATCH_SIZE,
        "num_workers": workers,
        "pin_memory": dataset.device.type == "cuda",
    }
    train = DataLoader(
        _Pictures(dataset.train, transforms.Compose([picture, crop, *mirrored, *normalise])),
        shuffle=True,
        drop_last=True,
        **options,
    )
    test = DataLoader(_Pictures(dataset.test, transforms.Compose([picture, *normalise])), **options)
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
    """Yield the loader's batches on the device; with pinned memory, the program does not wait."""
    for images, labels in loader:
        yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)


def _peak_memory(device: torch.device) -> int:
    """Return the peak memory in bytes: of the GPU, or of this process plus its largest worker."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    own, workers = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return unit * sum(resource.getrusage(who).ru_maxrss for who in (own, workers))
