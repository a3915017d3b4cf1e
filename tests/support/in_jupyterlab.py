"""JupyterLab in a real browser, as a student sees it."""

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

__all__ = ["CHROMIUM", "NotebookPage", "opened_notebook", "running_lab"]

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


@contextmanager
def running_lab(
    folder: Path, home: Path, python: str | Path = sys.executable, **environment: str
) -> Iterator[str]:
    """Run JupyterLab in a student's folder, with a home of its own; yield its address.

    Parameters
    ----------
    folder
        The folder that JupyterLab shows.
    home
        An empty folder for everything that JupyterLab and its kernels write.
    python
        The Python that runs the kernels.
    **environment
        Further environment variables of the kernels.
    """
    for name, settings in LAB_SETTINGS.items():
        file = home / "settings" / f"{name.replace(':', '/')}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    kernel = home / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    program = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    about = {"argv": program, "display_name": "Python 3", "language": "python"}
    kernel.write_text(json.dumps(about))
    environment = {
        **os.environ,
        "HOME": str(home),
        "COURSE_PROFILE": "quick",
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_PATH": str(home / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "MPLCONFIGDIR": str(home / "matplotlib"),
        **environment,
    }
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"),
    ]
    log = home / "jupyterlab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=output
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

    def place_of(self, cell_id: str) -> int:
        """Return the place of the cell with an id."""
        return [cell.id for cell in self.cells].index(cell_id)

    def cell(self, place: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(place)

    def run(self, place: int) -> Locator:
        """Run a code cell as a student does, with Shift+Enter; return its output area."""
        cell = self.cell(place)
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        # JupyterLab drops what is run before it has connected to a new kernel, and does not say so.
        for patience in (20, 40, PAGE_LOADS):
            cell.locator(".cm-content").click()
            self.page.keyboard.press("Shift+Enter")
            try:
                expect(prompt).not_to_have_text(before, timeout=1000 * patience)
                break
            except AssertionError:
                if patience == PAGE_LOADS:
                    raise
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=1000 * CELL_RUNS)
        return cell.locator(".jp-Cell-outputArea")

    def run_setup(self) -> Locator:
        """Run the setup cell; return its output area."""
        return self.run(self.place_of("setup"))

    def save(self) -> None:
        """Save the notebook, and wait until its file is written."""
        self.page.keyboard.press("ControlOrMeta+s")
        expect(self.page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)

    def replace(self, place: int, source: str) -> None:
        """Replace the source of a code cell by typing in the browser."""
        self.cell(place).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)

    def picture(self, name: str, place: int | None = None) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        if place is not None:
            self.cell(place).scroll_into_view_if_needed()
        self.page.screenshot(path=PICTURES / f"{name}.png")


@contextmanager
def opened_notebook(lab: str, notebook: Path, path: str) -> Iterator[NotebookPage]:
    """Open a notebook in a new window, and yield it when its kernel is ready.

    Parameters
    ----------
    lab
        The address of JupyterLab.
    notebook
        The notebook's file.
    path
        The path of the file in JupyterLab.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(1000 * PAGE_LOADS)
        expect.set_options(timeout=1000 * PAGE_LOADS)
        page.goto(f"{lab}/lab/tree/{path}?reset")
        opened = NotebookPage(page, notebook)
        expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(len(opened.cells))
        kernel = page.locator(".jp-Notebook-ExecutionIndicator")
        expect(kernel).to_have_attribute("data-status", "idle")
        try:
            yield opened
        except BaseException:
            opened.picture(f"failed-{notebook.stem}")
            raise
        finally:
            browser.close()
