"""An assignment is added by its folders alone: no list and no other file needs a change."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from small_course import marks

from autograder.grading.record import Record

PROJECT = Path(__file__).parents[1]
NAME = "tiny"

FILES = {
    "helpers/reference/tiny/__init__.py": '"""The right answers of the tiny assignment."""\n',
    "helpers/reference/tiny/doubling.py": '''"""Doubling."""


def double(x):
    """Return twice as much."""
    return x + x
''',
    "helpers/assignments/tiny/__init__.py": '"""What ships with the tiny assignment."""\n',
    "helpers/assignments/tiny/checks.py": '''"""Its public checks."""

from helpers.checks.answers import ask, expect
from helpers.checks.result import public_check


@public_check("double")
def double(double):
    """Check the student's ``double(x)``."""
    yield "twice 2 is 4"
    expect(ask("double(2)", double, 2) == 4, "`double(2)` is not 4.")
''',
    "autograder/assignments/tiny/__init__.py": '"""The instructor\'s side of the tiny one."""\n',
    "autograder/assignments/tiny/misconceptions.py": '''"""Its known wrong solutions."""

from autograder.misconceptions import misconception
from helpers.reference.tiny import doubling


@misconception(of=doubling.double)
def squares(x):
    """You square. The result is right for 2, but wrong for 3."""
    return x**2
''',
}

SOLUTION = '''def double(x):
    """Return twice as much."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
'''
HIDDEN_TEST = """# Hidden tests: 3 points
### BEGIN HIDDEN TESTS
from autograder.hidden import same, score, student
from helpers.reference.tiny import doubling

score(same(student.double, doubling.double, on=[(3,), (5,)]), of=3)
### END HIDDEN TESTS
"""

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


def notebook():
    cells = [
        new_markdown_cell("# Twice as much"),
        new_code_cell("from helpers.assignments.tiny import checks"),
        new_markdown_cell("## Doubling (3 points)"),
        new_code_cell(SOLUTION, metadata=marks("double_solution", solution=True)),
        new_code_cell("checks.double(double)"),
        new_code_cell(HIDDEN_TEST, metadata=marks("double", points=3, locked=True)),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    course = {"unlocks": [], "artifacts": []}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "course": course})


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a copy of the project without its networks and with one more assignment."""
    folder = tmp_path_factory.mktemp("project")
    left_out = shutil.ignore_patterns("__pycache__", "*.safetensors")
    for package in ("helpers", "autograder", "notebooks"):
        shutil.copytree(PROJECT / package, folder / package, ignore=left_out)
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "notebooks" / NAME).mkdir()
    nbformat.write(notebook(), folder / "notebooks" / NAME / f"{NAME}.ipynb")
    return folder


def autograder(project, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "autograder.cli", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def course(project):
    """Return a course with the new assignment released and the answers of three students graded."""
    course = project / "course"
    released = autograder(project, "release", NAME, "--course", str(course))
    assert released.returncode == 0, released.stderr
    answers = {"ada": "2 * x", "ben": "x**2", "cem": "x"}
    for student, answer in answers.items():
        handed_in = nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)
        (cell,) = [c for c in handed_in.cells if c.source.startswith("def double")]
        cell.source = f"def double(x):\n    return {answer}\n"
        place = course / "submitted" / student / NAME
        place.mkdir(parents=True)
        nbformat.write(handed_in, place / f"{NAME}.ipynb")
    graded = autograder(project, "grade", NAME, "--course", str(course))
    assert graded.returncode == 0, graded.stderr
    return course


def record(course, student):
    file = course / "autograded" / student / NAME / f"{NAME}.ipynb"
    return Record.read(nbformat.read(file, as_version=4)).questions["double"]


def test_the_answers_are_scored(course):
    assert [record(course, s).score for s in ("ada", "ben", "cem")] == [3, 0, 0]


def test_the_misconceptions_are_named(course):
    named = {s: [m.name for m in record(course, s).misconceptions] for s in ("ben", "cem")}
    assert named == {"ben": ["squares"], "cem": []}


def test_the_public_check_ships_and_nothing_of_other_assignments(course):
    (wheel,) = (course / "release" / NAME).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        parts = {tuple(name.split("/")[:3]) for name in archive.namelist()}
    shipped = {part[2] for part in parts if part[:2] == ("helpers", "assignments")}
    assert shipped == {"__init__.py", NAME}
    assert not any(part[:2] == ("helpers", "reference") for part in parts)


def test_the_assignment_has_a_report(project, course):
    done = autograder(project, "report", NAME, "--course", str(course))
    assert done.returncode == 0, done.stderr
