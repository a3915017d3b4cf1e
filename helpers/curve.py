"""The curves of a training: loss and accuracy over the epochs, as a picture, a table and a text.

The picture is drawn after every epoch, and a training must not wait for it. It is therefore an SVG
of a few lines of text, which takes about a millisecond; matplotlib would take 100. It stands in an
``img``, because Jupyter shows that also in a notebook that it does not trust. An image does not
know the theme of the page around it, so its colours can be told from white and from black.
"""

import base64
import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from helpers.course_runs import CourseRuns
from helpers.history import History

__all__ = ["headline", "html", "svg", "table_text"]

GREY, BLUE, ORANGE = "#777777", "#3b7dd8", "#c9650a"
"""The contrasts with white and with #111111 are above 4 for the grey, and above 3.9 for the
others."""
WIDTH, HEIGHT = 680, 230
PANEL_WIDTH, PANEL_HEIGHT, LEFT, TOP = 270, 150, 50, 34
MOST_POINTS = 200
"""A longer training is drawn with this many points; the eye cannot tell more apart."""
MOST_ROWS = 100
LAST_ROWS = 3
TICKS = 4
LEAST_SPAN = 0.02
"""The least height of an axis, so that the noise of two epochs does not look like a mountain."""

Points = list[tuple[float, float]]


def headline(history: History, epochs: int) -> str:
    """Return the newest figures of a training of so many epochs in a sentence."""
    if not len(history):
        return f"No epoch of {epochs} is done yet."
    return (
        f"Epoch {len(history)} of {epochs}: training loss {history.train_loss[-1]:.4f}, training "
        f"accuracy {history.train_accuracy[-1]:.4f}, test accuracy {history.test_accuracy[-1]:.4f}."
    )


def html(history: History, epochs: int, course: CourseRuns | None, *, finished: bool) -> str:
    """Return the picture and a table as HTML, without scripts, for a notebook.

    Parameters
    ----------
    history
        The figures so far.
    epochs
        How many epochs the training has in all.
    course
        How the course's own trainings ended, if that is known.
    finished
        Whether to add the table of all epochs, which is closed until somebody opens it.
    """
    spoken = headline(history, epochs)
    sentences = f"{spoken} {course}" if course else spoken
    picture = base64.b64encode(svg(history, epochs, course).encode()).decode()
    parts = [
        f'<img src="data:image/svg+xml;base64,{picture}" width="{WIDTH}" height="{HEIGHT}" '
        f'alt="{escape(spoken)}" title="{escape(spoken)}">',
        f"<div>{escape(sentences, quote=False)}</div>",
        _table(history, _few(history)),
    ]
    if finished and len(history) > LAST_ROWS + 1:
        rows = _spread(range(len(history)), MOST_ROWS)
        which = "All epochs" if len(rows) == len(history) else f"{len(rows)} of the epochs"
        parts.append(f"<details><summary>{which}</summary>{_table(history, rows)}</details>")
    return "".join(parts)


def table_text(history: History) -> str:
    """Return the last epochs and the best one as a table of plain text."""
    rows = [_cells(history, row) for row in _few(history)]
    return "\n".join("  ".join(f"{cell:>13}" for cell in row) for row in [HEADINGS, *rows])


def svg(history: History, epochs: int, course: CourseRuns | None) -> str:
    """Return the picture: the loss on the left, the accuracies on the right."""
    shown = _spread(range(len(history)), MOST_POINTS)

    def points(values: Sequence[float]) -> Points:
        return [(row + 1, values[row]) for row in shown if math.isfinite(values[row])]

    loss, train, test = map(
        points, (history.train_loss, history.train_accuracy, history.test_accuracy)
    )
    band = (course.lowest, course.highest) if course else ()
    spoken = escape(headline(history, epochs))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{spoken}" font-family="system-ui,sans-serif" font-size="11" fill="{GREY}">'
        f"<title>{spoken}</title>",
        *_panel(0, epochs, "training loss", [y for _, y in loss], [("", loss, BLUE, False)], ()),
        *_panel(
            WIDTH // 2,
            epochs,
            "accuracy",
            [*(y for _, y in train + test), *band],
            [("training", train, BLUE, True), ("test", test, ORANGE, False)],
            band,
        ),
        "</svg>",
    ]
    return "".join(parts)


def _panel(
    left: int,
    epochs: int,
    name: str,
    values: Sequence[float],
    lines: Sequence[tuple[str, Points, str, bool]],
    band: Sequence[float],
) -> Iterator[str]:
    """Yield the parts of a panel: a frame with ticks, the band of the course, and the lines."""
    x0, y0 = left + LEFT, TOP
    ticks = _ticks(min(values, default=0.0), max(values, default=1.0))
    low, high = ticks[0], ticks[-1]

    def x(epoch: float) -> float:
        return x0 + PANEL_WIDTH * (epoch - 1) / max(1, epochs - 1) if epochs > 1 else x0 + 9

    def y(value: float) -> float:
        return y0 + PANEL_HEIGHT * (high - value) / (high - low)

    for tick in ticks:
        yield (
            f'<path d="M{x0} {y(tick):.1f}h{PANEL_WIDTH}" stroke="{GREY}" stroke-opacity=".3"/>'
            f'<text x="{x0 - 5}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    for epoch in _whole_ticks(epochs):
        yield (
            f'<text x="{x(epoch):.1f}" y="{y0 + PANEL_HEIGHT + 15}" text-anchor="middle">{epoch}'
            "</text>"
        )
    yield f'<text x="{x0 + PANEL_WIDTH // 2}" y="{y0 + PANEL_HEIGHT + 30}" text-anchor="middle">'
    yield f'epoch</text><text x="{x0}" y="{y0 - 12}" font-weight="bold">{name}</text>'
    if band:
        bottom, top = y(band[0]), y(band[1])
        right, below = x0 + PANEL_WIDTH, y0 + PANEL_HEIGHT - 8
        colour = f'fill="{ORANGE}" fill-opacity=".45"'
        yield (
            f'<rect x="{x0}" y="{top - 1:.1f}" width="{PANEL_WIDTH}" '
            f'height="{bottom - top + 2:.1f}" {colour}/>'
            f'<rect x="{right - 188}" y="{below - 8}" width="18" height="8" {colour}/>'
            f'<text x="{right}" y="{below}" text-anchor="end">the course\'s runs ended here</text>'
        )
    place = x0 + PANEL_WIDTH
    for label, points, colour, dashed in reversed(lines):
        dashes = ' stroke-dasharray="5 3"' if dashed else ""
        path = "L".join(f"{x(epoch):.1f} {y(value):.1f}" for epoch, value in points)
        if path:
            yield (
                f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2" '
                f'stroke-linejoin="round"{dashes}/>'
                f'<circle cx="{x(points[-1][0]):.1f}" cy="{y(points[-1][1]):.1f}" r="3.5" '
                f'fill="{colour}"/>'
            )
        if label:
            yield (
                f'<text x="{place}" y="{y0 - 12}" text-anchor="end" fill="{colour}">{label}</text>'
                f'<path d="M{place - 74} {y0 - 16}h18" stroke="{colour}" stroke-width="2"{dashes}/>'
            )
            place -= 90


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers, evenly spaced, from below the lowest value to above the highest."""
    middle = (low + high) / 2
    span = max(high - low, LEAST_SPAN, abs(middle) * 1e-6)
    low, high = middle - span / 2, middle + span / 2
    rough = span / TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * number, 9) for number in range(first, last + 1)]


def _whole_ticks(epochs: int) -> list[int]:
    """Return some of the epochs, the first and the last included."""
    return [number + 1 for number in _spread(range(epochs), 6)]


def _spread(rows: Sequence[int], most: int) -> list[int]:
    """Return at most so many of the rows, evenly spread, the first and the last included."""
    if len(rows) <= most:
        return list(rows)
    return [rows[round(k * (len(rows) - 1) / (most - 1))] for k in range(most)]


# ------------------------------------------------------------------------------------------------
# The table

HEADINGS = ("epoch", "training loss", "training", "test", "seconds")


def _few(history: History) -> list[int]:
    """Return the rows of the last epochs, after that of the best one if it is not among them."""
    last = range(max(0, len(history) - LAST_ROWS), len(history))
    best = _best(history)
    return [*([best] if best is not None and best not in last else []), *last]


def _best(history: History) -> int | None:
    """Return the row with the highest test accuracy, the first of several."""
    accuracy: Callable[[int], float] = history.test_accuracy.__getitem__
    return max(range(len(history)), key=accuracy, default=None)


def _cells(history: History, row: int) -> list[str]:
    best = "best " if row == _best(history) and len(history) > 1 else ""
    accuracies = (history.train_accuracy[row], history.test_accuracy[row])
    return [
        f"{best}{row + 1}",
        f"{history.train_loss[row]:.4f}",
        *(f"{accuracy:.4f}" for accuracy in accuracies),
        f"{history.seconds[row]:.1f}",
    ]


def _table(history: History, rows: Sequence[int]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    body = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(history, row))}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
