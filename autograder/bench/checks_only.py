"""Measure the grading of a notebook in which nothing is computed but what the tests ask for.

Such a notebook shows what the grader itself costs. None of the course's assignments is one, so the
one that `autograder new` makes is measured, in a copy of the project.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.assignments import NOTEBOOKS

NAME = "bench_checks"
COUNTS = (1, 10, 100, 1000)
"""Numbers of submissions for which the cost is measured."""
COPIED = ("helpers", "autograder", "notebooks")

MEASURE = """
import json, os, sys
from pathlib import Path
from autograder.bench.course import Bench
name, folder, *counts = sys.argv[1:]
bench = Bench(name, Path(folder))
found = {"ways": bench.ways()}
print(json.dumps(found), flush=True)
found["curve"] = bench.classes([int(count) for count in counts], jobs=os.cpu_count() or 1)
print(json.dumps(found))
"""
"""Measures an assignment; each line that it prints holds all that has been found until then."""


def checks_only() -> Iterator[dict[str, Any]]:
    """Measure every way of grading, and then larger and larger classes.

    Yields
    ------
    dict
        What was found until now: ``ways`` as for an assignment of `autograder.bench.course.grading`
        and ``curve`` as there.
    """
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary, "project")
        left_out = shutil.ignore_patterns("__pycache__", "*.safetensors")
        for package in COPIED:
            shutil.copytree(NOTEBOOKS.parent / package, project / package, ignore=left_out)

        def python(*arguments: str) -> str:
            return subprocess.run(
                [sys.executable, *arguments],
                cwd=project,
                env=os.environ | {"PYTHONPATH": str(project)},
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout

        python("-m", "autograder.cli", "new", NAME)
        folder, counts = Path(temporary, "bench"), map(str, COUNTS)
        found = python("-c", MEASURE, NAME, str(folder), *counts)
        yield from map(json.loads, found.splitlines())
