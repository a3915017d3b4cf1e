"""What people see of a graded notebook: no hidden tests, and nothing that acts in their browser.

`HideHiddenTests` is for feedback pages.  `HTML_FILTERS` are for every page that nbconvert makes of
a graded notebook: the feedback, and the formgrader, where a script in a student's text would run
with the instructor's rights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape, unescape
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters import strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, NbGraderPreprocessor

__all__ = ["HTML_FILTERS", "HideHiddenTests", "sanitize_html", "sanitized_markdown"]

_UNFINISHED = "The hidden test did not come to a result; the instructor can see why.\n"
_WITHHELD = "[This output is left out because it quotes a hidden test.]\n"

# A shorter line, such as `)` or `of=8,`, gives nothing away and stands in many outputs by chance.
_TELLING = 12


class HideHiddenTests(NbGraderPreprocessor):
    """Take hidden tests, mark schemes and the grader's record out of a graded notebook.

    The visible rest of a test cell and its result panel stay.  An output of any other cell that
    quotes a hidden line, as a traceback does, is left out and says so.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Hide them in `nb`, in place."""
        tests, schemes = ClearHiddenTests(parent=self), ClearMarkScheme(parent=self)
        regions = (
            (tests.begin_test_delimeter, tests.end_test_delimeter),
            (schemes.begin_mark_scheme_delimeter, schemes.end_mark_scheme_delimeter),
        )
        nb.metadata.pop("autograder", None)
        hidden: list[str] = []
        held_tests = []
        for cell in nb.cells:
            cell.source, taken = _without_regions(cell.source, regions)
            hidden += taken
            held_tests.append(bool(taken))
        telling = _telling(hidden, visible=[cell.source for cell in nb.cells])
        for cell, held_test in zip(nb.cells, held_tests, strict=True):
            if cell.cell_type != "code":
                continue
            if held_test:
                cell.outputs = _verdict_only(cell.outputs)
            cell.outputs = [
                new_output("stream", text=_WITHHELD) if _quotes(output, telling) else output
                for output in cell.outputs
            ]
        return nb, resources


def _without_regions(source: str, regions: Iterable[tuple[str, str]]) -> tuple[str, list[str]]:
    """Split a source into what may be seen and the hidden lines; an open region runs to the end."""
    seen: list[str] = []
    hidden: list[str] = []
    until = None
    for line in source.split("\n"):
        if until is None:
            until = next((end for begin, end in regions if begin in line), None)
            (seen if until is None else hidden).append(line)
        else:
            hidden.append(line)
            if until in line:
                until = None
    return "\n".join(seen), hidden


def _verdict_only(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Keep a hidden test's result; its prints and tracebacks show what it did."""
    results = [output for output in outputs if output.output_type == "execute_result"]
    if not results and outputs:
        return [new_output("stream", text=_UNFINISHED)]
    return results


def _telling(hidden: Iterable[str], visible: Iterable[str]) -> set[str]:
    """Return the hidden lines that are worth hiding: long enough, and seen nowhere else."""
    seen = {_squeezed(line) for source in visible for line in source.split("\n")}
    lines = {_squeezed(line) for line in hidden}
    return {line for line in lines - seen if len(line) >= _TELLING}


def _quotes(output: NotebookNode, telling: set[str]) -> bool:
    text = _squeezed("\n".join(_texts(output)))
    return any(line in text for line in telling)


def _texts(part: Any) -> Iterable[str]:
    """Yield every text in an output, whatever its type."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value)


def _squeezed(text: str) -> str:
    """Take away what differs between a source and its quotations: colours, entities, space."""
    return re.sub(r"\s", "", unescape(strip_ansi(text)))


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
