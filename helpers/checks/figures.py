"""Reading a figure as data: which lines its panels show, on which scale, and what names them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_LINES = 60
"""Per panel. Whoever draws more has mixed up rows and columns, and 60 are enough to see it."""


@dataclass(frozen=True)
class Panel:
    """What one pair of axes shows.

    Attributes
    ----------
    x_label, y_label, title : str
    log_scale : bool
        Whether the y axis is logarithmic.
    lines : tuple of float array (N, 2)
        The points of each line. Lines of two points or fewer (``axhline``) are left out.
    names : tuple of str
        The entries of its legend, or else of the figure's.
    """

    x_label: str
    y_label: str
    title: str
    log_scale: bool
    lines: tuple[np.ndarray, ...]
    names: tuple[str, ...]


def panels_of(shown: Any, plain: Callable[[Any], Any] = lambda found: found) -> list[Panel]:
    """Return the panels with lines of a figure, or of several in a list or tuple.

    Parameters
    ----------
    shown : Figure, or list or tuple with figures
        Anything beside the figures in it, such as the axes of ``plt.subplots``, is passed over.
    plain : callable, optional
        Makes plain data of a value that was read. The grader reads a student's figure through
        handles; here, by default, the values are the figure's own.
    """
    if isinstance(shown, list | tuple):
        return [panel for part in shown for panel in panels_of(part, plain)]
    try:
        axes = plain(shown.axes)
        # Of Axes, `axes` is the object itself.
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
    """Return the points (step, log10 of the loss) of a loss panel, without its gaps.

    The logarithm may be taken by the axis or be plotted itself. What has none is not drawn.
    """
    points = panel.lines[0].copy()
    if panel.log_scale:
        with np.errstate(divide="ignore", invalid="ignore"):
            points[:, 1] = np.log10(points[:, 1])
    return points[np.isfinite(points).all(axis=1)]


def axes_are_named(panels: list[Panel]) -> bool:
    """Say whether each panel's values are named, by a label or title, and the steps once."""
    return all(p.y_label.strip() or p.title.strip() for p in panels) and any(
        p.x_label.strip() for p in panels
    )


def lines_are_named(panel: Panel) -> bool:
    """Say whether a panel has a name of its own for each of its lines."""
    names = [name.strip() for name in panel.names]
    return len(set(names)) == len(names) == len(panel.lines) and all(names)
