"""Read a figure as data: the lines of its panels, their scale and their names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_LINES = 60
"""Largest number of lines read per panel. More lines mean that rows and columns are mixed up."""


@dataclass(frozen=True)
class Panel:
    """The content of one panel of a figure.

    Attributes
    ----------
    x_label, y_label, title
        Texts; empty if there is none.
    log_scale
        Whether the y axis is logarithmic.
    lines
        (N, 2), float: the points of each line. Lines of two points or fewer, such as those of
        ``axhline``, are left out.
    names
        Entries of the panel's legend, or of the figure's legends if the panel has none.
    """

    x_label: str
    y_label: str
    title: str
    log_scale: bool
    lines: tuple[np.ndarray, ...]
    names: tuple[str, ...]


def panels_of(shown: Any, plain: Callable[[Any], Any] = lambda found: found) -> list[Panel]:
    """Return the panels of a figure that contain lines, or those of several figures.

    Parameters
    ----------
    shown
        A figure, or a list or tuple of figures. Other objects in it, such as the axes returned by
        ``plt.subplots``, are ignored.
    plain
        Function that turns a value read from the figure into plain data. The grader reads a
        student's figure through handles and needs such a function. By default, values are used as
        they are.
    """
    if isinstance(shown, list | tuple):
        return [panel for part in shown for panel in panels_of(part, plain)]
    try:
        axes = plain(shown.axes)
        # The attribute `axes` of an Axes object is the object itself.
        if not isinstance(axes, list):
            return []
        shared = _entries(plain(shown.legends), plain)
    except Exception:
        return []
    found = [_panel(each, shared, plain) for each in axes]
    return [panel for panel in found if panel.lines]


def _panel(axes: Any, shared: list[str], plain: Callable[[Any], Any]) -> Panel:
    lines = [np.asarray(plain(line.get_xydata())) for line in plain(axes.get_lines())[:MOST_LINES]]
    legend = _legend_entries(axes.get_legend(), plain)
    return Panel(
        x_label=plain(axes.get_xlabel()),
        y_label=plain(axes.get_ylabel()),
        title=plain(axes.get_title()),
        log_scale=plain(axes.get_yscale()) == "log",
        lines=tuple(line.astype(float) for line in lines if len(line) > 2),
        names=tuple(legend or shared),
    )


def _legend_entries(legend: Any, plain: Callable[[Any], Any]) -> list[str]:
    return [] if legend is None else _entries([legend], plain)


def _entries(legends: Any, plain: Callable[[Any], Any]) -> list[str]:
    return [
        plain(text.get_text())
        for legend in legends
        for text in plain(legend.get_texts())[:MOST_LINES]
    ]


def loss_and_weights(panels: list[Panel]) -> tuple[Panel, Panel] | None:
    """Find the panel with the loss (one line) and the one with the weights (several)."""
    loss = [panel for panel in panels if len(panel.lines) == 1]
    weights = [panel for panel in panels if len(panel.lines) > 1]
    return (loss[0], weights[0]) if len(loss) == len(weights) == 1 else None


def log10_line(panel: Panel) -> np.ndarray:
    """Return the points (step, log10 of the loss) of a loss panel, (N, 2), without gaps.

    The panel may have a logarithmic axis or show the logarithm itself. Points at which there is no
    logarithm are left out.
    """
    points = panel.lines[0].copy()
    if panel.log_scale:
        with np.errstate(divide="ignore", invalid="ignore"):
            points[:, 1] = np.log10(points[:, 1])
    return points[np.isfinite(points).all(axis=1)]


def axes_are_named(panels: list[Panel]) -> bool:
    """Return whether every panel has a y label or a title, and at least one has an x label."""
    return all(p.y_label.strip() or p.title.strip() for p in panels) and any(
        p.x_label.strip() for p in panels
    )


def lines_are_named(panel: Panel) -> bool:
    """Return whether each line of a panel has its own name."""
    names = [name.strip() for name in panel.names]
    return len(set(names)) == len(names) == len(panel.lines) and all(names)
