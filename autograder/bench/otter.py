"""The same hidden tests and hand-ins in the format of Otter-Grader, to compare the time it takes.

Otter's tests of the kind "exception-based" are Python functions, so that they can run our hidden
tests as they are, inside the student's process. A test that does not give all points fails: Otter
has no partial credit within a test. Otter runs without Docker here (``otter run``), one submission
after the other, as an instructor would in a loop.

References
----------
Otter-Grader's documentation, "Test Files" and "Executing Submissions":
https://otter-grader.readthedocs.io/en/latest/.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import nbformat

from autograder.grading.execution import is_hidden_test

TEST = """\
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points!r}


@test_case(points={points!r}, hidden=True)
def test(env):
    from autograder.grading.execution import evaluate_test

    found = evaluate_test({source!r}, {name!r})
    assert found.points == found.of, found.messages
"""


def otter_tests(notebook: Path, file: Path) -> None:
    """Write the hidden tests of a source notebook into the archive that ``otter run`` takes.

    Parameters
    ----------
    notebook
        The source notebook, with its hidden tests.
    file
        The archive to write.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("otter_config.json", json.dumps({"lang": "python", "pdf": False}))
        for cell in filter(is_hidden_test, cells):
            marks = cell.metadata.nbgrader
            test = TEST.format(name=marks.grade_id, points=marks.points, source=cell.source)
            archive.writestr(f"tests/{marks.grade_id}.py", test)


def otter_hand_in(folder: Path, file: Path) -> None:
    """Write the files of a hand-in into the archive that ``otter run`` takes."""
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder))


def otter_points(folder: Path) -> float:
    """Return the points that ``otter run`` has written into a folder."""
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return sum(test.get("score", 0.0) for test in results["tests"])
