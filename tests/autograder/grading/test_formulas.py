"""Formulas become MathML, and nothing that a student writes in one acts."""

import re

import pytest

from autograder.grading.formulas import LONGEST, with_formulas


def test_a_formula_in_a_line_and_one_of_its_own():
    html = with_formulas("<p>Let $x_1 &lt; 2$ and</p><p>$$\\sum_i w_i$$</p>")
    assert '<math display="inline">' in html
    assert "<mo>&lt;</mo><mn>2</mn>" in html
    assert '<math display="block">' in html
    assert "$" not in html


def test_an_environment_without_dollars_is_a_formula():
    assert "<mtable>" in with_formulas(r"\begin{matrix} a & b \end{matrix}".replace("&", "&amp;"))


@pytest.mark.parametrize(
    "html",
    [
        "<pre>a $x$ b</pre>",
        "<p><code>$x$</code> and a &lt; b</p>",
        "<p>It costs $5 or $6.</p>",
        '<p><img alt="$x$" src="data:image/png;base64,AAAA"></p>',
        "<p>$\\begin{unfinished}$</p>",
        "<p>$" + "x+" * LONGEST + "x$</p>",
        "<p>$" + "{" * 900 + "x" + "}" * 900 + "$</p>",
    ],
    ids=["pre", "code", "prices", "attribute", "unknown", "long", "deep"],
)
def test_what_is_no_formula_stays_as_it_is(html):
    assert with_formulas(html) == html


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{&lt;script&gt;steal()&lt;/script&gt;}",
        r"\text{&lt;img src=x onerror=steal()&gt;}",
        r"\text{&amp;lt;script&amp;gt;}",
        r"\href{javascript:steal()}{x}",
        r"\style{position:fixed}{x}",
        r"\class{bar}{x}",
        r"\color{red\" onclick=steal()}{x}",
        r"\hspace{9999em} x",
        r"\rule{9999em}{9999em}",
    ],
)
def test_no_formula_acts_or_covers_the_page(tex):
    html = with_formulas(f"<p>${tex}$</p>")
    tags = re.findall(r"<[^>]*>", html)
    assert all(re.fullmatch(r"</?(p|math|m[a-z]+)( [a-z]+=\"[a-z0-9.-]{1,8}\")*>", t) for t in tags)
    assert not re.search(r"<[^>]* (href|style|class|onclick)=|<[^>]*9999", html)


def test_attributes_around_a_formula_are_copied_as_they_are():
    html = '<p title="$a$ &gt; $b$">$c$</p>'
    assert with_formulas(html).startswith('<p title="$a$ &gt; $b$"><math')
