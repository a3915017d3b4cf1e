"""How long a notebook's kernel takes to start in its sandbox, and the memory that is its own."""

from __future__ import annotations

import statistics
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from autograder.assignments import NOTEBOOKS
from autograder.grading.imported import imported_packages
from autograder.sandbox import template
from autograder.sandbox.session import Session
from autograder.sandbox.template import Template

ASSIGNMENT = "quantization"
REPEATS = 10


def kernels() -> dict[str, dict[str, float]]:
    """Start kernels one after the other, by themselves and forked from a template.

    Returns
    -------
    dict
        For ``"started by itself"`` and ``"forked"``: the medians of the seconds until the kernel,
        with the packages of the assignment imported, has run an empty cell; and of the MiB that its
        sandbox shares with no other process then.
    """
    modules = imported_packages(NOTEBOOKS / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    return {
        "started by itself": _measured(nullcontext(None), modules),
        "forked": _measured(template.started(modules, threads=1), modules),
    }


def _measured(
    starting: AbstractContextManager[Template | None], modules: list[str]
) -> dict[str, float]:
    seconds, mib = [], []
    imports = "\n".join(f"import {module}" for module in modules)
    with TemporaryDirectory() as folder, starting as source:
        build, submission = Path(folder, "build"), Path(folder, "submission")
        for place in (Path(folder), build, submission):
            place.mkdir(exist_ok=True)
            place.chmod(0o755)
        # The first kernel of a template waits until the template has imported everything.
        for _ in range(REPEATS + 1):
            before = set(psutil.Process().children(recursive=True))
            began = time.perf_counter()
            with Session(build=build, submission=submission, template=source) as session:
                session.run(imports)
                seconds.append(time.perf_counter() - began)
                own = set(psutil.Process().children(recursive=True)) - before
                mib.append(sum(process.memory_full_info().uss for process in own) / 2**20)
    return {"seconds": statistics.median(seconds[1:]), "own_mib": statistics.median(mib[1:])}
