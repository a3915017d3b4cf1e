"""Tables for a terminal: columns that fit its width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap

GAP = "  "


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title
        Its heading.
    cells
        Its text in each row.
    right
        Whether the text is at the right of the column, as for numbers.
    least
        The smallest width to which the text may be wrapped. None: it is never wrapped.
    """

    title: str
    cells: Sequence[str]
    right: bool = False
    least: int | None = None

    @property
    def natural(self) -> int:
        """The width without wrapping."""
        return max(map(len, [self.title, *self.cells]))

    @property
    def smallest(self) -> int:
        """The width with as much wrapping as is allowed."""
        return self.natural if self.least is None else min(self.natural, self.least)


def table(columns: Sequence[Column], width: int) -> str:
    """Return a table that is at most `width` characters wide, if its first column is not wider.

    Parameters
    ----------
    columns
        The columns, with the most important first. Those for which there is no room are left out,
        and so are those without any text.
    width
        Width of the terminal.
    """
    shown = [column for column in columns if any(column.cells)]
    while len(shown) > 1 and _width([column.smallest for column in shown]) > width:
        shown.pop()
    widths = [column.smallest for column in shown]
    for place, column in enumerate(shown):
        widths[place] += max(0, min(column.natural - widths[place], width - _width(widths)))
    titles = [column.title for column in shown]
    rules = ["-" * each for each in widths]
    rows = zip(*(column.cells for column in shown), strict=True)
    lines = [line for row in (titles, rules, *rows) for line in _lines(shown, widths, row)]
    return "\n".join(lines)


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _lines(columns: Sequence[Column], widths: Sequence[int], row: Sequence[str]) -> list[str]:
    """Return the lines of a row, of which there are several if a cell is wrapped."""
    cells = [wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    return [
        GAP.join(
            part.rjust(width) if column.right else part.ljust(width)
            for column, part, width in zip(columns, parts, widths, strict=True)
        ).rstrip()
        for parts in zip_longest(*cells, fillvalue="")
    ]
