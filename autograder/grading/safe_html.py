"""Filters that make nbconvert's pages of student notebooks safe to view, in bounded time.

A script in a student's text would run with the instructor's rights in the formgrader, where it
could change scores. A text may also be made so that formatting it takes hours, or results in a page
that no browser can show. `HTML_FILTERS` apply to every page that nbconvert makes of a graded
notebook: a text that takes too long to format is shown as plain text, and cut if that is too long.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import lru_cache, partial
from html import escape
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters import Highlight2HTML, ansi2html, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.grading.clean_html import clean
from autograder.grading.limited import limited
from helpers.formulas import as_mathml

__all__ = ["HTML_FILTERS", "markdown_html", "sanitize_html"]

PAGE_SECONDS = 10.0
"""Limit on the processor time of formatting one page; the longest of the course takes 2 s."""
PAGE_MARKS = 200_000
"""Limit on the tags and entities in the formatted texts of one page.

nbconvert parses the whole page once more, which takes 40 microseconds for each of them. The longest
notebook of the course has 47,000.
"""
LONGEST = 50_000
"""Longest text that is formatted, in characters; the longest cell of the course has 3,800.

Some regular expressions take time that grows with the square of the length, and cannot be
interrupted; the slowest that we tried took 0.5 s for a text of this length.
"""
SHOWN = 1_000
"""How many characters are shown of a text for which the page has no room."""
REMEMBERED = 512
"""How many formatted cells are remembered: those of two of the longest notebooks."""
FORMATTING_BYTES = 2**30
"""Limit on the memory of formatting, which takes a few megabytes for `LONGEST` characters."""


class _Allowance:
    """How much may still be formatted on one page, or of one text."""

    def __init__(self, seconds: float, marks: int) -> None:
        self.seconds = seconds
        self.marks = marks

    def spend(
        self, text: str, formatted: Callable[[str, float], str], plain: Callable[[str], str]
    ) -> str:
        """Return `text` as HTML: formatted if the remaining time allows, or else plain, or cut."""
        if self.seconds > 0:
            began = _used_seconds()
            try:
                html = formatted(text, self.seconds)
            except Exception:
                # Formatting takes too much time or memory, or fails (for Markdown that lacks an
                # attachment, say). Neither must keep the instructor from seeing the page.
                html = None
            self.seconds -= _used_seconds() - began
            if html is not None and self._has_room(html):
                return html
        if self._has_room(html := plain(text)):
            return html
        left_out = len(text) - SHOWN
        return plain(f"{text[:SHOWN]}\n[{left_out:,} more characters are left out here.]")

    def _has_room(self, html: str) -> bool:
        marks = html.count("<") + html.count("&")
        if marks > self.marks:
            return False
        self.marks -= marks
        return True


def _used_seconds() -> float:
    """Return the processor time of this process and of the processes that it has waited for."""
    return sum(os.times()[:4])


def _allowance(context: Context) -> _Allowance:
    """Return the allowance of the page that is being made."""
    fresh = _Allowance(PAGE_SECONDS, PAGE_MARKS)
    return context["resources"].setdefault("formatting_allowance", fresh)


def sanitize_html(html: str | bytes) -> str:
    """Return HTML with its formatting, but without scripts, forms and anything that loads or acts.

    Parameters
    ----------
    html
        Untrusted HTML.

    Returns
    -------
    str
        HTML that is safe to show in the formgrader and on a feedback page. If that takes too much
        time or memory, only the text of the HTML, under a line that says so.
    """
    return _sanitized(_Allowance(PAGE_SECONDS, PAGE_MARKS), html)


def markdown_html(
    source: str,
    seconds: float,
    marks: int,
    attachments: dict[str, dict[str, str]] | None = None,
) -> str:
    """Render a student's Markdown as HTML that cannot act or load anything, in bounded time.

    Parameters
    ----------
    source
        Untrusted Markdown.
    seconds
        Limit on the processor time; a text that takes longer is shown as plain text.
    marks
        Limit on the tags and entities of the result; a text with more is shown as plain text or, if
        that has too many, cut.
    attachments
        The images of the cell, as Jupyter keeps them.
    """
    return _markdown(_Allowance(seconds, marks), source, attachments)


def _sanitized(allowance: _Allowance, html: str | bytes) -> str:
    text = html.decode() if isinstance(html, bytes) else str(html)
    return allowance.spend(text, clean, _text_of)


def _text_of(html: str) -> str:
    text = re.sub(r"<[^<>]*>", "", html).replace("<", "&lt;").replace(">", "&gt;")
    note = "[This HTML takes too much time or memory to show; here is its text.]"
    return f"<p>{note}</p><pre>{text}</pre>"


def _limited(text: str, seconds: float, work: Callable[[str], str]) -> str:
    """Do the work within the limits; refuse a text that is too long."""
    if len(text) > LONGEST:
        raise ValueError("the text is too long")
    with limited(processor_seconds=seconds, memory_bytes=FORMATTING_BYTES):
        return work(text)


@pass_context
def _clean_html(context: Context, html: str | bytes) -> str:
    return _sanitized(_allowance(context), html)


@pass_context
def _markdown2html(context: Context, source: str) -> str:
    """Render Markdown and sanitize the result; nbconvert's own filter lets scripts through."""
    return _markdown(_allowance(context), source, context.get("cell", {}).get("attachments"))


def _markdown(
    allowance: _Allowance, source: str, attachments: dict[str, dict[str, str]] | None
) -> str:
    rendered = partial(_rendered, attachments=attachments) if attachments else _rendered_before

    def formatted(text: str, seconds: float) -> str:
        return _limited(text, seconds, rendered)

    return allowance.spend(source, formatted, _preformatted)


class _Renderer(IPythonRenderer):
    """Renders Markdown as nbconvert does, but for formulas, which need no script and no network."""

    def inline_math(self, body: str) -> str:
        return as_mathml(body, display=False)

    def block_math(self, body: str) -> str:
        return as_mathml(body, display=True)

    def latex_environment(self, name: str, body: str) -> str:
        return as_mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True)


def _rendered(text: str, attachments: dict[str, dict[str, str]]) -> str:
    renderer = _Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
    return clean(MarkdownWithMath(renderer=renderer).render(text), PAGE_SECONDS)


# Most cells of a page are the course's own, and the same on all pages that a process makes.
@lru_cache(REMEMBERED)
def _rendered_before(text: str) -> str:
    return _rendered(text, {})


@lru_cache(REMEMBERED)
def _highlighted(source: str, language: str | None) -> str:
    return Highlight2HTML()(source, language=language)


def _preformatted(text: str) -> str:
    return f"<pre>{escape(text, quote=False)}</pre>"


@pass_context
def _highlight_code(
    context: Context, source: str, language: str | None = None, metadata: Any = None
) -> str:
    """Highlight the syntax of a code cell."""
    colour = partial(_highlighted, language=language)
    return _allowance(context).spend(
        source,
        partial(_limited, work=colour),
        lambda text: f'<div class="highlight">{_preformatted(text)}</div>',
    )


@pass_context
def _ansi2html(context: Context, text: str) -> str:
    """Convert terminal colours, within limits: nbconvert copies the rest of the text for each."""
    return _allowance(context).spend(
        text,
        partial(_limited, work=ansi2html),
        lambda text: escape(strip_ansi(text), quote=False),
    )


def _unchanged(html: str) -> str:
    """Replace nbconvert's search for a form of link last used in 2014, which is quadratic."""
    return html


HTML_FILTERS = {
    "clean_html": _clean_html,
    "markdown2html": _markdown2html,
    "highlight_code": _highlight_code,
    "ansi2html": _ansi2html,
    "strip_files_prefix": _unchanged,
}
"""For ``HTMLExporter.filters``, together with ``HTMLExporter.sanitize_html = True``."""
