"""A person marks written answers by keys, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from accessibility import violations
from graded_course import ASSIGNMENT
from in_jupyterlab import BROWSER_OPTIONS, CHROMIUM, PICTURES
from playwright.sync_api import Page, expect, sync_playwright
from written_class import QUESTION, WrittenClass, served

from autograder.marking.marks import Change, Mark, give

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

ALIKE = "The middle rate is best: the small one creeps and the large one overshoots{}"
ANSWERS = {
    "empty": "",
    "ada": ALIKE.format("."),
    "ben": ALIKE.format("!"),
    "cai": "I like the small one, as its curve is smooth.",
    "mallory": "<img src=x onerror='steal()'><script>steal()</script>[0.1](javascript:steal()).",
}
WITHIN = 30_000
"""Milliseconds; generous, because other tests may be running on the same cores."""


@pytest.fixture
def course(tmp_path):
    found = WrittenClass(tmp_path)
    for student, text in ANSWERS.items():
        found.hand_in(student, text)
    return found


@pytest.fixture
def page(course) -> Iterator[Page]:
    """Open the page of the question in a new window."""
    with served(course) as address, sync_playwright() as web:
        browser = web.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        found = browser.new_page(viewport={"width": 1440, "height": 900})
        found.set_default_timeout(WITHIN)
        expect.set_options(timeout=WITHIN)
        found.add_init_script("window.steal = () => { window.stolen = true }")
        found.goto(address + QUESTION)
        yield found
        assert not found.evaluate("window.stolen")
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(page, scheme):
    page.emulate_media(color_scheme=scheme)
    # An image without a description in a student's answer is no fault of the page.
    page.evaluate("document.querySelector('img:not([alt])').remove()")
    assert violations(page) == []
    page.get_by_role("link", name=ASSIGNMENT).click()
    assert violations(page) == []


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def current(page):
    return page.locator("[aria-current] h3")


def saved(page, marked):
    """Wait until the page says that everything is saved."""
    expect(page.locator("#progress")).to_have_text(f"{marked} of {len(ANSWERS)} marked")
    expect(page.get_by_role("status")).to_contain_text("Saved.")


def add_item(page, points, comment):
    press(page, "a")
    page.keyboard.type(points)
    press(page, "Tab")
    page.keyboard.type(comment)
    press(page, "Enter")
    expect(page.get_by_role("button", name=comment).first).to_be_visible()


def test_answers_are_marked_by_keys_alone_and_a_reload_resumes(course, page):
    expect(current(page)).to_have_text("Answer 1")  # the empty one
    press(page, "p", "0", "Enter")
    saved(page, 1)
    assert course.grade("empty") == (0.0, False, None)

    expect(current(page)).to_have_text("Answer 2")  # one of two that are alike
    add_item(page, "4", "Names the middle rate.")
    add_item(page, "-1", "Too short.")
    press(page, "1", "2", "g")
    saved(page, 3)
    for student in ("ada", "ben"):
        assert course.grade(student) == (3.0, False, "Names the middle rate.\nToo short.")

    press(page, "2")  # takes it back, for one of them
    expect(page.locator("[aria-current] .tag")).to_have_text("4 of 6")
    saved(page, 3)
    assert sorted(course.grade(student)[0] for student in ("ada", "ben")) == [3.0, 4.0]

    page.reload()
    expect(page.locator("#progress")).to_have_text("3 of 5 marked")
    expect(current(page)).to_have_text("Answer 4")
    press(page, "j", "k", "f", "Enter")
    saved(page, 4)
    expect(current(page)).to_have_text("Answer 5")
    press(page, "1", "c")
    page.keyboard.type(" Well done.")
    press(page, "Control+Enter")
    saved(page, 5)
    comments = {course.grade(student)[2] for student in ("cai", "mallory")}
    assert comments == {None, "Names the middle rate. Well done."}
    expect(page.get_by_role("status")).to_contain_text("All answers are marked.")
    page.screenshot(path=PICTURES / "marking.png")


def test_points_out_of_range_are_said_and_not_saved(course, page):
    press(page, "p")
    page.keyboard.type("66")
    press(page, "Enter")
    error = page.get_by_role("alert").filter(has_text="Points must be a number from 0 to 6.")
    expect(error).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Not saved: Answer 1.")
    assert course.grade("empty") == (None, True, None)
    expect(page.locator("[aria-current] .points")).to_have_value("66")


def test_0_gives_zero_points_and_keeps_the_comment(course, page):
    press(page, "c")
    page.keyboard.type("Nothing here.")
    press(page, "Escape", "0", "Enter")
    saved(page, 1)
    assert course.grade("empty") == (0.0, False, "Nothing here.")
    expect(current(page)).to_have_text("Answer 2")


def test_items_that_only_take_points_off_take_them_off_the_full_points(course, page):
    add_item(page, "-1", "Too short.")
    add_item(page, "-0.5", "No unit.")
    add_item(page, "0", "See the lecture.")
    add_item(page, "2", "Names the rate.")
    points = page.locator("[aria-current] .points")
    for key, most in (("1", "5"), ("3", "5"), ("2", "4.5"), ("4", "0.5"), ("4", "4.5")):
        press(page, key)
        expect(points).to_have_value(most)
    saved(page, 1)
    assert course.grade("empty")[0] == 4.5


def test_x_clears_and_the_answer_waits_again(course, page):
    press(page, "f")
    saved(page, 1)
    press(page, "x")
    expect(page.locator("[aria-current] .tag")).to_have_text("not marked")
    saved(page, 0)
    assert course.grade("empty") == (None, True, None)


def test_what_somebody_else_gave_meanwhile_is_shown_and_yours_stays_typed(course, page):
    give(course.paths, ASSIGNMENT, QUESTION, [Change("empty", Mark(), Mark(1.0, "Theirs."))])
    press(page, "f")
    expect(page.get_by_role("alert").filter(has_text="1 point, “Theirs.”")).to_be_visible()
    expect(page.locator("[aria-current] .points")).to_have_value("6")
    assert course.grade("empty") == (1.0, False, "Theirs.")
    press(page, "Enter")
    expect(current(page)).to_have_text("Answer 2")
    saved(page, 1)
    assert course.grade("empty") == (6.0, False, None)


def test_keys_that_are_typed_quickly_mark_the_answer_that_is_meant(course, page):
    add_item(page, "4", "Names the middle rate.")
    page.route("**/marks", lambda route: (time.sleep(0.5), route.continue_()))
    press(page, "p", "0", "Enter", "1", "g", "n", "f", "Enter", "p", "2", "Enter")
    saved(page, 5)
    points = {student: course.grade(student)[0] for student in ANSWERS}
    assert points.pop("empty") == 0.0
    assert points.pop("ada") == points.pop("ben") == 4.0
    assert sorted(points.values()) == [2.0, 6.0]


def test_everything_works_by_mouse_and_has_a_name_for_a_screen_reader(course, page):
    answer = page.get_by_role("article", name="Answer 2")
    answer.click()
    answer.get_by_label("Points").fill("2.5")
    answer.get_by_label("Comment").fill("By mouse.")
    answer.get_by_role("button", name="Give it to all unmarked ones").click()
    saved(page, 2)
    assert course.grade("ada") == course.grade("ben") == (2.5, False, "By mouse.")
    form = page.get_by_role("complementary", name="Rubric and comments")
    form.get_by_label("Comment for the student").fill("See the lecture.")
    form.get_by_role("button", name="Add").click()
    item = form.get_by_role("button", name="See the lecture.").first
    expect(item).to_have_attribute("aria-pressed", "false")
    item.click()
    expect(item).to_have_attribute("aria-pressed", "true")
    form.get_by_role("button", name="Remove the item “See the lecture.”").click()
    expect(form.get_by_role("listitem")).to_have_count(0)
    page.get_by_role("button", name="Keys").click()
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_label("Use single keys").uncheck()
    dialog.get_by_role("button", name="Close").click()
    press(page, "j", "f", "0")
    expect(page.locator("#progress")).to_have_text("2 of 5 marked")
