"""Remove from students' HTML all that acts, loads, or could pass for part of the page around it.

The work is done by nh3. It builds the document as a browser would; by a browser's rules, a few
kilobytes of unclosed tags can become gigabytes or take minutes. So only short HTML is cleaned in
this process; longer HTML is cleaned in a separate one, with limits on its time and memory.
"""

from __future__ import annotations

import math
import re
import resource
import subprocess
import sys

import nh3

from helpers import formulas

__all__ = ["TooMuchWork", "clean"]

SHORT = 4096
"""Longest HTML that is cleaned in this process, in characters; the worst that we know took 0.15 s.
"""
MEMORY_BYTES = 512 * 2**20
"""Limit on the memory of the separate process; 2 MB of tags, not nested, take 0.2 GB."""
MOST_GROWTH = 6
"""How many times longer the result may be: a quote in an attribute becomes ``&quot;``."""


class TooMuchWork(Exception):
    """Cleaning the HTML takes more time or memory than allowed."""


def _listed(text: str) -> set[str]:
    return set(text.split())


_HTML_TAGS = _listed(
    """
    a abbr b blockquote br caption code dd del details div dl dt em figcaption figure h1 h2
    h3 h4 h5 h6 hr i img kbd li mark ol p pre s small span strong sub summary sup table
    tbody td tfoot th thead tr u ul var
    """
)
_TAGS = _HTML_TAGS | formulas.TAGS
# Without position, z-index and the like, nothing can cover the page's own controls. Without
# `background` and other properties that take a URL, viewing a page does not contact any server.
_STYLES = _listed(
    """
    background-color border border-bottom border-collapse border-color border-left
    border-radius border-right border-spacing border-top border-width color display
    font-family font-size font-style font-variant-numeric font-weight height line-height
    margin margin-bottom margin-left margin-right margin-top max-width min-width opacity
    overflow-wrap padding padding-bottom padding-left padding-right padding-top text-align
    text-decoration text-indent vertical-align white-space width
    """
)
_ATTRIBUTES = {
    "*": _listed(
        """
        align alt aria-label border colspan height open role rowspan scope start style title
        width
        """
    ),
    "a": {"href"},
    "img": {"src"},
    "div": {"class"},
    "span": {"class"},
    "pre": {"class"},
    **{tag: set(formulas.ATTRIBUTES) for tag in formulas.TAGS},
}


def _allowed(tag: str, name: str, value: str) -> str | None:
    """Return the value of an attribute, or None if it must be removed.

    Ids and classes are removed, because the formgrader's script could take a student's text for a
    part of its form. The only exceptions are the classes that highlight code.
    """
    if tag in formulas.TAGS and not formulas.is_harmless(name, value):
        return None
    if name == "href" and value.strip().lower().startswith("data:"):
        return None
    if name == "src" and not re.match(r"data:image/(png|jpeg|gif|webp);base64,", value):
        return None
    if name == "class" and not re.fullmatch(r"highlight|[a-z]{1,2}\d?", value):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style"},
    attributes=_ATTRIBUTES,
    attribute_filter=_allowed,
    filter_style_properties=_STYLES,
    url_schemes={"http", "https", "mailto", "data"},
    link_rel=None,
)


def clean(html: str, seconds: float) -> str:
    """Return HTML with its formatting, but without scripts, forms and anything that loads or acts.

    Parameters
    ----------
    html
        Untrusted HTML.
    seconds
        Limit on the time for HTML that is longer than `SHORT`.

    Raises
    ------
    TooMuchWork
        If cleaning takes longer, or more than `MEMORY_BYTES`, or if the result grows too much.
    """
    if len(html) <= SHORT:
        return _cleaned(html)
    command = [sys.executable, "-P", __file__, str(math.ceil(seconds))]
    try:
        done = subprocess.run(
            command,
            input=html.encode("utf-8", "replace"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise TooMuchWork from None
    if done.returncode:
        raise TooMuchWork
    return done.stdout.decode("utf-8")


def _cleaned(html: str) -> str:
    result = _CLEANER.clean(html)
    if len(result) > MOST_GROWTH * len(html):
        raise TooMuchWork
    return result


def _main() -> None:
    """Clean standard input; end with an error if that takes too much time or memory."""
    seconds = int(sys.argv[1])
    # The parent process enforces the limit on time too, but it may be killed.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    html = sys.stdin.buffer.read().decode("utf-8")
    sys.stdout.buffer.write(_cleaned(html).encode("utf-8"))


if __name__ == "__main__":
    _main()
