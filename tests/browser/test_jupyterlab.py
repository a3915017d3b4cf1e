"""A student's first minutes: the release in JupyterLab, in a real browser.

Screenshots of the browser are saved in ``build/browser/``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from accessibility import violations
from in_jupyterlab import CHROMIUM, NotebookPage, opened_notebook, running_lab
from playwright.sync_api import expect

from autograder.assignments import NOTEBOOKS
from autograder.course import Course
from autograder.notebook.source import solved_text
from autograder.releasing.release import Release, make_release

ASSIGNMENT = "quantization"
FIRST_SOLUTION = "affine_quantize_solution"
FIRST_CHECK = "affine_quantize_check"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Release:
    """Return the release as an instructor would make it."""
    return make_release(ASSIGNMENT, Course(tmp_path_factory.mktemp("course")))


@pytest.fixture(scope="module")
def student_folder(release, tmp_path_factory) -> Path:
    """Return the folder that a student has after unpacking the zip."""
    folder = tmp_path_factory.mktemp("student")
    with zipfile.ZipFile(release.archive) as archive:
        archive.extractall(folder)
    return folder / ASSIGNMENT


@pytest.fixture(scope="module")
def lab(release, student_folder, tmp_path_factory) -> Iterator[str]:
    """Run JupyterLab in the student's folder; yield its address.

    The kernel imports `helpers` from the student's wheel, not from this project.
    """
    installed = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(release.wheel) as wheel:
        wheel.extractall(installed)
    home = tmp_path_factory.mktemp("home")
    with running_lab(student_folder, home, PYTHONPATH=str(installed)) as address:
        yield address


@pytest.fixture
def notebook(lab, release) -> Iterator[NotebookPage]:
    """Open the notebook in a new window, and yield it when its kernel is ready."""
    with opened_notebook(lab, release.notebook, f"{ASSIGNMENT}.ipynb") as opened:
        yield opened


def solution(grade_id: str) -> str:
    """Return the source of a cell as the instructor solved it."""
    cells = nbformat.read(NOTEBOOKS / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4).cells
    cell = next(c for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    return solved_text(cell).rstrip()


def test_a_student_sees_a_public_check_fail_and_then_pass(notebook):
    to_solve, check = notebook.place(FIRST_SOLUTION), notebook.place(FIRST_CHECK)
    notebook.picture("1-opened", 0)

    for place in range(to_solve + 1):
        if notebook.cells[place].cell_type == "code":
            expect(notebook.run(place)).not_to_contain_text("Error")

    output = notebook.run(check)

    expect(output).to_contain_text("not right yet")
    expect(output).to_contain_text("✗")
    notebook.picture("2-check-fails", check)

    notebook.replace(to_solve, solution(FIRST_SOLUTION))
    notebook.run(to_solve)
    output = notebook.run(check)

    expect(output).to_contain_text("all checks pass")
    expect(output).not_to_contain_text("✗")
    notebook.picture("3-check-passes", check)


def test_the_scorecard_says_what_is_done_and_leads_to_each_question(notebook):
    to_solve = notebook.place(FIRST_SOLUTION)
    notebook.run_setup()
    notebook.replace(to_solve, solution(FIRST_SOLUTION))
    notebook.run(to_solve)
    notebook.save()

    scorecard = notebook.run(notebook.place_of("scorecard"))

    notebook.picture("4-scorecard", notebook.place_of("scorecard"))
    expect(scorecard).to_contain_text("7 of 100 points attempted")
    marks = scorecard.get_by_role("img")
    expect(marks.first).to_have_accessible_name("checks pass")
    expect(marks.nth(1)).to_have_accessible_name("empty")
    links = scorecard.get_by_role("link")
    assert links.count() > 20
    for number in (0, 10, links.count() - 1):
        link = links.nth(number)
        title = link.inner_text()
        link.click()
        heading = notebook.page.locator("h3:not([hidden])", has_text=title)
        expect(heading).to_be_in_viewport()
    notebook.picture("5-led-to-a-question")
    known = notebook.page.evaluate(
        "[...document.querySelectorAll('[data-jupyter-id]')].map(each => each.dataset.jupyterId)"
    )
    wanted = [link.get_attribute("href")[1:] for link in links.all()]
    assert [anchor for anchor in wanted if anchor not in known] == []
    assert violations(notebook.page, ".jp-OutputArea-output") == []


def test_the_last_cell_packs_what_is_handed_in(notebook, student_folder):
    notebook.run_setup()
    notebook.save()

    packing = notebook.place_of("pack")
    output = notebook.run(packing)

    notebook.picture("6-packed", packing)
    expect(output).not_to_contain_text("Error")
    expect(output).to_contain_text(f"{ASSIGNMENT}.zip")
    with zipfile.ZipFile(student_folder / f"{ASSIGNMENT}.zip") as packed:
        assert f"{ASSIGNMENT}.ipynb" in packed.namelist()
