"""Pages that we make can be read by everybody: axe finds nothing wrong, and a keyboard suffices.

axe tests the rules of WCAG 2 (levels A and AA) that a program can test.
"""

from __future__ import annotations

from typing import Any

import pytest
from accessibility import violations
from graded_class import ASSIGNMENT, RIGHT, UNREADABLE, WRONG
from in_jupyterlab import CHROMIUM

from autograder.references import FROZEN
from autograder.runs.html_page import html_page
from helpers.notebook_file import Notebook
from helpers.write_up import write_up

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.timeout(1800),  # the first test of all waits for the class to be graded
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

MEDIA: dict[str, dict[str, Any]] = {
    "light": {"media": "screen", "color_scheme": "light"},
    "dark": {"media": "screen", "color_scheme": "dark"},
    "printed by a dark browser": {"media": "print", "color_scheme": "dark"},
}
PAGES = ["report", RIGHT, WRONG, UNREADABLE]

NEXT_STOP = """
() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const style = getComputedStyle(at);
    at.dataset.reached = "yes";
    return {what: at.outerHTML.slice(0, 100), ring: style.outlineStyle, width: style.outlineWidth};
}
"""
NOT_REACHED = """
() => [...document.querySelectorAll("a[href], summary, button, [tabindex='0']")]
    .filter(element => element.dataset.reached !== "yes" && element.checkVisibility())
    .map(element => element.outerHTML.slice(0, 100))
"""


@pytest.fixture
def opened(page, graded_class):
    """Open one of the pages, with everything unfolded."""

    def open_page(name, medium="light"):
        file = graded_class.class_report(ASSIGNMENT)
        if name != "report":
            file = graded_class.feedback_page(name, ASSIGNMENT)
        page.emulate_media(**MEDIA[medium])
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        return page

    return open_page


def test_axe_finds_what_is_wrong(page):
    """Otherwise the tests below would prove nothing."""
    page.set_content("<main style='color: #999'>grey<img src='data:image/png;base64,AAAA'></main>")
    rules = {line.partition(":")[0] for line in violations(page)}
    assert rules >= {"color-contrast", "document-title", "html-has-lang", "image-alt"}


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_wrong(opened, name, medium):
    assert violations(opened(name, medium)) == []


def made_write_up(folder):
    marks = {"nbgrader": {"grade_id": "step", "solution": True}}
    heading = {"cell_type": "markdown", "metadata": {}, "source": "### 1.1 The step (2 points)"}
    answer = {"cell_type": "markdown", "metadata": marks, "source": "It is $s / 2$, **at most**."}
    page = folder / "write_up.html"
    page.write_text(write_up(Notebook({"cells": [heading, answer], "metadata": {}}), "Steps"))
    return page


def results_page(folder):
    return html_page(FROZEN / "full" / "README.md", folder)


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("make", [made_write_up, results_page])
def test_axe_finds_nothing_wrong_in_other_pages(page, tmp_path, make, medium):
    page.emulate_media(**MEDIA[medium])
    page.goto(make(tmp_path).as_uri())
    assert violations(page) == []


@pytest.mark.parametrize("name", ["report", WRONG])
def test_the_dark_page_is_dark_and_paper_is_white(opened, name):
    def brightness(medium):
        colour = opened(name, medium).evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.strip("rgb()").split(","))

    assert brightness("dark") < 150
    assert brightness("printed by a dark browser") > 700


@pytest.mark.parametrize("name", PAGES)
def test_every_link_and_every_fold_is_reached_by_the_tab_key_and_shows_it(opened, name):
    page = opened(name)
    stops = 0
    while True:
        page.keyboard.press("Tab")
        stop = page.evaluate(NEXT_STOP)
        if stop is None:
            break
        stops += 1
        assert stop["ring"] != "none", stop["what"]
        assert stop["width"] == "3px", stop["what"]
    assert stops > 3
    assert page.evaluate(NOT_REACHED) == []


@pytest.mark.parametrize("name", PAGES)
def test_tables_have_headers(opened, name):
    page = opened(name)
    bare = "document.querySelectorAll('table:not(:has(th[scope], thead th))').length"
    assert page.evaluate(bare) == 0


def test_a_column_of_the_report_is_sorted_by_the_keyboard(opened):
    page = opened("report")
    page.locator(".all button", has_text="Score").focus()
    page.keyboard.press("Enter")
    names = page.locator(".all tbody th a").all_inner_texts()
    assert names == ["Noether, Emmy", "Boole, George", "Lovelace, Ada"]
    column = page.locator(".all th", has=page.locator("button", has_text="Score"))
    assert column.get_attribute("aria-sort") == "ascending"
