"""The graded class, and a browser window that notices what a page loads from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graded_class import grade_a_class
from in_jupyterlab import BROWSER_OPTIONS, CHROMIUM
from made_once import made_once
from playwright.sync_api import Browser, Page, sync_playwright

from autograder.course import Course
from autograder.sandbox.bubblewrap import SandboxUnavailable, require


@pytest.fixture(scope="session")
def graded_class(tmp_path_factory, worker_id) -> Course:
    """Return the course in which a download of Canvas has been graded."""
    try:
        require()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    return Course(made_once(tmp_path_factory, worker_id, "graded-class", grade_a_class))


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
