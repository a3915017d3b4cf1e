"""The common style of the figures of the course.

The colours are those of Okabe and Ito (2008), which people with any kind of colour vision can
distinguish. No figure distinguishes its elements by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # matplotlib is slow to import, so that is done only to draw a figure
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK, SKY, RED = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
)
LINES: list[dict[str, Any]] = [
    {"color": color, "marker": marker, "linestyle": line}
    for color, marker, line in zip(
        (BLUE, RED, GREEN, ORANGE, PINK, SKY),
        "osD^vP",
        ("-", "--", "-.", ":", "-", "--"),
        strict=True,
    )
]
CHANCE = 0.1
PANELS_PER_ROW = 3

STYLE: Any = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
}


@contextmanager
def panels(
    count: int, size: tuple[float, float], per_row: int = PANELS_PER_ROW
) -> Iterator[tuple[Figure, Sequence[Axes]]]:
    """Yield a figure in the style of the course with `count` panels, each of `size` inches."""
    import matplotlib
    from matplotlib import pyplot

    columns = min(count, per_row)
    rows = math.ceil(count / columns)
    with pyplot.rc_context(STYLE):
        figure, grid = pyplot.subplots(
            rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False
        )
        all_axes = list(grid.flat)
        for unused in all_axes[count:]:
            unused.remove()
        yield figure, all_axes[:count]
        interactive = matplotlib.is_interactive()
    # The first figure of a notebook loads the backend, which makes pyplot interactive. The end of
    # the context undoes that, and figures that students draw with pyplot would not be shown.
    matplotlib.interactive(interactive)
    # pyplot would show every open figure a second time at the end of the cell.
    pyplot.close(figure)


def accuracy_axis(axes: Axes, full_precision: float | None) -> None:
    """Set up an accuracy axis, with lines for chance and for the float32 network."""
    if full_precision is not None:
        axes.axhline(full_precision, color="0.25", linewidth=1.2, label="float32")
    axes.axhline(CHANCE, color="0.55", linewidth=1.2, linestyle=(0, (1, 2)), label="chance")
    axes.set_ylim(0, 1.02)
    axes.set_yticks(np.arange(0, 1.01, 0.2), [f"{percent} %" for percent in range(0, 101, 20)])
    axes.set_ylabel("test accuracy")


def legend_beside(axes: Axes) -> None:
    """Place the legend to the right of the plot, where it covers nothing."""
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
