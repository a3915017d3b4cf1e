"""The figures of `pruning`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.plots import STYLE, learning_curves
from helpers.plots.bars import grouped_bars, median_times
from helpers.plots.style import (
    BLUE,
    LINES,
    PANELS_PER_ROW,
    RED,
    SKY,
    accuracy_axis,
    legend_beside,
    panels,
)
from helpers.training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "STYLE",
    "accuracy_over_sparsity",
    "accuracy_per_layer",
    "before_and_after",
    "learning_curves",
    "pruned_histograms",
    "pruning_methods",
    "revived_weight",
    "sparsity_per_layer",
    "times",
]


def pruned_histograms(
    before: torch.Tensor | NDArray[Any], after: Mapping[str, torch.Tensor | NDArray[Any]]
) -> Figure:
    """Draw the distributions of the weights of a layer before and after pruning.

    Parameters
    ----------
    before
        The weights of the layer, of any shape.
    after
        Mapping from title, such as ``"s = 0.5"``, to the weights after pruning (and possibly
        training).

    Returns
    -------
    Figure
        One panel per title, with the weights before as an outline and the non-zero weights after as
        a filled histogram. The fraction of zeros is given in the title, because as a bar it would
        dwarf all others.
    """
    old = _flat(before)
    with panels(len(after), (3.6, 2.9)) as (figure, all_axes):
        reach = 1.05 * max(np.abs(old).max(), *(np.abs(_flat(w)).max() for w in after.values()))
        edges = np.linspace(-reach, reach, 62).tolist()
        for index, (axes, (title, values)) in enumerate(zip(all_axes, after.items(), strict=True)):
            new = _flat(values)
            kept = new[new != 0]
            shares = _percent(old, old.size)
            axes.hist(old, edges, weights=shares, histtype="step", color=BLUE)
            axes.hist(kept, edges, weights=_percent(kept, new.size), color=SKY)
            if index % PANELS_PER_ROW == 0:
                axes.set_ylabel("weights per bin (%)")
            axes.set_xlabel("weight")
            zeros = 1 - kept.size / new.size
            axes.set_title(f"{title}: {zeros:.1%} zeros", fontsize="medium")
        all_axes[0].plot([], [], color=BLUE, label="before")
        all_axes[0].fill_between([], [], [], color=SKY, label="kept")
        all_axes[0].legend(loc="upper right", fontsize="small")
    return figure


def accuracy_over_sparsity(
    results: Mapping[str, Mapping[float, float]], *, full: float | None = None
) -> Figure:
    """Draw test accuracy over sparsity.

    Parameters
    ----------
    results
        Mapping from label, to sparsity, to accuracy; both are in [0, 1].
    full
        Accuracy of the network without pruning, drawn as a line for comparison. By default, no line
        is drawn.
    """
    with panels(1, (7.2, 3.8)) as (figure, (axes,)):
        for look, (label, points) in zip(LINES, results.items(), strict=False):
            x = sorted(points)
            axes.plot([100 * value for value in x], [points[v] for v in x], label=label, **look)
        _accuracy_axis(axes, full)
        axes.set_xlabel("weights pruned (%)")
        axes.set_title("Accuracy over sparsity")
        legend_beside(axes)
    return figure


def sparsity_per_layer(sparsities: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw the sparsity of every layer as bars.

    Parameters
    ----------
    sparsities
        Mapping from label, such as the name of a method, to layer, to sparsity in [0, 1].
    """
    with panels(1, (11, 3.8)) as (figure, (axes,)):
        grouped_bars(axes, sparsities, rotation=60, ha="right", fontsize="small")
        axes.set_xlabel("layer")
        axes.set_ylim(0, 1)
        axes.set_yticks(np.arange(0, 1.01, 0.2), [f"{percent} %" for percent in range(0, 101, 20)])
        axes.set_ylabel("weights pruned")
        axes.set_title("Sparsity of each layer")
    return figure


def accuracy_per_layer(
    accuracies: Mapping[str, Mapping[str, float]], *, full: float | None = None
) -> Figure:
    """Draw, for every layer, the remaining accuracy if only this layer is pruned.

    Parameters
    ----------
    accuracies
        Mapping from label, such as how much of the layer is pruned, to layer, to accuracy in
        [0, 1].
    full
        Accuracy of the network without pruning, drawn as a line for comparison. By default, no line
        is drawn.

    Returns
    -------
    Figure
        The vertical axis begins slightly below the lowest accuracy, to show differences.
    """
    with panels(1, (11, 4.2)) as (figure, (axes,)):
        layers = list(next(iter(accuracies.values()), {}))
        positions = np.arange(len(layers))
        for look, (label, values) in zip(LINES, accuracies.items(), strict=False):
            marks = {"color": look["color"], "marker": look["marker"], "linestyle": "none"}
            axes.plot(positions, [values[layer] for layer in layers], label=label, **marks)
        if accuracies:
            rows = [[values[layer] for layer in layers] for values in accuracies.values()]
            axes.vlines(positions, np.min(rows, 0), np.max(rows, 0), color="0.75", zorder=1)
        if full is not None:
            axes.axhline(full, color="0.25", linewidth=1.2, label="nothing pruned")
        _zoom(axes, [v for values in accuracies.values() for v in values.values()], full)
        axes.set_ylabel("accuracy (axis cut off)")
        axes.set_xticks(positions, layers, rotation=60, ha="right", fontsize="small")
        axes.set_xlabel("the layer that is pruned")
        axes.set_title("Accuracy when one layer is pruned")
        legend_beside(axes)
    return figure


def before_and_after(
    figures: Mapping[str, tuple[float, float, float]],
    *,
    untouched: float,
    trained: float | None = None,
) -> Figure:
    """Draw the accuracies of pruned networks: as pruned, with batch norm measured anew, trained.

    Parameters
    ----------
    figures
        Mapping from how the network was pruned to the three accuracies in [0, 1].
    untouched
        Accuracy of the network that is not pruned.
    trained
        Accuracy of that network after the same training. By default, no line is drawn.

    Returns
    -------
    Figure
        Two panels with the same marks: the whole axis, and an axis that shows the differences
        between the trained networks.
    """
    names = ("as pruned", "batch norm measured anew", "trained")
    with panels(2, (5.4, 4)) as (figure, (whole, zoomed)):
        for axes in (whole, zoomed):
            for column, (look, name) in enumerate(zip(LINES, names, strict=False)):
                values = [three[column] for three in figures.values()]
                marks = {"color": look["color"], "marker": look["marker"], "linestyle": "none"}
                axes.plot(range(len(figures)), values, label=name, **marks)
            axes.axhline(untouched, color="0.25", linewidth=1.2, label="not pruned")
            if trained is not None:
                label = "not pruned, trained"
                axes.axhline(trained, color="0.25", linewidth=1.2, linestyle="--", label=label)
            axes.set_xticks(range(len(figures)), list(figures), rotation=45, ha="right")
            axes.set_xlabel("pruned by")
        accuracy_axis(whole, None)
        whole.set_title("Before and after training")
        ends = [three[2] for three in figures.values()]
        _zoom(zoomed, ends, untouched if trained is None else max(untouched, trained))
        zoomed.set_ylabel("test accuracy (axis cut off)")
        zoomed.set_title("The same, closer")
        handles, labels = whole.get_legend_handles_labels()
        zoomed.legend(handles, labels, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def times(measured: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the median of repeated time measurements as bars, with the middle half as lines.

    Parameters
    ----------
    measured
        Mapping from what was measured to the times in milliseconds.
    """
    return median_times(measured, of="convolution", title="Time of one convolution", width=6)


def pruning_methods(
    histories: Mapping[str, History],
    percentages: Mapping[str, Sequence[float]],
    *,
    full: float | None = None,
    controls: Mapping[str, float] | None = None,
) -> Figure:
    """Draw the percentage of weights pruned before each epoch, and the accuracy after it.

    Parameters
    ----------
    histories
        Mapping from label to the history of a training.
    percentages
        Mapping from the same labels to the percentages of weights that were pruned before each
        epoch.
    full
        Accuracy of the network without pruning, drawn as a line for comparison. By default, no line
        is drawn.
    controls
        Mapping from how a network was pruned to its accuracy with batch norm measured anew, drawn
        as lines for comparison. By default there are none.

    Returns
    -------
    Figure
        Two panels: pruned weights and test accuracy, on an axis that is cut off below.
    """
    with panels(2, (5.2, 3.8)) as (figure, (pruned, accuracy)):
        for look, (label, history) in zip(LINES, histories.items(), strict=False):
            epochs = range(1, len(history) + 1)
            pruned.plot(epochs, percentages[label], label=label, drawstyle="steps-mid", **look)
            accuracy.plot(epochs, history.test_accuracy, label=label, **look)
        pruned.set_ylim(0, 100)
        pruned.set_ylabel("weights pruned before the epoch (%)")
        pruned.set_title("Schedule")
        lines = dict(controls or {})
        for style, (label, value) in zip((":", "-."), lines.items(), strict=False):
            accuracy.axhline(
                value, color="0.5", linewidth=1.2, linestyle=style, label=f"control, {label}"
            )
        if full is not None:
            accuracy.axhline(full, color="0.25", linewidth=1.2, label="not pruned")
        reached = [value for history in histories.values() for value in history.test_accuracy]
        _zoom(accuracy, [*reached, *lines.values()], full)
        accuracy.set_ylabel("test accuracy (axis cut off)")
        accuracy.set_title("Test accuracy after the epoch")
        for axes in (pruned, accuracy):
            axes.set_xlabel("epoch")
            axes.locator_params(axis="x", integer=True)
        legend_beside(accuracy)
    return figure


def revived_weight(trajectories: Mapping[str, Sequence[float]], pruned_at: int) -> Figure:
    """Draw the value of one weight over the steps of a training in which it is pruned.

    Parameters
    ----------
    trajectories
        Mapping from label to the values of the weight before the first step and after each step.
    pruned_at
        Number of the step after which the weight is pruned.
    """
    with panels(1, (7.2, 3.2)) as (figure, (axes,)):
        for look, (label, values) in zip(LINES, trajectories.items(), strict=False):
            axes.plot(range(len(values)), values, label=label, **(look | {"markersize": 4}))
        axes.axvline(pruned_at, color=RED, linewidth=1.2, linestyle=(0, (1, 2)), label="pruned")
        axes.axhline(0, color="0.55", linewidth=1)
        axes.set_xlabel("step")
        axes.set_ylabel("weight")
        axes.set_title("A pruned weight and its velocity")
        legend_beside(axes)
    return figure


def _accuracy_axis(axes: Axes, full: float | None) -> None:
    if full is not None:
        axes.axhline(full, color="0.25", linewidth=1.2, label="not pruned")
    accuracy_axis(axes, None)


def _zoom(axes: Axes, values: Sequence[float], full: float | None) -> None:
    """Show the range of the values, and of the accuracy of the network that is not pruned."""
    shown = [*values, *([] if full is None else [full])] or [0.0, 1.0]
    room = max(0.01, 0.1 * (max(shown) - min(shown)))
    axes.set_ylim(max(0.0, min(shown) - room), min(1.02, max(shown) + room))


def _flat(values: torch.Tensor | NDArray[Any]) -> NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64).ravel()


def _percent(values: NDArray[np.float64], of: int) -> NDArray[np.float64]:
    return np.full(values.size, 100 / of)
