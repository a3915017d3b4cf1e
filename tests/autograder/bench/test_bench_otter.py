"""Hidden tests and hand-ins in the format of Otter-Grader."""

import json
import sys
import types
import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.bench.otter import otter_hand_in, otter_points, otter_tests


def hidden_test(name, points, *, right):
    source = f"""\
### BEGIN HIDDEN TESTS
from autograder.hidden import holds, score

score(holds({right}, "It is not positive."), holds(True, "It is odd."), of={points})
### END HIDDEN TESTS
"""
    marks = {"grade": True, "solution": False, "grade_id": name, "points": points, "locked": True}
    return new_code_cell(source, metadata={"nbgrader": marks})


@pytest.fixture
def archive(tmp_path):
    """Return the archive for a notebook with a solution and two hidden tests."""
    solution = new_code_cell("def answer():\n    return 42\n")
    solution.metadata["nbgrader"] = {"grade": False, "solution": True, "grade_id": "answer"}
    cells = [solution, hidden_test("all", 3, right=True)]
    cells.append(hidden_test("half", 2, right=False))
    nbformat.write(new_notebook(cells=cells), tmp_path / "source.ipynb")
    otter_tests(tmp_path / "source.ipynb", tmp_path / "autograder.zip")
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        yield archive


@pytest.fixture
def run(archive, monkeypatch):
    """Return a function that runs a test as Otter does."""
    otter = types.ModuleType("otter.test_files")
    otter.test_case = lambda **about: lambda function: (function, about)
    monkeypatch.setitem(sys.modules, "otter", types.ModuleType("otter"))
    monkeypatch.setitem(sys.modules, "otter.test_files", otter)

    def run(name):
        namespace = {}
        exec(archive.read(f"tests/{name}.py").decode(), namespace)
        function, about = namespace["test"]
        function(env={})
        return about["points"]

    return run


def test_each_hidden_test_becomes_a_test_of_as_many_points(archive, run):
    assert set(archive.namelist()) == {"otter_config.json", "tests/all.py", "tests/half.py"}
    assert run("all") == 3


def test_a_test_fails_that_does_not_give_all_points(run):
    with pytest.raises(AssertionError):
        run("half")


def test_the_files_of_a_hand_in_keep_their_places(tmp_path):
    folder = tmp_path / "hand-in"
    (folder / "artifacts").mkdir(parents=True)
    (folder / "a.ipynb").touch()
    (folder / "artifacts" / "b.json").touch()
    otter_hand_in(folder, tmp_path / "hand-in.zip")
    with zipfile.ZipFile(tmp_path / "hand-in.zip") as archive:
        assert set(archive.namelist()) == {"a.ipynb", "artifacts/b.json"}


def test_points_of_all_tests_are_added(tmp_path):
    tests = [{"name": "Public Tests", "output": "..."}, {"score": 3.0}, {"score": 0.5}]
    (tmp_path / "results.json").write_text(json.dumps({"tests": tests}))
    assert otter_points(tmp_path) == 3.5
