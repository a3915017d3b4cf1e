"""The measured kernels are those that a grading run starts."""

import pytest
from small_class import sandbox

from autograder.bench import kernels as module

__all__ = ["sandbox"]  # a fixture

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


def test_a_forked_kernel_is_ready_sooner_and_has_less_memory_of_its_own(sandbox, monkeypatch):
    monkeypatch.setattr(module, "REPEATS", 1)
    found = module.kernels()
    alone, forked = found["started by itself"], found["forked"]
    assert 0 < forked["seconds"] < alone["seconds"]
    # Packages that are imported in the template are shared, and torch alone takes 150 MiB.
    assert 0 < forked["own_mib"] < alone["own_mib"] - 100
