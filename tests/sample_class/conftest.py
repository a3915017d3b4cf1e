"""The demo's class is graded once for all tests of this folder, however many workers run them."""

import fcntl
from pathlib import Path

import pytest
from graded_mistakes import MISTAKEN

from autograder.demo import demo


@pytest.fixture(scope="session")
def course(tmp_path_factory, worker_id) -> Path:
    """Return the course folder that `make demo` makes."""
    temporary = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # a worker's folder is inside that of the whole run
        temporary = temporary.parent
    folder, done = temporary / "demo", temporary / "demo-is-graded"
    with (temporary / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            demo(folder, jobs=2, mistaken=MISTAKEN)
            done.touch()
    return folder
