"""A small class, graded as an instructor does it, whose pages several tests open."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_jupyterlab import BROWSER_OPTIONS, CHROMIUM
from made_once import made_once
from playwright.sync_api import Browser, Page, sync_playwright

from autograder.cli import main
from autograder.course import Course
from autograder.samples import sample_class
from autograder.sandbox.bubblewrap import SandboxUnavailable, require

ASSIGNMENT = "sparse_linear"

# Who hands in which sample, under the name that Canvas gives to the file.
HAND_INS = {
    "lovelaceada_101_5001_sparse_linear.ipynb": "solution",
    "boolegeorge_LATE_102_5002_sparse_linear-1.ipynb": "mistakes-1",
    "noetheremmy_103_5003_sparse_linear.ipynb": "not-json",
}
ROSTER = """\
id,first_name,last_name,email
lovelaceada,Ada,Lovelace,
boolegeorge,George,Boole,
noetheremmy,Emmy,Noether,
turingalan,Alan,Turing,
"""
RIGHT, WRONG, UNREADABLE = "lovelaceada", "boolegeorge", "noetheremmy"

def _grade_a_class(folder: Path) -> None:
    """Go from an empty folder to feedback and report, by the commands of an instructor."""
    at = ["--course", str(folder)]
    assert main(["init", *at]) == 0
    (folder / "roster.csv").write_text(ROSTER)
    (folder / "course.toml").write_text('roster = "roster.csv"\n')
    assert main(["release", ASSIGNMENT, *at]) == 0
    course = Course(folder)
    made = folder / "samples"
    sample_class(ASSIGNMENT, course.released_notebook(ASSIGNMENT), made, mistakes=1)
    download = folder / "submissions.zip"
    with zipfile.ZipFile(download, "w") as archive:
        for name, sample in HAND_INS.items():
            archive.write(made / sample / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", name)
    assert main(["grade", ASSIGNMENT, "--from", str(download), "--jobs", "2", *at]) == 0
    assert main(["report", ASSIGNMENT, *at]) == 0


@pytest.fixture(scope="session")
def graded_class(tmp_path_factory, worker_id) -> Course:
    """Return the course in which a download of Canvas has been graded."""
    try:
        require()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    return Course(made_once(tmp_path_factory, worker_id, "graded-class", _grade_a_class))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """Open a window, in which a page that loads anything from elsewhere fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    asked: list[str] = []

    def only_files(route):
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    context.route("**/*", only_files)
    yield context.new_page()
    context.close()
    assert asked == []
