"""Pages of the hostile class in a real browser, where every script that can run calls `steal`."""

import shutil
from collections.abc import Iterator

import pytest
from corpus import SCRIPTED
from hostile_class import RUN_SECONDS
from playwright.sync_api import Page, sync_playwright
from scripted import ACTIVE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(RUN_SECONDS + 300),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

TRY_EVERYTHING = """
async () => {
    // Links that only lead elsewhere would take the page away.
    document.addEventListener("click", (event) => {
        const link = event.target.closest && event.target.closest("a[href], area[href]");
        if (link && link.protocol !== "javascript:") event.preventDefault();
    }, true);
    document.addEventListener("submit", (event) => event.preventDefault(), true);
    for (const element of document.querySelectorAll("*")) {
        for (const kind of ["mouseover", "focus", "toggle", "load", "error", "begin"])
            element.dispatchEvent(new Event(kind, {bubbles: true, cancelable: true}));
        element.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    return window.stolen || 0;
}
"""
"""Triggers everything that makes a script run, on every element; returns how often one ran."""


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        # Chromium's own sandbox cannot be set up in a container.
        options = ["--headless=new", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.route("**/*", lambda route: route.abort())
        page.add_init_script("window.steal = () => { window.stolen = (window.stolen || 0) + 1 }")
        yield page
        browser.close()


def scripts_run_by(page: Page, html: str) -> int:
    page.goto("about:blank")  # to start with a new window
    page.set_content(html, wait_until="domcontentloaded")
    return page.evaluate(TRY_EVERYTHING)


@pytest.mark.thorough
def test_most_of_the_scripts_run_if_nothing_stops_them(browser_page):
    """Otherwise the tests below would prove nothing."""
    run = [html for html in ACTIVE if scripts_run_by(browser_page, html)]
    assert len(run) > len(ACTIVE) / 2


@pytest.mark.parametrize("hostile", SCRIPTED, ids=lambda entry: entry.name)
def test_no_script_of_a_submission_runs_on_its_feedback_page(browser_page, graded, hostile):
    assert scripts_run_by(browser_page, graded.page(hostile.student)) == 0


def test_no_script_of_a_submission_runs_on_the_class_report(browser_page, graded):
    assert scripts_run_by(browser_page, graded.report) == 0
