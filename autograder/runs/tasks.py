"""The tasks of a reference run, each small enough for a process of its own.

Each task writes its result to a file. A task whose result exists is not done again.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from autograder.references import artifacts
from autograder.runs.table import Experiment, Sweep, experiments, sweeps
from autograder.runs.training import recalibrated, train, trained_share, untrained
from helpers import data
from helpers.artifacts import load_artifact, save_artifact
from helpers.data import Dataset
from helpers.device import fast_dtype
from helpers.files import replacing
from helpers.measurements import Measurement, measurement
from helpers.profile import profile
from helpers.training_loss import training_loss

Figures = dict[str, Any]
Kind = Literal["train", "untrained", "recalibrated", "frozen", "kept", "sweep"]
CONTROLS: tuple[Kind, ...] = ("recalibrated", "frozen")
"""What a network is compared with that was trained in full; see `autograder.runs.training`."""


@dataclass(frozen=True)
class Task:
    """A part of a reference run.

    Attributes
    ----------
    kind
        What the task does: train the network of an experiment and measure it, measure that network
        without training, measure a control, measure the network that an earlier run has kept, or
        measure the figures of a sweep.
    name
        Name of the experiment or of the sweep.
    seed
        Seed of a training.
    """

    kind: Kind
    name: str
    seed: int = 0

    @property
    def label(self) -> str:
        """The name of its files; for a training, also the name of the artifact."""
        return f"{self.name}_{f'seed{self.seed}' if self.kind == 'train' else self.kind}"

    def result(self, folder: Path) -> Path:
        """Return the file for its result."""
        return folder / f"{self.label}.figures.json"

    def is_done(self, folder: Path) -> bool:
        """Whether its result exists."""
        return self.result(folder).exists()


def do(task: Task, folder: Path, device: str, share: float) -> Task:
    """Do a task, unless its result is in `folder`; return the task.

    Parameters
    ----------
    task
        The task to do.
    folder
        The folder for results and for checkpoints of interrupted trainings.
    device
        The device, such as ``"cuda"``. On a CPU the task uses one thread: sums then have the same
        order on every machine, and several tasks at a time do not disturb each other.
    share
        The share of the epochs of `full` that is trained, above 0 and at most 1.
    """
    if task.is_done(folder):
        return task
    threads = torch.get_num_threads()
    if torch.device(device).type == "cpu":
        torch.set_num_threads(1)
    try:
        accuracy = _TestAccuracy(_dataset(_row(task).data[profile()], device))
        began = time.perf_counter()
        figures = _DO[task.kind](task, folder, accuracy, share)
        figures["seconds"] = time.perf_counter() - began
    finally:
        torch.set_num_threads(threads)
    figures |= {"run_on": circumstances(accuracy.dataset), "measurements": accuracy.measurements}
    with replacing(task.result(folder)) as temporary:
        temporary.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return task


@dataclass
class _TestAccuracy:
    """Measures accuracies, and records each with what its network is recognised by."""

    dataset: Dataset
    measurements: list[Measurement] = field(default_factory=list)

    def __call__(self, model: nn.Module) -> float:
        self.measurements.append(measurement(model, self.dataset))
        return float(self.measurements[-1]["accuracy"])


def _row(task: Task) -> Experiment | Sweep:
    return _sweep_of(task) if task.kind == "sweep" else experiment_of(task)


def experiment_of(task: Task) -> Experiment:
    """Return the experiment whose network a task trains or measures."""
    (found,) = (e for e in experiments() if e.name == task.name)
    return found


def _sweep_of(task: Task) -> Sweep:
    (found,) = (s for s in sweeps() if s.name == task.name)
    return found


def _train(task: Task, folder: Path, accuracy: _TestAccuracy, share: float) -> Figures:
    experiment = experiment_of(task)
    checkpoint = folder / f"{task.label}.checkpoint"
    model, history = train(experiment, accuracy.dataset, task.seed, checkpoint, share)
    save_artifact(folder, task.label, model, history)
    fastest = str(fast_dtype(accuracy.dataset.device)).removeprefix("torch.")
    figures = {
        # Measured here, because the network may have changed after the last epoch of its history.
        "accuracy": accuracy(model),
        "loss": training_loss(model, accuracy.dataset),
        "details": experiment.details(model) if experiment.details else {},
        "training_seconds": sum(history.seconds),
        "precision": experiment.settings.get("precision", fastest),
    }
    # Deleted last, so that a task that is killed while it measures need not train again.
    checkpoint.unlink(missing_ok=True)
    return figures


def _untrained(task: Task, folder: Path, accuracy: _TestAccuracy, share: float) -> Figures:
    experiment = experiment_of(task)
    return {"accuracy": accuracy(untrained(experiment, accuracy.dataset))}


def _recalibrated(task: Task, folder: Path, accuracy: _TestAccuracy, share: float) -> Figures:
    experiment = experiment_of(task)
    model = recalibrated(experiment, accuracy.dataset)
    return {"accuracy": accuracy(model), "loss": training_loss(model, accuracy.dataset)}


def _frozen(task: Task, folder: Path, accuracy: _TestAccuracy, share: float) -> Figures:
    experiment = experiment_of(task)
    checkpoint = folder / f"{task.label}.checkpoint"
    model, _ = train(experiment, accuracy.dataset, 0, checkpoint, share, frozen=True)
    figures = {
        "accuracy": accuracy(model),
        "loss": training_loss(model, accuracy.dataset),
        "share": trained_share(experiment, share),
    }
    checkpoint.unlink(missing_ok=True)
    return figures


def _kept(task: Task, folder: Path, accuracy: _TestAccuracy, share: float) -> Figures:
    experiment = experiment_of(task)
    model = untrained(experiment, accuracy.dataset)
    load_artifact(artifacts(profile(), experiment.assignment), task.name).load_into(model)
    return {"loss": training_loss(model, accuracy.dataset)}


def _sweep(task: Task, folder: Path, accuracy: _TestAccuracy, share: float) -> Figures:
    return {"figures": _sweep_of(task).measure(accuracy.dataset, accuracy)}


_DO = {
    "train": _train,
    "untrained": _untrained,
    "recalibrated": _recalibrated,
    "frozen": _frozen,
    "kept": _kept,
    "sweep": _sweep,
}


@cache
def _dataset(name: str, device: str) -> Dataset:
    return data.load(name, device=device)


def circumstances(dataset: Dataset) -> dict[str, Any]:
    """Return the circumstances of a task: its device, versions, date and data."""
    device = dataset.device
    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else f"CPU ({platform.machine()})",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "data": dataset.name,
        "data_sha256": digest(dataset),
        "test_images": dataset.test.targets.numel(),
    }


def digest(dataset: Dataset) -> str:
    """Return the SHA-256 over the images and labels of both splits."""
    found = hashlib.sha256()
    for split in (dataset.train, dataset.test):
        for tensor in (split.images, split.labels):
            found.update(tensor.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
