"""The formgrader of a course, in a real browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from in_jupyterlab import BROWSER_OPTIONS, CHROMIUM, PAGE_LOADS, PICTURES, running_lab
from playwright.sync_api import expect, sync_playwright
from small_course import ASSIGNMENT, small_course, small_notebook, write_source

from autograder.new_course import new_course
from autograder.releasing.release import make_release

CONFIGURATION = """
from pathlib import Path
from autograder.configuration import course_config
from autograder.course import Course
c = get_config()
c.merge(course_config(Course(Path(__file__).parent, Path({notebooks!r}))))
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.mark.thorough
def test_generate_names_the_command_that_makes_an_audited_release_and_keeps_what_is_there(tmp_path):
    write_source(tmp_path, small_notebook())
    course = small_course(tmp_path)
    new_course(course)
    configuration = CONFIGURATION.format(notebooks=str(course.notebooks))
    (course.folder / "nbgrader_config.py").write_text(configuration)
    released = make_release(ASSIGNMENT, course)
    files = {path: path.read_bytes() for path in released.folder.rglob("*") if path.is_file()}
    scripts = str(Path(sys.executable).parent)
    path = os.pathsep.join([scripts, os.environ["PATH"]])
    with running_lab(course.folder, tmp_path / "home", PATH=path) as lab, sync_playwright() as web:
        browser = web.chromium.launch(executable_path=CHROMIUM, args=BROWSER_OPTIONS)
        page = browser.new_page()
        page.set_default_timeout(1000 * PAGE_LOADS)
        page.goto(f"{lab}/formgrader/manage_assignments")
        page.locator(".assign a").click()
        answer = page.locator(".modal-dialog")
        command = f"autograder release {ASSIGNMENT} --course {course.folder}"
        expect(answer).to_contain_text(command, timeout=1000 * PAGE_LOADS)
        page.screenshot(path=PICTURES / "formgrader-generate.png")
        browser.close()
    assert {path: path.read_bytes() for path in files} == files
