"""Pictures of a student's values beside the expected ones, for a public check that fails.

A check hands the picture to `expect` or `Wrong`, and gives it only what its own example has shown
in words as well. A picture is drawn when the check has failed, and never while a submission is
graded. It is an SVG of a few lines of text, which takes about a millisecond, in an ``img`` with a
text for those who cannot see it. Like the box around it, it has a light background of its own. Own
and expected values differ in their shapes or their places, not by colour alone.
"""

import base64
import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Picture", "graph", "grids"]

INK, GREY, OWN, EXPECTED = "#1f2933", "#55616e", "#b3261e", "#17693b"
"""Those of the box; the contrasts with its background are above 4.5."""
PAPER = "#fbfcfd"
WIDTH, HEIGHT = 420, 210
LEFT, RIGHT, TOP, BOTTOM = 48, 406, 30, 168
MOST_SPOKEN = 6
"""More values than this are counted, but not read out."""
CELL = 26
LEAST_SEEN = 1e-4
"""A smaller difference, as a share of the range of the expected values, cannot be seen."""

Values: TypeAlias = Any
"""An array, a tensor or a list of numbers."""


@dataclass(frozen=True)
class Picture:
    """A picture that has not been drawn yet.

    Attributes
    ----------
    drawing
        Returns the elements of an SVG, and what they show as a text; None if own and expected
        values look the same.
    width, height
        Its size in pixels.
    """

    drawing: Callable[[], tuple[Iterator[str], str] | None]
    width: int = WIDTH
    height: int = HEIGHT

    def html(self) -> str:
        """Draw it, and return it as HTML; it is empty if no difference can be seen."""
        silent = io.StringIO()  # the student's code may run once more, and has said its part
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(silent):
                warnings.simplefilter("ignore")
                drawn = self.drawing()
            if drawn is None:
                return ""
            parts, spoken = "".join(drawn[0]), escape(drawn[1])
        except Exception:  # the message of the check is what counts, whatever the values are
            return ""
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'font-family="system-ui,sans-serif" font-size="12" fill="{INK}">'
            f'<rect width="100%" height="100%" fill="{PAPER}"/>{parts}</svg>'
        )
        source = base64.b64encode(svg.encode()).decode()
        return (
            f'<img src="data:image/svg+xml;base64,{source}" width="{self.width}" '
            f'height="{self.height}" alt="{spoken}" style="max-width:100%;margin-left:22px">'
        )


def graph(x: Values, own: Values, expected: Values, names: tuple[str, str]) -> Picture:
    """Return a picture of values over what they were made from, such as a staircase.

    Parameters
    ----------
    x
        The inputs of the check's own example, of any shape.
    own
        A value for each input; or a function that returns them, and is called when it is drawn.
    expected
        A value for each input.
    names
        What the axes show, such as ``("weight", "level")``.
    """

    def drawing() -> tuple[Iterator[str], str] | None:
        found = own() if callable(own) else own
        columns = [_numbers(each).ravel() for each in (x, found, expected)]
        rows = sorted(zip(*(column.tolist() for column in columns), strict=True))
        span = max(right for *_, right in rows) - min(right for *_, right in rows)
        differ = [
            f"at {at:.4g} yours is {mine:.4g}, expected {right:.4g}"
            for at, mine, right in rows
            if abs(mine - right) > LEAST_SEEN * (span or abs(right) or 1)
        ]
        title = f"A graph of {names[1]} over {names[0]}, yours beside the expected one."
        return (_graph(rows, names), _spoken(title, differ, len(rows))) if differ else None

    return Picture(drawing)


def grids(own: Values, expected: Values, names: tuple[str, str]) -> Picture:
    """Return two grids of numbers, own and expected, in which larger numbers are darker.

    Parameters
    ----------
    own, expected
        (rows, columns): the numbers, or truth values.
    names
        What the rows and the columns are, such as ``("query", "key")``.
    """
    rows, columns = (int(size) for size in expected.shape)

    def drawing() -> tuple[Iterator[str], str] | None:
        mine, right = _numbers(own), _numbers(expected)
        wrong = np.abs(mine - right) > LEAST_SEEN * (float(np.ptp(right)) or 1)
        differ = [
            f"{names[0]} {i}, {names[1]} {j}: yours is {_short(mine[i, j])}, "
            f"expected {_short(right[i, j])}"
            for i, j in np.argwhere(wrong).tolist()
        ]
        title = f"Two grids of {names[0]} and {names[1]}, yours and the expected one."
        spoken = _spoken(title, differ, right.size)
        return (_grids(mine, right, wrong, names), spoken) if differ else None

    return Picture(drawing, 2 * columns * CELL + 100, rows * CELL + 48)


def _spoken(title: str, differ: Sequence[str], count: int) -> str:
    more = "; and so on" if len(differ) > MOST_SPOKEN else ""
    named = f"{'; '.join(differ[:MOST_SPOKEN])}{more}"
    return f"{title} {len(differ)} of {count} values differ: {named}."


def _numbers(values: Values) -> np.ndarray:
    detached = values.detach().cpu() if hasattr(values, "detach") else values
    numbers = np.asarray(detached, dtype=float)
    if not np.isfinite(numbers).all():
        raise ValueError("What is not finite has no place in a picture.")
    return numbers


def _graph(rows: Sequence[tuple[float, float, float]], names: tuple[str, str]) -> Iterator[str]:
    xs = [row[0] for row in rows]
    ys = [y for row in rows for y in row[1:]]
    (left, right), (low, high) = _range(xs), _range(ys)

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = (x - left) / (right - left), (y - low) / (high - low)
        return LEFT + across * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP)

    yield f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="{GREY}"/>'
    for value in (min(xs), max(xs)):
        yield _text(place(value, low)[0], BOTTOM + 16, f"{value:.4g}", "middle", GREY)
    for value in (min(ys), max(ys)):
        yield _text(LEFT - 6, place(left, value)[1] + 4, f"{value:.4g}", "end", GREY)
    yield _text((LEFT + RIGHT) / 2, BOTTOM + 34, names[0], "middle", INK)
    yield _text(LEFT - 6, TOP - 12, names[1], "start", INK)
    yield _ring(RIGHT - 128, TOP - 16) + _text(RIGHT - 118, TOP - 12, "expected", "start", EXPECTED)
    yield _cross(RIGHT - 42, TOP - 16) + _text(RIGHT - 32, TOP - 12, "yours", "start", OWN)
    for x, own, expected in rows:
        yield _ring(*place(x, expected)) + _cross(*place(x, own))


def _ring(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="none" stroke="{EXPECTED}"/>'


def _cross(x: float, y: float) -> str:
    return (
        f'<path d="M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0 -7l-7 7" stroke="{OWN}" stroke-width="1.6"/>'
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis, a little beyond the values."""
    low, high = min(values), max(values)
    margin = (high - low) * 0.06 or 1.0
    return low - margin, high + margin


def _grids(
    own: np.ndarray, expected: np.ndarray, wrong: np.ndarray, names: tuple[str, str]
) -> Iterator[str]:
    rows, columns = expected.shape
    low, high = float(expected.min()), float(expected.max())
    for start, values, title, colour, framed in (
        (30, own, "yours", OWN, wrong),
        (columns * CELL + 80, expected, "expected", EXPECTED, np.zeros_like(wrong)),
    ):
        yield _text(start, 16, title, "start", colour)
        for i, j in np.ndindex(rows, columns):
            x, y = start + j * CELL, 24 + i * CELL
            share = min(max((float(values[i, j]) - low) / ((high - low) or 1.0), 0.0), 1.0)
            yield _square(x, y, CELL, _shade(share), GREY, 0.5)
            number, letters = _short(float(values[i, j])), PAPER if share > 0.5 else INK
            yield _text(x + CELL / 2, y + CELL / 2 + 3, number, "middle", letters, size=9)
            if framed[i, j]:
                yield _square(x + 1.5, y + 1.5, CELL - 3, "none", OWN, 2.5)
        below = 24 + rows * CELL + 16
        yield _text(start + columns * CELL / 2, below, names[1], "middle", GREY)
        turned = f"translate({start - 8} {24 + rows * CELL / 2}) rotate(-90)"
        yield f'<g transform="{turned}">{_text(0, 0, names[0], "middle", GREY)}</g>'


def _square(x: float, y: float, side: float, fill: str, stroke: str, width: float) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{side}" height="{side}" fill="{fill}" stroke="{stroke}" '
        f'stroke-width="{width}"/>'
    )


def _shade(share: float) -> str:
    """Return a colour from that of the paper to a dark blue; no text has a contrast below 4.5."""
    # Between the two halves lies a gap, because no text is readable on the greys in the middle.
    share = share * 0.6 if share <= 0.5 else 0.4 + share * 0.6
    ends = zip((251, 252, 253), (12, 55, 110), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in ends)


def _short(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text if len(text) <= 5 else f"{value:.0e}"


def _text(x: float, y: float, text: str, anchor: str, colour: str, size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="{size}">{escape(text)}</text>'
    )
