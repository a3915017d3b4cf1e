"""The hostile class is graded once for all tests of this folder, however many workers run them."""

import fcntl

import pytest
from hostile_class import GradedClass, make_class


@pytest.fixture(scope="session")
def graded(tmp_path_factory, worker_id) -> GradedClass:
    temporary = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # a worker's folder is inside that of the whole run
        temporary = temporary.parent
    folder, done = temporary / "hostile", temporary / "hostile-class-is-graded"
    with (temporary / "hostile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            make_class(folder)
            done.touch()
    return GradedClass(folder)
