"""Formulas are shown in a browser that reaches no other machine."""

import re

import pytest
from in_jupyterlab import BROWSER_OPTIONS, CHROMIUM, PICTURES
from nbformat.v4 import new_markdown_cell, new_notebook
from playwright.sync_api import sync_playwright

from autograder.grading.feedback import FeedbackExporter
from autograder.grading.safe_html import HTML_FILTERS
from helpers.notebook_file import Notebook
from helpers.write_up import write_up

ANSWER = r"""The step is $s = \frac{w_\max - w_\min}{2^n - 1}$, and so

$$\hat w = \left\lfloor \frac{w - w_\min}{s} \right\rceil \cdot s + w_\min .$$

\begin{align} E &\le \tfrac{s}{2} \\ &= \tfrac{1}{2} s \end{align}
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def page():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        context = browser.new_context(offline=True)
        yield context.new_page()
        browser.close()


def made_write_up():
    marks = {"nbgrader": {"grade_id": "step", "solution": True}}
    heading = {"cell_type": "markdown", "metadata": {}, "source": "### 1.1 The step (2 points)"}
    answer = {"cell_type": "markdown", "metadata": marks, "source": ANSWER}
    return write_up(Notebook({"cells": [heading, answer], "metadata": {}}), "quantization")


def made_feedback():
    resources = {
        "feedback": {"title": "Quantization", "questions": [], "attempts": []},
        "nbgrader": {"student": "ada", "score": 1.0, "late_penalty": 0},
    }
    exporter = FeedbackExporter(filters=HTML_FILTERS)
    notebook = new_notebook(cells=[new_markdown_cell(ANSWER)])
    return exporter.from_notebook_node(notebook, resources)[0]


@pytest.mark.parametrize("make", [made_write_up, made_feedback])
def test_a_page_shows_its_formulas_and_asks_nobody_for_anything(make, page, tmp_path):
    file, asked = tmp_path / "page.html", []
    file.write_text(make(), encoding="utf-8")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"formulas-{make.__name__}.png")

    assert [url for url in asked if not re.match("file:|data:", url)] == []
    formulas = page.locator("math")
    assert formulas.count() == 3
    above, below = (page.locator("mfrac > *").nth(place).bounding_box() for place in (0, 1))
    assert above["y"] + above["height"] <= below["y"] + 1, "a fraction has a numerator on top"
    assert "\\frac" not in page.locator("body").inner_text()
