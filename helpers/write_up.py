"""Make the write-up from a notebook: the written answers and the figures, question by question.

The page needs no other file and no network. Nothing in it acts: HTML in an answer is shown as text,
and the page itself forbids scripts.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from helpers.formulas import as_mathml
from helpers.notebook_file import PLACEHOLDERS, Notebook, answer_text

__all__ = ["PACKAGES", "write_up"]

PACKAGES = ("markdown-it-py", "mdit-py-plugins", "latex2mathml")
"""What a write-up needs; they are imported only when one is made."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ max-width: 46em; margin: 2em auto; padding: 0 1em; line-height: 1.5;
 font-family: system-ui, sans-serif; color: #1f2933; background: #fff; }}
h2 {{ margin-top: 2em; border-bottom: 1px solid #d5dbe3; }}
figure {{ margin: 1em 0; break-inside: avoid; }}
img {{ max-width: 100%; }}
table {{ border-collapse: collapse; }}
td, th {{ border: 1px solid #d5dbe3; padding: 0.2em 0.6em; }}
pre {{ overflow-x: auto; }}
.empty {{ color: #b3261e; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_ATTACHED = "attachment:"
_IMAGES = ("image/png", "image/jpeg")


def write_up(notebook: Notebook, title: str) -> str:
    """Return the written answers and the figures of a notebook as an HTML page.

    They are in the order of the notebook, below the number and title of their question. An answer
    that is still empty is named as such.

    Parameters
    ----------
    notebook
        The notebook, as it was saved.
    title
        Title of the page as plain text.

    Raises
    ------
    ModuleNotFoundError
        If one of the `PACKAGES` is missing, and the answers need it.
    """
    return _PAGE.format(title=escape(title), body="\n".join(_body(notebook)))


def _body(notebook: Notebook) -> Iterator[str]:
    above, figures = None, 0
    for heading, cell, answer in notebook.answers_and_figures():
        parts = [_answer(cell)] if answer else [*_figures(cell, heading, figures)]
        figures += 0 if answer else len(parts)
        if parts and heading != above:
            yield f"<h2>{escape(heading)}</h2>"
            above = heading
        yield from parts


def _answer(cell: dict[str, Any]) -> str:
    """Return a written answer as HTML."""
    if any(text in cell["source"] for text in PLACEHOLDERS):
        return '<p class="empty">This answer is still empty.</p>'
    # Imported here, because few of those who pack a notebook want a write-up, and Colab may lack
    # these packages.
    from markdown_it import MarkdownIt
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def in_line(latex: str, options: dict[str, Any]) -> str:
        return as_mathml(latex, display=options["display_mode"])

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.use(dollarmath_plugin, renderer=in_line, allow_digits=False)
    markdown.use(amsmath_plugin, renderer=lambda latex: as_mathml(latex, display=True))
    tokens = markdown.parse(answer_text(cell["source"]))
    for token in tokens:
        for inner in token.children or []:
            if inner.type == "image":
                inner.attrs["src"] = _source(str(inner.attrs["src"]), cell)
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _source(address: str, cell: dict[str, Any]) -> str:
    """Return where an image is found: pasted images are in the cell, and others are not packed."""
    attached = cell.get("attachments")
    name = address.removeprefix(_ATTACHED)
    if address == name or not isinstance(attached, dict):
        return ""
    return _image(attached.get(name)) or ""


def _figures(cell: dict[str, Any], heading: str, before: int) -> Iterator[str]:
    """Yield the figures that a cell has drawn, with their numbers."""
    number = before
    for output in cell["outputs"]:
        image = _image(output.get("data")) if isinstance(output, dict) else None
        if image:
            number += 1
            name = f"Figure {number}, of {heading}"
            yield (
                f'<figure><img src="{image}" alt="{escape(name)}">'
                f"<figcaption>{escape(name)}</figcaption></figure>"
            )


def _image(forms: object) -> str | None:
    """Return the first of the forms of an output that is a raster image, as an address."""
    for kind in _IMAGES:
        data = forms.get(kind) if isinstance(forms, dict) else None
        text = re.sub(r"\s", "", "".join(data) if isinstance(data, list) else str(data or ""))
        try:
            if text and base64.b64decode(text, validate=True):
                return f"data:{kind};base64,{text}"
        except binascii.Error:
            continue
    return None
