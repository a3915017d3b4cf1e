"""The documentation can be read by everybody: axe finds nothing wrong in the pages of the site."""

import pytest
from accessibility import violations
from built_site import build_site
from in_jupyterlab import CHROMIUM
from made_once import made_once

pytest.importorskip("mkdocs", reason="`make docs` installs MkDocs")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.timeout(600),  # the first test of all waits for the site to be built
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

PAGES = [
    "index.html",
    "first-class.html",
    "design.html",
    "safety.html",
    "speed.html",
    "accuracy/full.html",
    "assignments/sparse_linear.html",
    "assignments/quantization.html",
    "api/helpers.training.html",
]
SCHEMES = ["light", "dark"]
A_PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def site(tmp_path_factory, worker_id):
    return made_once(tmp_path_factory, worker_id, "site", build_site)


@pytest.fixture
def opened(page, site):
    def open_page(name, scheme="light"):
        page.emulate_media(color_scheme=scheme)
        page.goto((site / name).as_uri())
        return page

    return open_page


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_wrong_in_a_page_of_the_site(opened, name, scheme):
    assert violations(opened(name, scheme)) == []


@pytest.mark.parametrize("name", ["index.html", "design.html", "assignments/quantization.html"])
def test_axe_finds_nothing_wrong_on_a_narrow_screen(opened, page, name):
    page.set_viewport_size(A_PHONE)
    assert violations(opened(name)) == []


def test_the_dark_site_is_dark(opened):
    colour = opened("index.html", "dark").evaluate(
        "getComputedStyle(document.body).backgroundColor"
    )
    assert sum(int(part) for part in colour.strip("rgb()").split(",")) < 150


def test_a_wide_table_is_moved_by_the_keyboard(opened, page):
    page.set_viewport_size(A_PHONE)
    table = opened("safety.html").locator(".md-typeset__scrollwrap[tabindex='0']").first
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
