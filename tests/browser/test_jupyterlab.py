"""A student's first minutes: the release in JupyterLab, in a real browser.

Screenshots of the browser are saved in ``build/browser/``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from autograder.assignments import NOTEBOOKS
from autograder.course import Course
from autograder.notebook.source import solved_text
from autograder.releasing.release import Release, make_release

ASSIGNMENT = "quantization"
FIRST_SOLUTION = "affine_quantize_solution"
FIRST_CHECK = "affine_quantize_check"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PICTURES = Path(__file__).parents[2] / "build" / "browser"

# Seconds; generous, because other tests may be running on the same two cores.
SERVER_STARTS = 120
PAGE_LOADS = 120
CELL_RUNS = 180

# No requests in the background; and Chromium's own sandbox cannot be set up in a container.
BROWSER_OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAB_SETTINGS = {
    # A cell that is out of sight stays in the page, so that it can be found and scrolled to.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
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
    """Start JupyterLab in the student's folder, with its own home; yield its address.

    The kernel imports `helpers` from the student's wheel, not from this project.
    """
    home = tmp_path_factory.mktemp("home")
    installed = home / "site-packages"
    with zipfile.ZipFile(release.wheel) as wheel:
        wheel.extractall(installed)
    for name, settings in LAB_SETTINGS.items():
        file = home / "settings" / f"{name.replace(':', '/')}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    environment = {
        **os.environ,
        "HOME": str(home),
        "PYTHONPATH": str(installed),
        "COURSE_PROFILE": "quick",
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "MPLCONFIGDIR": str(home / "matplotlib"),
    }
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", f"--ServerApp.root_dir={student_folder}"),
    ]
    log = home / "jupyterlab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=environment, cwd=student_folder, stdout=output, stderr=output
        )
    try:
        wait_for(f"{address}/api/status", server, log)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Ask until the server answers; fail with its log if it ends or stays silent."""
    deadline = time.monotonic() + SERVER_STARTS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


class NotebookPage:
    """The release's notebook, open in JupyterLab."""

    def __init__(self, page: Page, notebook: Path) -> None:
        self.page = page
        self.cells = nbformat.read(notebook, as_version=4).cells

    def place(self, grade_id: str) -> int:
        """Return the place of a question's cell in the notebook, counted from 0."""
        marks = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in self.cells]
        return marks.index(grade_id)

    def cell(self, place: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(place)

    def run(self, place: int) -> Locator:
        """Run a code cell as a student does, with Shift+Enter; return its output area."""
        cell = self.cell(place)
        cell.locator(".cm-content").click()
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        self.page.keyboard.press("Shift+Enter")
        expect(prompt).not_to_have_text(before)
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=1000 * CELL_RUNS)
        return cell.locator(".jp-Cell-outputArea")

    def replace(self, place: int, source: str) -> None:
        """Replace the source of a code cell by typing in the browser."""
        self.cell(place).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)

    def picture(self, name: str, place: int) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.cell(place).scroll_into_view_if_needed()
        self.page.screenshot(path=PICTURES / f"{name}.png")


@pytest.fixture
def notebook(lab, release) -> Iterator[NotebookPage]:
    """Open the notebook in a new window, and yield it when its kernel is ready."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(1000 * PAGE_LOADS)
        expect.set_options(timeout=1000 * PAGE_LOADS)
        page.goto(f"{lab}/lab/tree/{ASSIGNMENT}.ipynb?reset")
        opened = NotebookPage(page, release.notebook)
        expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(len(opened.cells))
        kernel = page.locator(".jp-Notebook-ExecutionIndicator")
        expect(kernel).to_have_attribute("data-status", "idle")
        yield opened
        browser.close()


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
