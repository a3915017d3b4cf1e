"""The hostile class is graded once for all tests of this folder, however many workers run them."""

import fcntl

import pytest
from hostile_class import GradedClass, make_class


@pytest.fixture(scope="session", params=[True, pytest.param(False, marks=pytest.mark.thorough)])
def graded(request, tmp_path_factory, worker_id) -> GradedClass:
    """The class, graded with kernels that are forked from a template, or started by themselves."""
    temporary = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # a worker's folder is inside that of the whole run
        temporary = temporary.parent
    name = "hostile" if request.param else "hostile-cold"
    folder, done = temporary / name, temporary / f"{name}-is-graded"
    with (temporary / "hostile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            make_class(folder, warm=request.param)
            done.touch()
    return GradedClass(folder)
