"""Describe the machine that figures are measured on."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

import torch

from helpers.device import default_device, fast_dtype
from helpers.profile import profile

PACKAGES = ("efficient-dl-course", "torch", "torchvision", "numpy", "nbgrader")


def machine() -> dict[str, Any]:
    """Describe this machine and the versions of the packages on it."""
    device = default_device()
    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else f"{device} {platform.machine()}",
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "profile": profile(),
        "python": platform.python_version(),
        "versions": _versions(),
    }


def precision() -> str:
    """Return the name of the type that training uses on this machine, such as ``"bfloat16"``."""
    return str(fast_dtype(default_device())).removeprefix("torch.")


def _versions() -> dict[str, str]:
    """Return the versions of `PACKAGES`; a machine that only trains does not have all of them."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
