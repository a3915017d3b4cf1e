"""Read what a notebook says about its questions: their headings, and which are bonus questions."""

from __future__ import annotations

import re

from nbformat import NotebookNode

__all__ = ["headings", "is_bonus", "title", "words"]

# Students write headings too: so the pattern takes linear time, and long headings are cut off.
_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*)$", re.MULTILINE)
_LONGEST = 200
"""The largest length of a heading in characters; the longest heading of the course has 66."""


def headings(notebook: NotebookNode) -> dict[str, str]:
    """Return the heading of the section that each question is in, in the notebook's order.

    Parameters
    ----------
    notebook
        A notebook with nbgrader's metadata.

    Returns
    -------
    dict
        The headings, without Markdown syntax and without the points, by the ``grade_id`` of the
        questions.
    """
    found = {}
    heading = ""
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown" and not mark.get("solution"):
            for match in _HEADING.finditer(cell.source):
                heading = _plain(match[2])
        if mark.get("grade") or mark.get("task"):
            found[mark["grade_id"]] = heading
    return found


def title(notebook: NotebookNode) -> str:
    """Return the first heading of level one, or an empty string."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for match in _HEADING.finditer(cell.source):
                if match[1] == "#":
                    return _plain(match[2])
    return ""


def is_bonus(question: str) -> bool:
    """Return whether a question is a bonus question: its ``grade_id`` starts with ``bonus_``."""
    return question.startswith("bonus_")


def words(name: str) -> str:
    """Write a name like ``ste_forward`` as words."""
    return name.replace("_", " ").strip().capitalize()


def _plain(heading: str) -> str:
    heading = heading[:_LONGEST].rstrip().rstrip("#")
    heading = re.sub(r"\s*[(\[][^()\[\]]*\bpoints?\b[^()\[\]]*[)\]]", "", heading)
    return re.sub(r"[*`$]", "", heading).strip()
