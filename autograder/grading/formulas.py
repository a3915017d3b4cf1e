"""Formulas of Markdown as MathML, which browsers show without a script and without a network.

The formulas may be a student's, and the library that converts them copies a script in a ``text``
as it is. So only its tree is used: elements and attributes that cannot act are written anew, and
text is escaped.
"""

from __future__ import annotations

import re
from html import escape, unescape
from html.parser import HTMLParser
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

__all__ = ["with_formulas"]

LONGEST = 2_000
"""A longer formula stays as it was written; the longest of the course has 199 characters."""

_FORMULA = re.compile(
    r"\$\$(?P<block>[^$]+)\$\$"
    r"|(?<![\\$])\$(?![\s$])(?P<inline>[^$]+)(?<![\s\\])\$(?!\d)"
    r"|(?P<environment>\\begin\{(\w+\*?)\}.*?\\end\{\4\})",
    re.DOTALL,
)


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AS_WRITTEN = _listed("code pre kbd")
_TAGS = _listed(
    """
    math mi mn mo mover mfrac mmultiscripts mpadded mphantom mprescripts mroot mrow mspace msqrt
    mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none
    """
)
# What may be said of an element: a word or a length, which is too short to cover the page.
_ATTRIBUTES = _listed(
    """
    accent accentunder columnalign display displaystyle fence form linethickness lspace mathvariant
    maxsize minsize rowspacing rspace scriptlevel separator stretchy width
    """
)
_VALUE = re.compile(r"[a-z-]{1,24}|[+-]?\d{0,2}(\.\d{1,4})?(em|ex|px|pt|%)?")


def with_formulas(html: str) -> str:
    """Replace the formulas in the text of a page by MathML.

    Parameters
    ----------
    html
        HTML that is safe to show.

    Returns
    -------
    str
        The same HTML with MathML, which is safe as well. What stands in code stays as it is, and so
        does a formula that is not understood.
    """
    if "$" not in html and "\\begin" not in html:
        return html
    page = _Page()
    page.feed(html)
    page.close()
    page.write_text()
    return "".join(page.written)


class _Page(HTMLParser):
    """Copies HTML, but for the formulas in its text; an attribute is no text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []
        self._text = ""
        self._as_written = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.write_text()
        self.written.append(self.get_starttag_text() or "")
        self._as_written += tag in _AS_WRITTEN

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.write_text()
        self.written.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.write_text()
        self.written.append(f"</{tag}>")
        self._as_written = max(0, self._as_written - (tag in _AS_WRITTEN))

    def handle_data(self, data: str) -> None:
        self._text += data

    def write_text(self) -> None:
        """Write the text since the last tag."""
        text, self._text = self._text, ""
        if self._as_written:
            self.written.append(escape(text, quote=False))
            return
        end = 0
        for found in _FORMULA.finditer(text):
            self.written += [escape(text[end : found.start()], quote=False), _formula(found)]
            end = found.end()
        self.written.append(escape(text[end:], quote=False))


def _formula(found: re.Match[str]) -> str:
    tex = found["block"] or found["inline"] or found["environment"]
    as_written = escape(found[0], quote=False)
    if len(tex) > LONGEST:
        return as_written
    try:
        # MathML has no negative space.
        element = convert_to_element(
            tex.replace(r"\!", ""), display="inline" if found["inline"] else "block"
        )
        return _written(element)
    except Exception:  # whatever the library makes of what a student has written
        return as_written


def _written(element: Element) -> str:
    """Write an element with what it contains.

    Raises
    ------
    ValueError
        If it is not one of `_TAGS`.
    """
    if element.tag not in _TAGS:
        raise ValueError(f"<{element.tag}> is not shown")
    said = "".join(
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and _VALUE.fullmatch(value)
    )
    text = escape(unescape(element.text or ""), quote=False)
    inside = "".join(map(_written, element))
    return f"<{element.tag}{said}>{text}{inside}</{element.tag}>"
