"""HTML and Markdown of students, made safe to look at.

A script in a student's text would run with the instructor's rights in the formgrader, where it
could change scores.  `HTML_FILTERS` are for every page that nbconvert makes of a graded notebook.
"""

from __future__ import annotations

import re
from html import escape

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

__all__ = ["HTML_FILTERS", "sanitize_html", "sanitized_markdown"]


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _listed(
    """
    a abbr b blockquote br caption code dd del details div dl dt em figcaption figure h1 h2
    h3 h4 h5 h6 hr i img kbd li mark ol p pre s small span strong sub summary sup table
    tbody td tfoot th thead tr u ul var
    """
)
# Without position, z-index and the like, nothing can be laid over the page's own controls; without
# `background` and other properties that take an address, looking at a page reports it to nobody.
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
_PLAIN_ATTRIBUTES = _listed(
    """
    align alt aria-label border colspan height open role rowspan scope start style title
    width
    """
)


def _allowed(tag: str, name: str, value: str) -> bool:
    """Tell whether an attribute may stay.

    No ids and no classes, by which the formgrader's script would take a student's text for a part
    of its form; but the colours of a code block, which are classes of one or two letters.
    """
    if tag == "a" and name == "href":
        return not value.strip().lower().startswith("data:")
    if tag == "img" and name == "src":
        return re.match(r"data:image/(png|jpeg|gif|webp);base64,", value) is not None
    if tag in {"div", "span", "pre"} and name == "class":
        return re.fullmatch(r"highlight|[a-z]{1,2}\d?", value) is not None
    return name in _PLAIN_ATTRIBUTES


_CLEANER = bleach.Cleaner(
    tags=_TAGS,
    attributes=_allowed,
    protocols={"http", "https", "mailto", "data"},
    css_sanitizer=CSSSanitizer(allowed_css_properties=_STYLES),
    strip=True,
)


def sanitize_html(html: str | bytes) -> str:
    """Return HTML with its formatting, and without scripts, forms and anything that loads or acts.

    Parameters
    ----------
    html : str or bytes
        Untrusted HTML.

    Returns
    -------
    str
        HTML that is safe to show in the formgrader and on a feedback page.
    """
    text = html.decode() if isinstance(html, bytes) else str(html)
    # Only for looks: the cleaner drops these tags, and would leave their content as text.
    text = re.sub(r"<(style|script)\b.*?</\1\s*>", "", text, flags=re.DOTALL | re.IGNORECASE)
    return _CLEANER.clean(text)


@pass_context
def sanitized_markdown(context: Context, source: str) -> str:
    """Render a Markdown cell and sanitize the result; nbconvert's own filter lets scripts pass.

    Parameters
    ----------
    context : jinja2.runtime.Context
        Of the template; its ``cell`` may hold attached images.
    source : str
        Untrusted Markdown.

    Returns
    -------
    str
        Safe HTML.
    """
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = IPythonRenderer(escape=False, attachments=attachments, exclude_anchor_links=True)
    try:
        html = MarkdownWithMath(renderer=renderer).render(source)
    except Exception:
        # One student's odd Markdown (an attachment that is missing, say) must not keep the
        # instructor from the page: show what was written.
        html = f"<pre>{escape(source)}</pre>"
    return sanitize_html(html)


HTML_FILTERS = {"clean_html": sanitize_html, "markdown2html": sanitized_markdown}
"""For ``HTMLExporter.filters``, beside ``HTMLExporter.sanitize_html = True``."""
