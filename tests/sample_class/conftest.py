"""The demo's class is graded once for all tests of this folder, however many workers run them."""

from functools import partial
from pathlib import Path

import pytest
from graded_mistakes import MISTAKEN
from made_once import made_once

from autograder.demo import demo


@pytest.fixture(scope="session")
def course(tmp_path_factory, worker_id) -> Path:
    """Return the course folder that `make demo` makes, with all samples in every assignment."""
    make = partial(demo, jobs=2, mistaken=MISTAKEN, unsolved=True)
    return made_once(tmp_path_factory, worker_id, "demo", make)
