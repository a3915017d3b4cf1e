"""Measure, for comparing a change with what was before it on the same machine."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from autograder.bench.course import grading
from autograder.bench.huffman import huffman_coding
from autograder.bench.training import training
from helpers.device import default_device
from helpers.profile import profile


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
    figures = {
        "machine": machine(),
        "huffman": huffman_coding(),
        "training": training(),
        "grading": grading(),
    }
    file = Path(sys.argv[1])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
