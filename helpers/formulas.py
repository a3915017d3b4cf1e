r"""Formulas as MathML, which browsers show by themselves: no page needs a network for them.

A formula may come from a student. The converter copies texts and links into its result as they are,
so everything is escaped here, and only what belongs to a formula is kept.
"""

import re
from html import escape, unescape
from xml.etree.ElementTree import Element, tostring

__all__ = ["ATTRIBUTES", "TAGS", "as_mathml", "is_harmless"]

# fmt: off
TAGS = frozenset({
    "math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom",
    "mprescripts", "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup",
    "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "none",
})
"""The elements of a formula."""
ATTRIBUTES = frozenset({
    "accent", "accentunder", "columnalign", "columnlines", "columnspacing", "display",
    "displaystyle", "fence", "form", "largeop", "linethickness", "mathvariant", "maxsize",
    "minsize", "movablelimits", "notation", "rowlines", "rowspacing", "scriptlevel", "separator",
    "stretchy", "width",
})
"""The attributes of these elements: none of them links, loads or acts."""
# fmt: on
_VALUE = re.compile(r"[a-z-]{1,24}|[+-]?\d{0,2}(\.\d{1,4})?(em|ex|px|pt|%)?")
"""A word or a length that is too short to cover the page."""
_SHORT = re.compile(r"-?0?\.\d+em|\d(\.\d+)?em|0")
"""A width that moves nothing over another part of the page."""
MOST_LETTERS = 2000
"""A longer formula is shown as it was typed; the longest of the course has 200 letters."""


def as_mathml(latex: str, *, display: bool) -> str:
    r"""Return a formula as MathML, or its text as code if it is not understood.

    Parameters
    ----------
    latex
        The formula without its dollar signs, such as ``"\\frac{1}{2}"``.
    display
        Whether it has a line of its own.
    """
    # Imported here, because most of those who import this module need no formula.
    from latex2mathml.converter import convert_to_element

    plain = f"<code>{escape(latex)}</code>"
    # A few definitions, each of which uses the one before it twice, would fill the memory.
    if len(latex) > MOST_LETTERS or r"\newcommand" in latex:
        return plain
    try:
        formula = convert_to_element(latex, display="block" if display else "inline")
        _clean(formula)
    except Exception:  # each mistake in a formula raises an error of another kind
        return plain
    return tostring(formula, encoding="unicode")


def is_harmless(attribute: str, value: str) -> bool:
    """Return whether an element of a formula may have an attribute with this value."""
    if attribute == "width":
        return bool(_SHORT.fullmatch(value))
    return attribute in ATTRIBUTES and all(map(_VALUE.fullmatch, value.split()))


def _clean(element: Element) -> None:
    """Remove from an element and from those within it what does not belong to a formula."""
    if element.tag not in TAGS:
        element.tag = "mrow"
    for name, value in list(element.attrib.items()):
        if not is_harmless(name, value):
            del element.attrib[name]
    element.text = unescape(element.text or "")  # it is escaped again when it is written
    for child in element:
        _clean(child)
