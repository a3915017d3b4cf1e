"""A student's text on a page keeps its looks, cannot act and cannot delay the page."""

import re
import time
from html import unescape
from html.parser import HTMLParser

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.configuration import course_config
from autograder.course import Course
from autograder.grading import clean_html, safe_html
from autograder.grading.question_box import GradedCheck, question_box
from autograder.grading.safe_html import sanitize_html
from helpers.checks.result import CheckResult

BOX = question_box(
    5, 8, [GradedCheck("3 bits", 0.5, "half of it is right", "You cut off the fraction.")]
)


@pytest.mark.parametrize(
    "attack",
    [
        "<script>steal()</script>",
        "<img src=x onerror=steal()>",
        "<a href='javascript:steal()'>x</a>",
        "<a href=' JaVa&#09;script:steal()'>x</a>",
        "<a href='data:text/html,steal()'>x</a>",
        "<iframe srcdoc='steal()'></iframe>",
        "<svg onload=steal()></svg>",
        "<noscript><p title='</noscript><img src=x onerror=steal()>'></p></noscript>",
        "<img src='https://example.org/steal()'>",
        "<p style='background-image: url(https://example.org/steal())'>x</p>",
        "<math href='javascript:steal()'><mi>x</mi></math>",
        "<math><mtext><img src=x onerror=steal()></mtext></math>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;<img onerror=steal()>'>",
        "<math><annotation-xml encoding='text/html'><script>steal()</script></annotation-xml>",
    ],
)
def test_html_that_acts_or_loads_is_made_harmless(attack):
    html = sanitize_html(attack)

    live = re.findall(r"<(\w+)([^>]*)>", html)
    assert not [t for t, _ in live if t in {"script", "iframe", "svg", "noscript"}]
    assert not [a for _, a in live if "steal" in re.sub(r"title=\"[^\"]*\"", "", a)]


def test_a_students_text_cannot_pass_for_a_part_of_the_formgraders_form():
    html = sanitize_html("<div id='ste_layer' class='nbgrader_cell'><input class='score'></div>")

    assert html == "<div></div>"


@pytest.mark.parametrize("style", ["position: fixed", "z-index: 9", "top: 0"])
def test_a_students_text_cannot_be_laid_over_the_page(style):
    assert style.split(":")[0] not in sanitize_html(f"<div style='{style}'>x</div>")


@pytest.mark.parametrize(
    "html",
    [BOX, CheckResult("quantize", ("8 bits give 256 levels",), "4 bits", "`16`")._repr_html_()],
    ids=["result", "public check"],
)
def test_our_boxes_keep_their_looks(html):
    assert len(styles(html)) > 20
    assert styles(sanitize_html(html)) == styles(html)


def styles(html):
    """Return every property with its value, in one of the ways in which it may be written."""
    found = re.findall(r'style="([^"]*)"', html)
    declarations = [d for style in found for d in unescape(style).replace('"', "'").split(";") if d]
    return [re.sub(r"\s|\b0(?=\.)", "", declaration) for declaration in declarations]


def test_a_data_frame_keeps_its_table_and_loses_its_style_sheet():
    table = "<table><tbody><tr><td>1</td></tr></tbody></table>"

    assert sanitize_html(f"<style scoped>.dataframe {{color: red}}</style>{table}") == table


class Document(HTMLParser):
    """Every tag of a document, with its attributes."""

    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


def properties(style):
    """Return the names of a style's properties, which precede a colon outside any value."""
    while style != (style := re.sub(r"\"[^\"]*\"|'[^']*'|\([^()]*\)", "", style)):
        pass
    return {part.partition(":")[0].strip().lower() for part in style.split(";") if part.strip()}


others = ["script", "style", "svg", "math", "iframe", "form", "input", "template", "noscript"]
names = [*clean_html._TAGS, *others]
values = st.one_of(
    st.sampled_from(
        [
            "javascript:steal()",
            " JaVa\tscript:steal()",
            "data:text/html,steal()",
            "data:image/png;base64,AAAA",
            "https://example.org/?a=1&b=2",
            "//example.org",
            "highlight",
            "k1",
            "color: red; position: fixed; background: url(https://example.org)",
            'posi\\74ion: fixed; color: "; top: 0',
            "font-family: 'a;b', serif; --x: 1; width: calc(1px + (2px))",
        ]
    ),
    st.text(max_size=10),
)
attributes = st.tuples(
    st.sampled_from(["href", "src", "style", "class", "id", "name", "onclick", "title", "action"]),
    values,
    st.sampled_from(["{}='{}'", '{}="{}"', "{}={}", "{} = '{}", "/{}='{}'"]),
).map(lambda parts: parts[2].format(*parts[:2]))
pieces = st.one_of(
    st.tuples(st.sampled_from(names), st.lists(attributes, max_size=3)).map(
        lambda tag: f"<{tag[0]} {' '.join(tag[1])}>"
    ),
    st.sampled_from(names).map("</{}>".format),
    st.sampled_from(["<!--", "-->", "<![CDATA[", "]]>", "<", ">", '"', "'", "&lt;", "&#60;", "\0"]),
    st.text(max_size=10),
)


@settings(max_examples=500)
@given(st.lists(pieces, max_size=20).map("".join))
def test_only_listed_tags_and_attributes_are_left_of_any_html(html):
    for tag, found in Document(sanitize_html(html)).tags:
        assert tag in clean_html._TAGS
        allowed = clean_html._ATTRIBUTES["*"] | clean_html._ATTRIBUTES.get(tag, set())
        assert found.keys() <= allowed
        assert properties(found.get("style", "")) <= clean_html._STYLES
        if "href" in found:
            # Browsers take a backslash for a slash, and what follows one is no scheme.
            scheme = re.match(r"([^/\\?#:]*):", re.sub(r"[\0-\x20]", "", found["href"]))
            assert scheme is None or scheme[1].lower() in {"http", "https", "mailto"}
        assert found.get("src", "data:image/").startswith("data:image/")
        assert re.fullmatch(r"highlight|[a-z]{1,2}\d?", found.get("class", "k"))


@settings(max_examples=20, deadline=None)
@given(st.lists(pieces, max_size=20).map("".join))
def test_long_html_is_cleaned_like_short_html(html):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clean_html, "SHORT", -1)
        assert sanitize_html(html) == clean_html._CLEANER.clean(html)


def unclosed(count):
    """Return tags that are opened in one paragraph; HTML reopens them in every later paragraph."""
    bold = "".join(f"<b title={number}>" for number in range(count))
    return f"<p>{bold}</p>" + "<p>x" * count


FLOODS = {
    "style": "<style " * 150_000,
    "tags": "<b>x</b>" * 130_000,
    "nested": "<div>" * 200_000,
    "closed in vain": "<div>" * 100_000 + "</p>" * 100_000,
    "opened again": unclosed(4_000),
    "links": "<a><div>" * 130_000,
    "attributes": "<p " + " ".join(f"a{number}" for number in range(150_000)) + ">",
    "entities": "&amp;" * 200_000,
    "comments": "<!--" * 250_000,
    "scripts": "<script>" * 120_000,
    "tables": "<table><tr><td>" * 70_000,
    "brackets": "<" * 1_000_000,
    "quotes": "<p title='" * 100_000,
}


@pytest.mark.parametrize("html", FLOODS.values(), ids=FLOODS)
def test_a_flood_of_html_is_cleaned_or_given_up_in_bounded_time(html, monkeypatch):
    monkeypatch.setattr(safe_html, "PAGE_SECONDS", 1.0)
    before = time.monotonic()

    cleaned = sanitize_html(html)

    assert time.monotonic() - before < 10
    assert len(cleaned) <= 6 * len(html)


def test_four_times_as_many_style_tags_do_not_take_sixteen_times_as_long():
    def seconds(count):
        before = time.monotonic()
        sanitize_html("<style " * count)
        return time.monotonic() - before

    assert seconds(8_000) < 2
    assert seconds(32_000) < 2


def test_short_html_that_multiplies_is_given_up_too():
    html = unclosed(150)

    assert len(html) < clean_html.SHORT
    assert len(sanitize_html(html)) < 2 * len(html)


def test_html_that_takes_too_long_is_replaced_by_its_text_and_a_note(monkeypatch):
    monkeypatch.setattr(safe_html, "PAGE_SECONDS", 0.5)

    html = sanitize_html("<div onclick='steal()'>a < b &amp; c" * 50_000)

    note = "[This HTML takes too much time or memory to show; here is its text.]"
    assert html.startswith(f"<p>{note}</p>")
    assert "a &lt; b &amp; c" in html
    assert {tag for tag, _ in Document(html).tags} == {"p", "pre"}


@pytest.fixture
def page(tmp_path):
    """Return a function that lets nbconvert make a page in bounded time, as the formgrader does."""

    def make(*cells):
        config = course_config(Course(tmp_path))
        config.HTMLExporter.template_name = "classic"
        before = time.monotonic()
        html, _ = HTMLExporter(config=config).from_notebook_node(new_notebook(cells=list(cells)))
        assert time.monotonic() - before < 30
        return html

    return make


def shown(html):
    return new_code_cell("", outputs=[new_output("display_data", {"text/html": html})])


def printed(text):
    return new_code_cell("", outputs=[new_output("stream", text=text)])


@pytest.mark.parametrize(
    "cell",
    [
        new_markdown_cell("[a](" * 500_000),
        new_markdown_cell("*a " * 500_000),
        new_code_cell("x = foo(1, 'a') # <b>\n" * 80_000),
        new_code_cell("f'{" * 500_000),
        printed("\x1b[31m" * 400_000),
        printed("a < b\n" * 300_000),
        printed("\x1b\x1b[m[m" * 200_000),
    ],
    ids=["links", "stars", "code", "strings", "colours", "brackets", "hidden colours"],
)
def test_a_text_of_2_mb_does_not_delay_a_page(page, cell):
    assert len(page(cell)) < 5_000_000


def test_many_texts_that_each_take_long_do_not_delay_a_page(page, monkeypatch):
    monkeypatch.setattr(safe_html, "PAGE_SECONDS", 1.0)
    cells = [new_markdown_cell("\\begin{a}" * 5_000) for _ in range(20)]

    html = page(*cells, new_markdown_cell("**the end**"))

    assert html.count("<pre>\\begin{a}") > 10
    assert "**the end**" in html


def test_the_number_of_tags_on_a_page_is_limited(page, monkeypatch):
    monkeypatch.setattr(safe_html, "PAGE_MARKS", 1_000)

    html = page(shown("<b>x</b>" * 300), shown("<i>y</i>" * 300), printed("<" * 2_000))

    assert "<b>x</b>" in html
    assert "<i>y</i>" not in html
    assert "yyyy" in html
    assert "[1,000 more characters are left out here.]" in html


def test_a_cell_of_usual_length_keeps_its_colours(page):
    html = page(new_code_cell("def f(x): pass\n"), printed("\x1b[31mred\x1b[0m"))

    assert '<span class="k">def</span>' in html
    assert '<span class="ansi-red-fg">red</span>' in html
