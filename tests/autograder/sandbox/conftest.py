"""Fixtures that start a kernel in its sandbox, by itself and forked from a template."""

import kernels
import pytest
from kernels import start, write_folders

from autograder.sandbox import template


@pytest.fixture(scope="session")
def imported():
    """A template that has imported what the notebooks of the course import."""
    with template.started(["torch", "matplotlib.pyplot", "IPython.core.interactiveshell"], 1) as it:
        yield it


@pytest.fixture(params=["forked", pytest.param("by itself", marks=pytest.mark.thorough)])
def way(request, monkeypatch):
    """Start all kernels of a test in one way."""
    if request.param == "forked":
        monkeypatch.setattr(kernels, "template", request.getfixturevalue("imported"))
    return request.param


@pytest.fixture
def folders(tmp_path):
    return write_folders(tmp_path)


@pytest.fixture
def kernel(folders, way):
    with start(folders) as session:
        yield session
