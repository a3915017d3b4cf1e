"""The figures of `structured_pruning`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from helpers.history import History
from helpers.plots import STYLE, learning_curves
from helpers.plots.bars import median_times
from helpers.plots.style import LINES, PINK, RED, SKY, accuracy_axis, legend_beside, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "STYLE",
    "accuracy_over_percentage",
    "constant_channel",
    "costs",
    "learning_curves",
    "masks",
    "pruning_curves",
    "ranked_norms",
    "times",
]

MARK: dict[str, Any] = {"color": "0.55", "linewidth": 1, "linestyle": (0, (1, 2))}


def constant_channel(channels: Mapping[str, Tensor]) -> Figure:
    """Draw channels as images with a common scale of grey.

    Parameters
    ----------
    channels
        Mapping from title to a channel, (height, width).
    """
    low = min(float(channel.min()) for channel in channels.values())
    high = max(float(channel.max()) for channel in channels.values())
    with panels(len(channels), (2.9, 2.9), per_row=4) as (figure, all_axes):
        for axes, (title, channel) in zip(all_axes, channels.items(), strict=True):
            image = axes.imshow(channel.detach().cpu().numpy(), "gray", vmin=low, vmax=high)
            axes.set_title(title, fontsize="medium")
            axes.grid(False)
            axes.set_xticks([])
            axes.set_yticks([])
        figure.colorbar(image, ax=list(all_axes), shrink=0.7, label="value")
    return figure


def ranked_norms(norms: Mapping[str, Tensor], percentage: float) -> Figure:
    """Draw the norms of the filters of each layer in ascending order.

    Parameters
    ----------
    norms
        Mapping from the name of a layer to the norms of its filters.
    percentage
        Per cent of the filters that are pruned; a line separates them from the others.

    Returns
    -------
    Figure
        One panel per layer, each with an axis of its own.
    """
    with panels(len(norms), (2.6, 2.7), per_row=5) as (figure, all_axes):
        for index, (axes, (layer, values)) in enumerate(zip(all_axes, norms.items(), strict=True)):
            ranked = np.sort(values.detach().cpu().numpy())
            axes.bar(range(len(ranked)), ranked, 1, color=SKY)
            border = int(percentage * len(ranked) / 100) - 0.5
            axes.axvline(border, color=RED, linewidth=1.2, linestyle="--")
            axes.set_title(layer, fontsize="medium")
            axes.set_xlabel("rank of the filter")
            if index == 0:
                axes.set_ylabel("L1 norm")
    return figure


def pruning_curves(
    histories: Mapping[str, History],
    pruned_at: Sequence[int],
    *,
    controls: Mapping[str, float] | None = None,
) -> Figure:
    """Draw the test accuracy of several trainings, with the epochs marked before which is pruned.

    Parameters
    ----------
    histories
        Mapping from label to history.
    pruned_at
        The epochs, counted from 0, before which something is pruned.
    controls
        Mapping from label to the accuracy of a network that was pruned at once and not trained,
        drawn as a line. By default there are none.

    Returns
    -------
    Figure
        Two panels: the whole axis, and an axis that is cut off to show the second half of the
        epochs; a control may lie below it.
    """
    with panels(2, (5.6, 3.9)) as (figure, (whole, zoomed)):
        for axes in (whole, zoomed):
            for look, (label, history) in zip(LINES, histories.items(), strict=False):
                style = look | {"markevery": max(1, len(history) // 20), "markersize": 4}
                epochs = range(1, len(history) + 1)
                axes.plot(epochs, history.test_accuracy, label=label, **style)
            for line, (label, value) in zip(("--", "-."), (controls or {}).items(), strict=False):
                axes.axhline(value, color=PINK, linewidth=1.4, linestyle=line, label=label)
            for index, epoch in enumerate(pruned_at):
                name = "10 % more pruned" if index == 0 else None
                axes.axvline(epoch + 0.5, label=name, **MARK)
            axes.set_xlabel("epoch")
            axes.locator_params(axis="x", integer=True)
        accuracy_axis(whole, None)
        whole.set_title("Test accuracy after the epoch")
        second_half = [v for h in histories.values() for v in h.test_accuracy[len(h) // 2 :]]
        _zoom(zoomed, second_half)
        zoomed.set_ylabel("test accuracy (axis cut off)")
        zoomed.set_title("The same, closer")
        handles, labels = whole.get_legend_handles_labels()
        zoomed.legend(handles, labels, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def accuracy_over_percentage(
    results: Mapping[str, Mapping[int, float]], *, untouched: float, what: str = "pruned (%)"
) -> Figure:
    """Draw test accuracy over the percentage that is pruned.

    Parameters
    ----------
    results
        Mapping from label, to percentage, to accuracy.
    untouched
        Accuracy of the network that is not pruned, drawn as a line.
    what
        The title of the horizontal axis.
    """
    with panels(1, (7.2, 3.8)) as (figure, (axes,)):
        for look, (label, points) in zip(LINES, results.items(), strict=False):
            x = sorted(points)
            axes.plot(x, [points[percentage] for percentage in x], label=label, **look)
        axes.axhline(untouched, color="0.25", linewidth=1.2, label="not pruned")
        accuracy_axis(axes, None)
        axes.set_xlabel(what)
        axes.set_title("Pruned at once, nothing trained")
        legend_beside(axes)
    return figure


def masks(kept: Mapping[str, Tensor]) -> Figure:
    """Draw which weights of a layer are kept: a row for each filter, a column for each weight.

    Parameters
    ----------
    kept
        Mapping from title to a mask, or to weights, (filters, inputs, height, width); what is not
        zero is drawn dark.
    """
    with panels(len(kept), (5.6, 3.2), per_row=2) as (figure, all_axes):
        for axes, (title, mask) in zip(all_axes, kept.items(), strict=True):
            rows = (mask.detach().cpu().flatten(1) != 0).numpy()
            axes.imshow(rows, "Blues", vmin=0, vmax=1.2, aspect="auto", interpolation="nearest")
            axes.set_title(f"{title}: {rows.mean():.0%} kept", fontsize="medium")
            axes.set_xlabel("weight of the filter")
            axes.set_ylabel("filter")
            axes.grid(False)
    return figure


def costs(of: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw what networks cost, as parts of the dense network.

    Parameters
    ----------
    of
        Mapping from the kind of cost, such as ``"weights"``, to the name of a network, to a number.
        The first network is the dense one.
    """
    with panels(len(of), (3.4, 3.4)) as (figure, all_axes):
        for axes, (kind, values) in zip(all_axes, of.items(), strict=True):
            dense = next(iter(values.values()))
            parts = [100 * value / dense for value in values.values()]
            axes.bar(range(len(parts)), parts, 0.6, color=SKY)
            for position, part in enumerate(parts):
                axes.text(position, part + 2, f"{part:.0f} %", ha="center", fontsize="small")
            axes.set_ylim(0, max(120, 1.15 * max(parts)))
            axes.set_xticks(range(len(parts)), list(values), rotation=30, ha="right")
            axes.set_ylabel("part of the dense network (%)")
            axes.set_title(kind)
            axes.grid(False, axis="x")
    return figure


def times(measured: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the median of repeated time measurements as bars, with the middle half as lines.

    Parameters
    ----------
    measured
        Mapping from the name of a network to the times in milliseconds.
    """
    return median_times(measured, of="network", title="Time for a batch of images", width=6.4)


def _zoom(axes: Axes, values: Sequence[float]) -> None:
    room = max(0.01, 0.1 * (max(values) - min(values)))
    axes.set_ylim(max(0.0, min(values) - room), min(1.02, max(values) + room))
