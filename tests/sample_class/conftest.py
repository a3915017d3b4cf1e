"""The demo's class, graded once for all tests of this folder."""

import os
from pathlib import Path

import pytest

from autograder.demo import demo


@pytest.fixture(scope="session")
def course(tmp_path_factory) -> Path:
    """The course folder that `make demo` leaves behind."""
    folder = tmp_path_factory.mktemp("demo")
    demo(folder, jobs=2, every_mistake="EVERY_MISTAKE" in os.environ)
    return folder
