"""Formulas become MathML."""

from xml.etree import ElementTree

import pytest

from helpers.formulas import ATTRIBUTES, TAGS, as_mathml, is_harmless


def elements(html):
    return list(ElementTree.fromstring(html).iter())


def test_a_fraction_is_a_fraction():
    math = elements(as_mathml(r"\frac{1}{2}", display=True))[0]
    assert math.get("display") == "block"
    (fraction,) = math.iter("mfrac")
    assert [number.text for number in fraction.iter("mn")] == ["1", "2"]


def test_a_formula_within_a_line_stays_in_it():
    assert elements(as_mathml("x", display=False))[0].get("display") == "inline"


@pytest.mark.parametrize("latex", ["x_", r"\left(", "{", "x^{" * 3000, "x" * 3000])
def test_what_is_no_formula_is_shown_as_it_was_typed(latex):
    assert as_mathml(latex, display=False) == f"<code>{latex}</code>"


def test_definitions_that_grow_without_limit_are_not_followed():
    bomb = r"\newcommand{\a}{xx}" + "".join(
        rf"\newcommand{{\{new}}}{{\{old}\{old}\{old}\{old}}}"
        for old, new in zip("abcdefghijklmno", "bcdefghijklmnop", strict=True)
    )
    assert as_mathml(bomb + r"\p", display=False).startswith("<code>")


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{&lt;script&gt;}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{comment}{x}",
        r"<img src=x onerror=alert(1)>",
        r"\hspace{-500px}x",
        r"\hspace{9999em} x",
        r"\rule{9999em}{9999em}",
        r"\color{red\" onclick=steal()}{x}",
        r'x" onmouseover="alert(1)',
        r"x & y < z",
    ],
)
def test_nothing_in_a_formula_acts(latex):
    html = as_mathml(latex, display=False)
    if html.startswith("<code>"):
        assert "<" not in html.removeprefix("<code>").removesuffix("</code>")
        return
    for element in elements(html):
        assert element.tag in TAGS
        assert set(element.attrib) <= ATTRIBUTES
        assert all(is_harmless(*each) for each in element.items())
        assert not any("9999" in value for value in element.attrib.values())
