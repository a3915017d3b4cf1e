"""Read a figure as data: the lines of its panels, their scale and their names."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
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
    log_scale, log_steps
        Whether the y axis and the x axis are logarithmic.
    has_step_numbers
        Whether the x axis shows numbers. It shows none if another panel has the same axis.
    lines
        (N, 2), float: the points of each line. Lines of two points or fewer, such as those of
        ``axhline``, are left out.
    names
        Entries of the panel's legend, or of the figure's legends if the panel has none.
    labels
        The entry of the legend that belongs to each line; empty if the line has none.
    """

    x_label: str
    y_label: str
    title: str
    log_scale: bool
    log_steps: bool
    has_step_numbers: bool
    lines: tuple[np.ndarray, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]


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
        shared = list(plain(shown.legends))
    except Exception:
        return []
    found = [_panel(each, shared, plain) for each in axes]
    return [panel for panel in found if panel.lines]


def _panel(axes: Any, shared: list[Any], plain: Callable[[Any], Any]) -> Panel:
    drawn = list(plain(axes.get_lines())[:MOST_LINES])
    points = [np.asarray(plain(line.get_xydata())) for line in drawn]
    lines = [line for line, xy in zip(drawn, points, strict=True) if len(xy) > 2]
    own = axes.get_legend()
    legends = [own] if own is not None and plain(own.get_texts()) else shared
    names = [
        plain(text.get_text())
        for legend in legends
        for text in plain(legend.get_texts())[:MOST_LINES]
    ]
    return Panel(
        x_label=plain(axes.get_xlabel()),
        y_label=plain(axes.get_ylabel()),
        title=plain(axes.get_title()),
        log_scale=plain(axes.get_yscale()) == "log",
        log_steps=plain(axes.get_xscale()) == "log",
        has_step_numbers=_has_numbers(axes.xaxis, plain),
        lines=tuple(xy.astype(float) for xy in points if len(xy) > 2),
        names=tuple(names),
        labels=tuple(_labels(lines, legends, names, plain)),
    )


def _has_numbers(axis: Any, plain: Callable[[Any], Any]) -> bool:
    return plain(axis.get_visible()) and plain(axis.get_tick_params()).get("labelbottom", True)


def _labels(
    lines: list[Any], legends: list[Any], names: list[str], plain: Callable[[Any], Any]
) -> list[str]:
    """Find the entry of the legend that belongs to each line, as a reader does: by its look."""
    if not names:
        return [""] * len(lines)
    samples = [
        _look(line, plain) for legend in legends for line in plain(legend.get_lines())[:MOST_LINES]
    ]
    looks = [_look(line, plain) for line in lines]
    labels = []
    for line, look in zip(lines, looks, strict=True):
        # Without a look of its own, a line is known only by the label that it was given.
        alone = looks.count(look) == samples.count(look) == 1 and len(samples) == len(names)
        label = names[samples.index(look)] if alone else plain(line.get_label())
        labels.append(label.strip() if label in names else "")
    return labels


def _look(line: Any, plain: Callable[[Any], Any]) -> str:
    """Return what the sample of a line in a legend looks like."""
    parts = (line.get_color(), line.get_linestyle(), line.get_marker(), line.get_linewidth())
    return repr([plain(part) for part in parts])


def titles_of(shown: Any, plain: Callable[[Any], Any] = lambda found: found) -> list[str]:
    """Return the titles of a figure and of its panels, or those of several figures.

    The parameters are those of `panels_of`.
    """
    if isinstance(shown, list | tuple):
        return [title for part in shown for title in titles_of(part, plain)]
    try:
        axes = plain(shown.axes)
        if not isinstance(axes, list):
            return []
        return [plain(shown.get_suptitle()), *(plain(each.get_title()) for each in axes)]
    except Exception:
        return []


NUMBER = re.compile(r"\d+\.?\d*(?:e[-+]?\d+)?|\.\d+", re.IGNORECASE)


def names_number(titles: list[str], number: float) -> bool:
    """Return whether one of the titles contains a number, in whatever way it is written."""
    return any(float(found) == number for title in titles for found in NUMBER.findall(title))


def loss_and_weights(panels: list[Panel]) -> tuple[Panel, Panel] | None:
    """Find the panel with the loss (one line) and the one with the weights (several).

    A horizontal line beside the loss marks a level and does not count.
    """
    for seen in (panels, list(map(_without_levels, panels))):
        loss = [panel for panel in seen if len(panel.lines) == 1]
        weights = [
            panel for panel, all_of_it in zip(panels, seen, strict=True) if len(all_of_it.lines) > 1
        ]
        if len(loss) == len(weights) == 1:
            return loss[0], weights[0]
    return None


def _without_levels(panel: Panel) -> Panel:
    return _only(panel, [not _is_level(line) for line in panel.lines])


def _is_level(line: np.ndarray) -> bool:
    return bool(np.all(line[:, 1] == line[0, 1]))


def _only(panel: Panel, kept: list[bool]) -> Panel:
    lines = tuple(line for line, keep in zip(panel.lines, kept, strict=True) if keep)
    labels = tuple(label for label, keep in zip(panel.labels, kept, strict=True) if keep)
    return replace(panel, lines=lines, labels=labels)


def weights_alone(panel: Panel, weights: np.ndarray) -> Panel:
    """Return a panel without the horizontal lines that someone drew beside the weights.

    Such a line may mark zero, or the weight that a run should find.

    Parameters
    ----------
    panel
        The panel with the weights.
    weights
        (steps + 1, d), float: the weights that it should show. A horizontal line that is one of
        them is left out only if there are too many lines and it has no label.
    """
    columns = [np.column_stack([np.arange(len(w)), w]) for w in weights.T]
    for is_beside in (
        lambda line, label: not any(_same_line(line, column) for column in columns),
        lambda line, label: not label,
    ):
        if len(panel.lines) > len(columns):
            drawn = zip(panel.lines, panel.labels, strict=True)
            panel = _only(panel, [not (_is_level(xy) and is_beside(xy, n)) for xy, n in drawn])
    return panel


def _same_line(line: np.ndarray, other: np.ndarray) -> bool:
    return line.shape == other.shape and bool(np.abs(line - other).max() <= 1e-6)


def misnamed_weight(panel: Panel, weights: np.ndarray) -> str | None:
    """Return a label that stands at the line of another weight; None if there is none.

    Labels tell which weight they mean if their first numbers follow one another; the weights count
    from 0 or from 1. Other labels may mean any weight.

    Parameters
    ----------
    panel
        A panel whose lines are the weights, and no others.
    weights
        (steps + 1, d), float: the weights that it shows.
    """
    # NFKC turns a subscript into a digit.
    plain = [unicodedata.normalize("NFKC", label) for label in panel.labels]
    digits = [re.search(r"(?<!\w)-?\d+|\d+", label) for label in plain]
    numbers = [int(found[0]) for found in digits if found]
    start, count = min(numbers, default=0), weights.shape[1]
    if sorted(numbers) != [*range(start, start + count)]:
        return None
    for line, label, number in zip(panel.lines, panel.labels, numbers, strict=True):
        w = weights[:, number - start]
        if start not in (0, 1) or not _same_line(line, np.column_stack([np.arange(len(w)), w])):
            return label
    return None


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
    """Return whether every panel has a y label or a title, and an x label below its numbers."""
    return all(
        (p.y_label.strip() or p.title.strip()) and (p.x_label.strip() or not p.has_step_numbers)
        for p in panels
    )


def lines_are_named(panel: Panel) -> bool:
    """Return whether each line of a panel has its own name."""
    names = [name.strip() for name in panel.names]
    return len(set(names)) == len(names) == len(panel.lines) and all(names)


OF_STEPS = re.compile(r"step|iter|epoch|updat|time|number|count|\b[kt]\b", re.IGNORECASE)
OF_VALUES = re.compile(r"loss|log|weight|error|value", re.IGNORECASE)


def axes_are_swapped(panel: Panel) -> bool:
    """Return whether the x label of a panel names its values, or the y label its steps.

    A label without a word for either, such as a letter, may mean both.
    """

    def names_only(label: str, meant: re.Pattern[str], other: re.Pattern[str]) -> bool:
        return bool(meant.search(label)) and not other.search(label)

    return names_only(panel.x_label, OF_VALUES, OF_STEPS) or names_only(
        panel.y_label, OF_STEPS, OF_VALUES
    )
