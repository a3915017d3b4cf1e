"""A folder that takes long to make, made once for all workers that run the tests."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(
    temporary: pytest.TempPathFactory, worker: str, name: str, make: Callable[[Path], None]
) -> Path:
    """Return a folder of the whole test run.

    Parameters
    ----------
    temporary, worker
        The fixtures ``tmp_path_factory`` and ``worker_id``.
    name
        The name of the folder.
    make
        Makes the folder; it is called by the worker that comes first, and the others wait.
    """
    base = temporary.getbasetemp()
    if worker != "master":  # a worker's folder is inside that of the whole run
        base = base.parent
    folder, done = base / name, base / f"{name}-is-made"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(folder)
            done.touch()
    return folder
