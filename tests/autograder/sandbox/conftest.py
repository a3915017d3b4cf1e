"""Fixtures that start a kernel in its sandbox."""

import pytest
from kernels import start, write_folders


@pytest.fixture
def folders(tmp_path):
    return write_folders(tmp_path)


@pytest.fixture
def kernel(folders):
    with start(folders) as session:
        yield session
