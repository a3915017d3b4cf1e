"""The documentation as a site: it is complete, it needs nobody else, and it gives nothing away."""

import re
from html.parser import HTMLParser

import pytest
from built_site import build_site
from made_once import made_once
from shell_blocks import PROJECT

from autograder.assignments import NOTEBOOKS, Assignment, assignments, in_course_order
from autograder.references import sweeps
from autograder.releasing.audit import audit

pytest.importorskip("mkdocs", reason="`make docs` installs MkDocs")

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*(?:src|href)=["'](https?:)?//""")


class Text(HTMLParser):
    """The text of a page, as a reader sees it."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_data(self, data):
        self.parts.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory, worker_id):
    return made_once(tmp_path_factory, worker_id, "site", build_site)


def text_of(page):
    reader = Text()
    reader.feed(page.read_text(encoding="utf-8"))
    return "".join(reader.parts)


def test_every_assignment_has_a_page_with_its_formulas_and_questions(site):
    for assignment in assignments():
        page = (site / "assignments" / f"{assignment}.html").read_text(encoding="utf-8")
        assert "<math" in page
        assert "YOUR CODE HERE" in page
        assert "$" not in re.sub(r"<(pre|code|script).*?</\1>", "", page, flags=re.DOTALL)


def test_every_assignment_has_a_figure_that_explains_it_beside_its_learning_curves(site):
    for assignment in in_course_order():
        page = (site / "assignments" / f"{assignment.name}.html").read_text(encoding="utf-8")
        shown = re.findall(rf'<img alt="([^"]+)" src="({assignment.name}-\d\.png)"', page)
        alternatives = [text for text, _ in shown]
        assert not alternatives[0].startswith("Learning curves"), assignment.name
        assert all(re.search(r"\d", text) for text in alternatives)
        assert all((site / "assignments" / name).stat().st_size > 5000 for _, name in shown)


def test_a_figure_tells_what_the_reference_run_measured(site):
    page = (site / "assignments" / "pruning.html").read_text(encoding="utf-8")
    measured = sweeps("quick")["pruned_per_layer"]["figures"]["60 %"]
    assert f"{100 * measured:.1f} % at 60 %" in page


def test_the_version_is_shown(site):
    version = re.search(r'^version = "(.+)"$', (PROJECT / "pyproject.toml").read_text(), re.M)[1]
    assert f"Version {version}" in text_of(site / "index.html")


def test_no_page_asks_another_server_for_anything(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    asking = {p.name: ELSEWHERE.findall(p.read_text(encoding="utf-8")) for p in pages}
    assert {name: found for name, found in asking.items() if found} == {}
    assert not any("googleapis" in p.read_text() for p in site.rglob("*.css"))


def test_the_drawing_is_part_of_its_page_and_has_a_description(site):
    page = (site / "design.html").read_text(encoding="utf-8")
    drawing = re.search(r'<svg class="drawing".*?</svg>', page, re.DOTALL)[0]
    assert 'role="img"' in drawing
    assert re.search(r"<desc[^>]*>[^<]{80,}", drawing)


def test_every_picture_is_described(site):
    pictures = [
        (page.name, image)
        for page in site.rglob("*.html")
        for image in re.findall(r"<img [^>]*>", page.read_text(encoding="utf-8"))
    ]
    assert pictures
    assert [(p, i) for p, i in pictures if not re.search(r'alt="[^"]{8,}"', i)] == []


@pytest.mark.thorough
@pytest.mark.parametrize("assignment", assignments())
def test_no_page_shows_a_solution_a_hidden_test_or_a_mark_scheme(assignment, site, tmp_path):
    # The audit of a release reads the text that a reader can select: on this assignment's page, and
    # on those of none. The pages of the others show what their own notebooks may show.
    others = {f"{name}.html" for name in assignments()} - {f"{assignment}.html"}
    for page in site.rglob("*.html"):
        if page.parent.name != "assignments" or page.name not in {*others, "index.html"}:
            copy = tmp_path / "pages" / page.relative_to(site).with_suffix(".txt")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text_of(page), encoding="utf-8")
    source = NOTEBOOKS / assignment / f"{assignment}.ipynb"
    unlocks = Assignment(assignment, source).unlocks
    found = audit(tmp_path / "pages", source, unlocks=unlocks)
    secret = {"solution", "hidden test", "mark scheme", "reference module"}
    assert [leak for leak in found if leak.kind in secret] == []


@pytest.mark.thorough
def test_a_solution_on_a_page_would_be_found(site, tmp_path):
    (tmp_path / "page.txt").write_text("bytes_after = 1 * w.size + 2 * 4\n" * 2)
    source = NOTEBOOKS / "quantization" / "quantization.ipynb"
    assert "solution" in {leak.kind for leak in audit(tmp_path, source)}
