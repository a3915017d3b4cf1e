"""Figures name the machine that they were measured on, whatever is installed on it."""

import sys
from importlib import metadata

import pytest
import torch

from autograder.bench import machine as bench_machine
from autograder.bench.machine import machine, precision


def test_a_machine_is_described():
    found = machine()
    assert found["profile"] in ("quick", "full")
    assert found["versions"]["torch"] == metadata.version("torch")
    assert found["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}")


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(bench_machine, "PACKAGES", ("torch", "not-installed-anywhere"))
    assert list(machine()["versions"]) == ["torch"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_precision_is_that_of_training(monkeypatch, dtype):
    monkeypatch.setattr(bench_machine, "fast_dtype", lambda device: dtype)
    assert f"torch.{precision()}" == str(dtype)
