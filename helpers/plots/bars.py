"""Bars: several values for each of several things, and times with their quartiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.plots.style import LINES, SKY, legend_beside, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Bars must not differ by colour alone.
HATCHES = ("", "///", "...", "xx")


def grouped_bars(axes: Axes, groups: Mapping[str, Mapping[str, float]], **names: Any) -> None:
    """Draw a group of bars for each thing, with the names of the things below.

    Parameters
    ----------
    axes
        Where to draw.
    groups
        Mapping from the label of a bar, to thing, to value. The things are those of the first
        label.
    **names
        How the names are written, as for ``axes.set_xticks``.
    """
    things = list(next(iter(groups.values())))
    width = 0.8 / len(groups)
    for index, (label, values) in enumerate(groups.items()):
        axes.bar(
            np.arange(len(things)) + (index - (len(groups) - 1) / 2) * width,
            [values[thing] for thing in things],
            width,
            label=label,
            color=LINES[index % len(LINES)]["color"],
            hatch=HATCHES[index % len(HATCHES)],
            edgecolor="white",
            linewidth=0.5,
        )
    axes.set_xticks(np.arange(len(things)), things, **names)
    axes.grid(False, axis="x")
    if len(groups) > 1:
        legend_beside(axes)


def median_times(
    measured: Mapping[str, Sequence[float]], *, of: str, title: str, width: float
) -> Figure:
    """Draw the median of repeated time measurements as bars, with the middle half as lines.

    Parameters
    ----------
    measured
        Mapping from what was measured to the times in milliseconds.
    of
        What the names below the bars are, such as ``"network"``.
    title
        The title of the figure.
    width
        Its width in inches.
    """
    with panels(1, (width, 3.6)) as (figure, (axes,)):
        low, median, high = np.array(
            [np.percentile(values, (25, 50, 75)) for values in measured.values()]
        ).T
        places = range(len(measured))
        axes.bar(places, median, 0.6, color=SKY)
        reach = [median - low, high - median]
        label = "from the first to the third quartile"
        axes.errorbar(places, median, reach, fmt="none", ecolor="0.25", capsize=6, label=label)
        axes.set_xticks(places, list(measured))
        axes.set_xlabel(of)
        axes.set_ylabel("median time (ms)")
        axes.set_title(title)
        axes.legend(loc="upper right", fontsize="small")
        axes.set_ylim(0, 1.25 * high.max())
    return figure
