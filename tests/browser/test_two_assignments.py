"""A student's second assignment, in the environment of the first one, in a real browser."""

from __future__ import annotations

import zipfile

import pytest
from in_jupyterlab import CHROMIUM, opened_notebook, running_lab
from playwright.sync_api import expect
from separate_environment import make_environment

from autograder.course import Course
from autograder.releasing.release import make_release

ASSIGNMENTS = ("pruning", "deep_compression")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    course = Course(tmp_path_factory.mktemp("course"))
    return {assignment: make_release(assignment, course) for assignment in ASSIGNMENTS}


def test_each_notebook_uses_its_own_helpers_one_after_the_other_and_back(
    releases, tmp_path, monkeypatch
):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder, home = tmp_path / "student", tmp_path / "home"
    for release in releases.values():
        with zipfile.ZipFile(release.archive) as archive:
            archive.extractall(folder)
    python = make_environment(tmp_path / "environment")
    with running_lab(folder, home, python) as lab:
        for assignment in (*ASSIGNMENTS, ASSIGNMENTS[0]):
            release = releases[assignment]
            path = f"{assignment}/{assignment}.ipynb"
            with opened_notebook(lab, release.notebook, path) as notebook:
                (setup,) = [n for n, cell in enumerate(notebook.cells) if cell.id == "setup"]
                output = notebook.run(setup)
                version = release.wheel.name.split("-")[1]
                expect(output).to_contain_text(f"helpers {version}, profile quick")
                expect(output).not_to_contain_text("Error")
                notebook.picture(f"setup-{assignment}", setup)
