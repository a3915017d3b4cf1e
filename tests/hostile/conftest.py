"""The hostile class is graded once for all tests of this folder, however many workers run them."""

import fcntl

import pytest
from corpus import CORPUS
from hostile_class import GradedClass, make_class
from recording import record

WAYS = {True: "forked from a template", False: "started by themselves"}
"""How the class's kernels are started, by whether they are warm."""


@pytest.fixture(
    scope="session",
    params=[True, pytest.param(False, marks=pytest.mark.thorough)],
    ids=WAYS.get,
)
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


def pytest_terminal_summary(terminalreporter):
    """Record how many tests have passed, if all that were run have."""
    stats = terminalreporter.stats
    if stats.get("failed") or stats.get("error"):
        return
    names = [report.nodeid for report in stats.get("passed", [])]
    passed = {way: sum(way in name for name in names) for way in WAYS.values()}
    if all(passed.values()):
        ways = {way: [len(CORPUS), count] for way, count in passed.items()}
        record("hostile", {"submissions": len(CORPUS), "ways": ways})
