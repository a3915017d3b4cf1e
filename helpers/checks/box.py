"""The box that public checks and graded questions share: a heading, and lines with check marks.

The box is shown in notebooks, in nbgrader's formgrader and on feedback pages, where this project
has no style sheet. It therefore has its own colours (also readable on a dark theme), uses inline
styles only, and contains no script. Any text in it may come from a student and is escaped. The
contrasts with the background of the box are above 4.5, and the colours differ in lightness as well
as in hue.
"""

import re
from collections.abc import Iterable
from html import escape

GREEN = "#17693b"
AMBER = "#8a5300"
RED = "#b3261e"

_BOX = (
    "margin:4px 0;padding:10px 14px;border:1px solid #d5dbe3;border-left:5px solid {colour};"
    "border-radius:4px;background-color:#fbfcfd;color:#1f2933;text-align:left;"
    "font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:14px;"
    "line-height:1.5;max-width:54em"
)
_HEADING = "font-weight:600;margin-bottom:2px;color:#1f2933"
# A hanging indent, so that a long message stays clear of its mark.
_LINE = "padding-left:22px;text-indent:-22px;margin:3px 0;color:#1f2933"
_MARK = "display:inline-block;width:22px;text-indent:0;font-weight:700;color:{colour}"
_NOTE = (
    "margin:5px 0 7px 22px;padding:6px 10px;border-left:3px solid #c98a00;background-color:#fff6df;"
    "color:#3b2f12;border-radius:2px;overflow-wrap:anywhere"
)
_CODE = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em;color:inherit"


def box(heading: str, colour: str, body: Iterable[str]) -> str:
    """Return a box as HTML.

    Parameters
    ----------
    heading
        Heading as plain text.
    colour
        Colour of the left edge.
    body
        HTML from `line` and `note`.
    """
    return (
        f'<div style="{_BOX.format(colour=colour)}">'
        f'<div style="{_HEADING}">{escape(heading)}</div>{"".join(body)}</div>'
    )


def line(mark: str, colour: str, spoken: str, html: str) -> str:
    """Return a line of a box.

    Parameters
    ----------
    mark
        Mark in front of the line, such as ``"✓"``.
    colour
        Colour of the mark.
    spoken
        Text that a screen reader speaks for the mark.
    html
        HTML of the line, as returned by `prose`.
    """
    return (
        f'<div style="{_LINE}"><span style="{_MARK.format(colour=colour)}" role="img" '
        f'aria-label="{spoken}" title="{spoken}">{mark}</span>{html}</div>'
    )


def note(text: str) -> str:
    """Return a highlighted paragraph to be placed under a line of a box."""
    return f'<div style="{_NOTE}">{prose(text)}</div>'


def prose(text: str) -> str:
    """Convert a text to HTML; escape it, and keep line breaks and code in backticks."""
    safe = re.sub(r"`([^`\n]+)`", rf'<code style="{_CODE}">\1</code>', escape(text.strip()))
    return safe.replace("\n", "<br>")
