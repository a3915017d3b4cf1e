"""A student's way from a link to the zip: the notebook alone, in an environment without the course.

The release is served by this machine. The environment has the packages with which the tests run,
and the setup cell installs the course in it. Screenshots are saved in ``build/browser/``.
"""

from __future__ import annotations

import re
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from accessibility import violations
from file_server import serving
from in_jupyterlab import CHROMIUM, NotebookPage, opened_notebook, running_lab
from playwright.sync_api import expect
from separate_environment import make_environment
from source_notebook import cells

from autograder.course import Course
from autograder.notebook.source import solved_text
from autograder.releasing.release import make_release

ASSIGNMENT = "quantization"
QUESTION = "affine_quantize"
WRONG = """\
def quantize(w, bits=8):
    minimum = float(w.min())
    scale = (float(w.max()) - minimum) / (2**bits - 1) or 1.0
    return np.floor((w - minimum) / scale).astype(np.uint8), scale, minimum
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture
def folder(tmp_path) -> Iterator[Path]:
    """Serve a release; yield a folder with nothing but the notebook that its link leads to."""
    course, mine = tmp_path / "course", tmp_path / "mine"
    (course / "release").mkdir(parents=True)
    mine.mkdir()
    with serving(course / "release") as (_, address):
        (course / "course.toml").write_text(f'releases = "{address}"\n')
        make_release(ASSIGNMENT, Course(course))
        name = f"{ASSIGNMENT}.ipynb"
        with urllib.request.urlopen(f"{address}/{ASSIGNMENT}/{name}", timeout=60) as link:
            (mine / name).write_bytes(link.read())
        yield mine


@pytest.fixture
def packages(tmp_path) -> Path:
    """Return the folder of the packages of an environment without the course."""
    python = make_environment(tmp_path / "environment")
    return next(python.parents[1].glob("lib/python*/site-packages"))


@pytest.fixture
def notebook(folder, packages, tmp_path) -> Iterator[NotebookPage]:
    """Open the notebook in JupyterLab, whose kernel is that of the environment."""
    python = packages.parents[2] / "bin" / "python"
    # Neither this checkout nor the network helps.
    alone = {"PYTHONPATH": "", "PIP_NO_INDEX": "1"}
    file = folder / f"{ASSIGNMENT}.ipynb"
    with (
        running_lab(folder, tmp_path / "home", python, **alone) as lab,
        opened_notebook(lab, file, file.name) as opened,
    ):
        yield opened


def test_a_student_comes_from_a_link_to_a_zip(notebook, folder, packages):
    assert not list(packages.glob("helpers"))
    expect(notebook.run_setup()).to_contain_text(re.compile(r"helpers 0\.1\.0\+c\w{12}, profile"))
    assert list(packages.glob("helpers"))

    answer, check = notebook.place(f"{QUESTION}_solution"), notebook.place_of(f"{QUESTION}_check")
    notebook.replace(answer, WRONG)
    notebook.run(answer)
    said = notebook.run(check)
    expect(said).to_contain_text("not right yet")
    picture = said.get_by_role("img", name=re.compile("6 of 16 values differ"))
    assert picture.evaluate("each => each.naturalWidth") > 0
    assert violations(notebook.page, ".jp-OutputArea-output") == []
    notebook.picture("link-1-check-fails", check)

    (solution,) = [cell for cell in cells(ASSIGNMENT) if cell.id == f"{QUESTION}_solution"]
    notebook.replace(answer, solved_text(solution).rstrip())
    notebook.run(answer)
    said = notebook.run(check)
    expect(said).to_contain_text("all checks pass")
    expect(said.locator("img")).to_have_count(0)

    notebook.save()
    said = notebook.run(notebook.place_of("scorecard"))
    expect(said).to_contain_text("7 of 100 points attempted")
    expect(said.get_by_role("img").first).to_have_accessible_name("checks pass")

    packing = notebook.place_of("pack")
    notebook.replace(packing, f'pack("{ASSIGNMENT}", "Ada Lovelace");')
    notebook.save()
    said = notebook.run(packing)
    expect(said).to_contain_text(f"Ada_Lovelace_{ASSIGNMENT}.zip")
    expect(said).to_contain_text("7 of 100 points attempted")
    expect(said.get_by_role("img").first).to_have_accessible_name("answered")
    notebook.picture("link-2-packed", packing)
    with zipfile.ZipFile(folder / f"Ada_Lovelace_{ASSIGNMENT}.zip") as packed:
        handed_in = nbformat.reads(packed.read(f"{ASSIGNMENT}.ipynb").decode(), as_version=4)
    assert solved_text(solution).rstrip() in [cell.source for cell in handed_in.cells]
