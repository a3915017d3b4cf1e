"""``python -m autograder.bench FILE``: how fast this machine trains, releases and grades.

For comparing a change with what was before it, on the same machine.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import torch

from autograder.grade import grade
from autograder.release import make_release
from autograder.samples import sample_class
from helpers.data import load
from helpers.device import default_device
from helpers.models import resnet20
from helpers.profile import profile
from helpers.training import fit

ASSIGNMENT = "quantization"
SUBMISSIONS = 4
"""Copies of the full solution; with fewer, starting the processes would be what is measured."""

T = TypeVar("T")


def training() -> dict[str, float]:
    """Train a ResNet-20 for two epochs and measure the second, the first being a warm-up."""
    dataset = load(device=default_device())
    model = resnet20().to(dataset.device)
    history = fit(model, dataset, epochs=2, progress=False)
    seconds = history.seconds[-1]
    return {"epoch_seconds": seconds, "images_per_second": len(dataset.train) / seconds}


def grading() -> dict[str, float]:
    """Release an assignment in an empty course and grade some full solutions there."""
    with tempfile.TemporaryDirectory() as temporary:
        course, samples = Path(temporary, "course"), Path(temporary, "samples")
        release_seconds, released = _timed(lambda: make_release(ASSIGNMENT, course))
        sample_class(ASSIGNMENT, released.notebook, samples)
        for number in range(SUBMISSIONS):
            shutil.copytree(samples / "solution", course / "submitted" / f"solution-{number}")
        seconds, _ = _timed(lambda: grade(ASSIGNMENT, course))
    return {
        "release_seconds": release_seconds,
        "seconds_per_submission": seconds / SUBMISSIONS,
        "submissions_at_a_time": os.cpu_count() or 1,
    }


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    device = default_device()
    cuda = device.type == "cuda"
    packages = ("efficient-dl-course", "torch", "torchvision", "numpy", "nbgrader")
    return {
        "device": torch.cuda.get_device_name(device) if cuda else f"{device} {platform.machine()}",
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "profile": profile(),
        "python": platform.python_version(),
        "versions": {package: metadata.version(package) for package in packages},
    }


def main() -> None:
    """Measure, and write the figures to the file that the command names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m autograder.bench FILE")
    figures = {"machine": machine(), "training": training(), "grading": grading()}
    file = Path(sys.argv[1])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(file.read_text(encoding="utf-8"))


def _timed(do: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = do()
    return time.perf_counter() - began, result


if __name__ == "__main__":
    main()
