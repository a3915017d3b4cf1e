"""An instructor's way: from a download of Canvas to the report and the feedback in a browser."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from graded_class import ASSIGNMENT, UNREADABLE, WRONG
from in_jupyterlab import CHROMIUM, PICTURES
from playwright.sync_api import expect

from autograder.cli import main
from autograder.course import Course
from autograder.grading.question_box import points_text
from autograder.reporting.results import read_class

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.timeout(1800),  # the first test of all waits for the class to be graded
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

MOST_SHEETS = 6
"""A feedback page has two to four, without the notebook, which would fill thirty."""


@pytest.fixture
def report(page, graded_class):
    """Open the class report."""
    page.goto(graded_class.class_report(ASSIGNMENT).as_uri())
    return page


def picture(page, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def picture_of_window(page, name):
    page.screenshot(path=PICTURES / f"{name}.png")


@contextmanager
def marking_pages(course: Course) -> Iterator[str]:
    """Run ``autograder mark``, and yield the address that it prints."""
    command = [sys.executable, "-m", "autograder.cli", "mark", ASSIGNMENT]
    with subprocess.Popen(
        [*command, "--course", str(course.folder)], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield server.stdout.readline().split()[1]
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=60)
    assert server.returncode == 0


def test_the_report_accounts_for_the_whole_class(report):
    picture(report, "report")
    expect(report.locator(".tiles")).to_contain_text("3 of 4 students")
    expect(report.locator("body")).to_contain_text("Turing, Alan")
    look = report.locator("section", has_text="Submissions that need a look").locator(".look")
    expect(look).to_contain_text("the submitted file is not a notebook: not JSON")


def test_a_name_leads_to_the_feedback_which_says_first_what_was_wrong(report):
    report.locator(".all").get_by_text("Boole, George").click()
    expect(report).to_have_url(re.compile(f"/feedback/{WRONG}/"))
    picture(report, "feedback")
    expect(report.locator("h2").first).to_have_text("What went wrong, and why")
    expect(report.locator(".lost .note").first).to_be_visible()
    notebook = report.locator("details.notebook")
    expect(notebook.locator(".prose").first).to_be_hidden()
    report.locator("summary").click()
    expect(notebook.locator(".prose").first).to_be_visible()
    expect(notebook.locator(".highlight").first).to_be_visible()
    assert report.locator("math").count() > 50
    assert "$" not in notebook.locator(".prose").first.inner_text()


def test_a_misconception_leads_to_the_answer_that_shows_it_and_unfolds_the_notebook(report):
    card = report.locator(".card").first
    question = card.locator("code").first.inner_text()
    explanation = card.locator("p").inner_text()
    card.locator(".who a").click()
    expect(report).to_have_url(re.compile(f"/feedback/{WRONG}/.*#{question}$"))
    answer = report.locator(f"[id='{question}']")
    expect(answer).to_be_in_viewport()
    expect(answer).to_contain_text("Your answer")
    expect(answer.locator(".highlight")).to_be_in_viewport()
    result = report.locator(".result").filter(has_text=explanation).first
    expect(result).to_be_in_viewport()
    picture_of_window(report, "feedback-misconception")


def test_a_mark_and_a_comment_travel_from_the_marking_page_to_feedback_and_report(
    browser, page, graded_class, tmp_path
):
    course = Course(tmp_path / "course")
    shutil.copytree(graded_class.folder, course.folder)  # the other tests read the class as it was
    before = {each.student: each.score for each in read_class(ASSIGNMENT, course).submissions}
    with marking_pages(course) as address:
        marking = browser.new_page()
        marking.goto(address)
        marking.get_by_role("link", name="One step, derived").first.click()
        # The page answers to keys once an answer is selected, which may take a while.
        expect(marking.locator("article[aria-current]")).to_be_visible()
        marking.keyboard.press("p")
        marking.keyboard.type("0.5")
        marking.keyboard.press("Tab")
        marking.keyboard.type("Which of the *two* terms is larger?")
        marking.keyboard.press("Control+Enter")
        expect(marking.get_by_role("status")).to_contain_text("Saved.")
        marking.close()
    assert main(["feedback", ASSIGNMENT, "--course", str(course.folder)]) == 0

    after = {each.student: each.score for each in read_class(ASSIGNMENT, course).submissions}
    [student] = [each for each in after if after[each] != before[each]]
    page.goto(course.class_report(ASSIGNMENT).as_uri())
    row = page.locator(".all tbody tr").filter(has_text=student)
    expect(row.locator(".score b")).to_have_text(points_text(before[student] + 0.5))
    row.locator("th a").click()
    entry = page.locator(".lost .comment")
    expect(entry).to_have_text("Comment Which of the two terms is larger?")
    expect(entry).to_be_visible()
    expect(page.locator("details.notebook .comment").first).to_be_hidden()
    expect(page.locator(".lost h3").filter(has_text="0.5 of")).to_have_count(1)
    picture(page, "feedback-marked")


def test_a_student_whose_file_was_no_notebook_reads_what_to_do(page, graded_class):
    page.goto(graded_class.feedback_page(UNREADABLE, ASSIGNMENT).as_uri())
    picture(page, "feedback-unreadable")
    expect(page.locator("h1")).to_have_text("Sparse linear models: five ways to find two weights")
    expect(page.locator(".lost")).to_contain_text("cannot be read as a notebook (not JSON)")
    expect(page.locator(".lost li")).to_have_count(0)
    expect(page.locator(".results")).to_contain_text("1.1 The loss")


@pytest.mark.parametrize("name", ["report", WRONG])
def test_a_printed_page_takes_few_sheets(page, graded_class, name):
    file = graded_class.class_report(ASSIGNMENT)
    if name != "report":
        file = graded_class.feedback_page(name, ASSIGNMENT)
    page.goto(file.as_uri())
    sheets = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))
    assert 1 <= len(sheets) <= MOST_SHEETS


@pytest.mark.parametrize("name", ["report", WRONG, UNREADABLE])
def test_a_page_fits_on_a_phone(page, graded_class, name):
    page.set_viewport_size({"width": 390, "height": 800})
    file = graded_class.class_report(ASSIGNMENT)
    if name != "report":
        file = graded_class.feedback_page(name, ASSIGNMENT)
    page.goto(file.as_uri())
    picture(page, f"phone-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
