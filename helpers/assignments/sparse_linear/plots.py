"""The figures that ship with `sparse_linear`; students plot single runs themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from helpers.plots import BLUE, LINES, STYLE
from helpers.plots.style import PANELS_PER_ROW, legend_beside, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "LINES",
    "STYLE",
    "loss_curves",
    "recovery_over_sparsity",
    "threshold_functions",
    "weight_traces",
]

Array = NDArray[np.float64]


def loss_curves(losses: Mapping[str, Array], title: str = "") -> Figure:
    """Draw the losses of several runs over the steps, on a logarithmic axis.

    Parameters
    ----------
    losses
        Mapping from label to losses, one per step. A loss of zero leaves a gap.
    title
        Title of the figure.
    """
    with panels(1, (8.2, 3.8)) as (figure, (axes,)):
        for look, (label, values) in zip(_looks(len(losses)), losses.items(), strict=True):
            marked = look | {"markevery": max(1, len(values) // 10), "markersize": 5}
            axes.plot(np.where(values > 0, values, np.nan), label=label, **marked)
        axes.set(yscale="log", xlabel="step", ylabel="loss L", title=title)
        legend_beside(axes)
    return figure


def weight_traces(
    runs: Mapping[str, tuple[Array, Array]], weight: int, steps: tuple[int, int], limit: float
) -> Figure:
    """Draw one weight of several runs over a few steps, in a panel for each run.

    Parameters
    ----------
    runs
        Mapping from label to weights (steps + 1, d) and losses.
    weight
        Number of the weight, counted from 0.
    steps
        First and last step to draw.
    limit
        The vertical axes go from ``-limit`` to `limit`.

    Returns
    -------
    Figure
        All panels are in one row.
    """
    first, last = steps
    with panels(len(runs), (2.9, 2.7), per_row=len(runs)) as (figure, all_axes):
        for index, (axes, (label, (weights, _))) in enumerate(
            zip(all_axes, runs.items(), strict=True)
        ):
            values = weights[first : last + 1, weight]
            axes.axhline(0, color="0.55", linewidth=1)
            axes.plot(np.arange(first, last + 1), values, **LINES[0] | {"markersize": 3.5})
            axes.set(title=label, xlabel="step", ylim=(-limit, limit))
            if index == 0:
                axes.set_ylabel(f"$w_{{{weight + 1}}}$")
            else:
                axes.tick_params(labelleft=False)
    return figure


def threshold_functions(
    functions: Mapping[str, Callable[[Array], Array]], line: Array, threshold: float
) -> Figure:
    """Draw threshold functions, each in its own panel.

    Parameters
    ----------
    functions
        Mapping from title to a function of an array.
    line
        (n,): the arguments, in increasing order.
    threshold
        The threshold, which is marked on both sides of zero.
    """
    with panels(len(functions), (3.6, 3.2)) as (figure, all_axes):
        for index, (axes, (title, function)) in enumerate(
            zip(all_axes, functions.items(), strict=True)
        ):
            axes.plot(line, line, "--", color="0.55", linewidth=1.2)
            # The two sides of a jump are not joined by a line.
            after = function(line)
            jumps = np.flatnonzero(np.abs(np.diff(after)) > 10 * np.abs(np.diff(line)).max())
            parts = zip(np.split(line, jumps + 1), np.split(after, jumps + 1), strict=True)
            for x, y in parts:
                axes.plot(x, y, color=LINES[0]["color"])
            for side in (-threshold, threshold):
                axes.axvline(side, color="0.55", linewidth=1, linestyle=(0, (1, 2)))
            axes.set(title=title, xlabel="weight before")
            if index % PANELS_PER_ROW == 0:
                axes.set_ylabel("weight after")
    return figure


APART = 0.12
"""Methods are drawn this far apart, so that their error bars do not cover each other."""


def recovery_over_sparsity(
    found: Mapping[str, Mapping[int, Sequence[bool]]],
    errors: Mapping[str, Mapping[int, Sequence[float]]],
) -> Figure:
    """Draw how often methods find the right non-zero weights, and their errors, with error bars.

    Parameters
    ----------
    found
        Mapping from method, to the number of non-zeros, to whether the method found the right
        non-zeros in each of several problems.
    errors
        Mapping from method, to the number of non-zeros, to the relative error of the weights in
        each problem.

    Returns
    -------
    Figure
        Two panels over the number of non-zeros. The first shows the share of the problems in
        which the right non-zeros were found, with its standard error; the second, which is
        logarithmic, the median error with the interquartile range. Methods are drawn slightly
        apart. A legend names each method once.
    """
    with panels(2, (5.4, 4.0)) as (figure, (share, error)):
        middle = (len(found) - 1) / 2
        bars: Any = {"capsize": 2, "elinewidth": 1.1, "capthick": 1.1}
        for index, (look, method) in enumerate(zip(_looks(len(found)), found, strict=True)):
            counts = list(found[method])
            x = np.array(counts) + APART * (index - middle)
            hits = [np.asarray(found[method][count], float) for count in counts]
            p = np.array([h.mean() for h in hits])
            standard_error = np.sqrt(p * (1 - p) / [len(h) for h in hits])
            share.errorbar(x, 100 * p, 100 * standard_error, label=method, **look, **bars)
            quartiles = [np.percentile(errors[method][count], (25, 50, 75)) for count in counts]
            low, median, high = np.array(quartiles).T
            error.errorbar(x, median, (median - low, high - median), label=method, **look, **bars)
        share.set(
            title="Right non-zeros found (± standard error)",
            xlabel="non-zeros in the true weights",
            ylabel="problems (%)",
            ylim=(-4, 104),
        )
        error.set(
            title="Error of the weights (median, quartiles)",
            xlabel="non-zeros in the true weights",
            ylabel="relative error",
            yscale="log",
        )
        for axes in (share, error):
            axes.set_xticks(sorted({count for method in found.values() for count in method}))
        legend_beside(error)
    return figure


def _looks(count: int) -> list[dict[str, Any]]:
    return [LINES[i % len(LINES)] for i in range(count)]
