"""The demo's class, graded once for all tests of this folder."""

from pathlib import Path

import pytest

from autograder.demo import demo


@pytest.fixture(scope="session")
def course(tmp_path_factory) -> Path:
    """The course folder that `make demo` leaves behind."""
    folder = tmp_path_factory.mktemp("demo")
    demo(folder, jobs=2)
    return folder


def pytest_collection_modifyitems(items):
    # One worker grades the class, and all tests that look at it run there.
    for item in items:
        if "course" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(1500))
            item.add_marker(pytest.mark.xdist_group("sample class"))
