"""`autograder new` adds an assignment by its folders alone: no other file needs a change."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder.grading.record import Record
from autograder.notebook.lint import lint

PROJECT = Path(__file__).parents[1]
NAME = "brand_new"

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a copy of the project without its networks and with one more assignment."""
    folder = tmp_path_factory.mktemp("project")
    left_out = shutil.ignore_patterns("__pycache__", "*.safetensors")
    for package in ("helpers", "autograder", "notebooks", "tests"):
        shutil.copytree(PROJECT / package, folder / package, ignore=left_out)
    shutil.copyfile(PROJECT / "pyproject.toml", folder / "pyproject.toml")
    new = autograder(folder, "new", NAME)
    assert new.returncode == 0, new.stderr
    return folder


def autograder(project, *arguments):
    return run(project, "autograder.cli", *arguments)


def run(project, module, *arguments):
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
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
    assert [record(course, s).score for s in ("ada", "ben", "cem")] == [100, 0, 0]


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


def test_its_notebook_and_its_answers_stand_the_checks_of_the_kit(project):
    assert lint(project / "notebooks" / NAME / f"{NAME}.ipynb") == []
    tested = autograder(project, "selftest", NAME, "--jobs", "2")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_the_tests_of_the_kit_pass_for_it(project):
    # By name, and those that compare all notebooks or all assignments.
    selected = f"{NAME} or repeated_cells or has_probes"
    tests = ["tests/notebooks", "tests/autograder/reporting/test_copied_code.py"]
    tests += map(str, sorted(project.glob("tests/autograder/test_*.py")))
    options = ["-q", "-p", "no:cacheprovider", "-m", "not thorough and not long", "-k", selected]
    tested = run(project, "pytest", *options, *tests)
    assert tested.returncode == 0, tested.stdout[-3000:]
    assert " passed" in tested.stdout


def test_its_files_have_the_style_of_the_kit(project):
    for check in (["check"], ["format", "--check"]):
        done = run(project, "ruff", *check, "helpers", "autograder", "notebooks", "tests")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["Low", "low rank", "1st", "class", "../low", "pruning"])
def test_a_name_that_cannot_be_one_is_refused(project, name):
    done = autograder(project, "new", name)
    assert done.returncode == 1
    assert done.stderr.startswith("autograder: ")
