"""The figures of `deep_compression`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from helpers.plots import STYLE, weight_histograms
from helpers.plots.style import (
    BLUE,
    CHANCE,
    GREEN,
    LINES,
    ORANGE,
    PINK,
    RED,
    SKY,
    accuracy_axis,
    legend_beside,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "STYLE",
    "accuracy_after_training",
    "accuracy_over_size",
    "bits_over_sparsity",
    "stage_sizes",
    "starting_points",
    "weight_histograms",
    "word_lengths",
]

# Parts of a bar, from the bottom upwards.
PARTS: dict[str, dict[str, Any]] = {
    "weights": {"color": BLUE},
    "index": {"color": ORANGE, "hatch": "//"},
    "codebooks": {"color": GREEN, "hatch": ".."},
    "tables": {"color": PINK, "hatch": "xx"},
    "the rest": {"color": "0.75"},
}


def starting_points(
    w: NDArray[Any], starts: Mapping[str, NDArray[Any]], *, title: str = ""
) -> Figure:
    """Draw the starting centroids of k-means with the distribution of the weights.

    Parameters
    ----------
    w
        The weights of a layer, of any shape. Zeros are pruned and left out.
    starts
        Mapping from the name of a method to its starting centroids.
    title
        Title of the figure, such as the name of the layer.

    Returns
    -------
    Figure
        One panel per method, with a histogram of the weights, their cumulative distribution and the
        centroids.
    """
    kept = np.sort(np.asarray(w, dtype=np.float64)[np.asarray(w) != 0])
    share = np.arange(1, kept.size + 1) / kept.size
    with panels(len(starts), (3.6, 3)) as (figure, all_axes):
        for axes, (name, centroids) in zip(all_axes, starts.items(), strict=True):
            counts, edges = np.histogram(kept, bins=60)
            axes.stairs(0.9 * counts / counts.max(), edges, fill=True, color=SKY, label="histogram")
            axes.plot(kept, share, color=BLUE, label="share of smaller weights")
            heights = np.searchsorted(kept, centroids, side="right") / kept.size
            axes.vlines(centroids, 0, heights, color=RED, linewidth=0.8)
            axes.plot(centroids, heights, "o", color=RED, markersize=4, label="start")
            axes.set_xlabel("weight")
            axes.set_ylim(0, 1.04)
            axes.set_title(f"{name}, {len(centroids)} centroids", fontsize="medium")
        all_axes[0].set_ylabel("share of kept weights")
        handles, labels = all_axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small")
        if title:
            figure.suptitle(title)
    return figure


def accuracy_after_training(
    shared: Mapping[int, float],
    statistics: Mapping[int, float],
    trained: Mapping[int, float],
    *,
    full_precision: float | None = None,
) -> Figure:
    """Draw test accuracy over the bits of a label: shared, with the control, and trained.

    Parameters
    ----------
    shared
        Mapping from bits to accuracy in [0, 1], with shared weights and nothing else changed.
    statistics
        The same with batch norm measured anew: the control.
    trained
        The same with trained centroids.
    full_precision
        Accuracy of the float32 network, drawn as a line for comparison. By default, no line is
        drawn.

    Returns
    -------
    Figure
        Two panels: the whole axis, and the part of it where the control and the trained networks
        lie.
    """
    with panels(2, (4.6, 3.8)) as (figure, both):
        for axes in both:
            for accuracies, label, look in (
                (shared, "shared", LINES[0]),
                (statistics, "batch norm measured anew", LINES[2]),
                (trained, "centroids trained", LINES[1]),
            ):
                bits = sorted(accuracies)
                axes.plot(bits, [accuracies[b] for b in bits], label=label, **look)
            accuracy_axis(axes, full_precision)
            axes.set_xticks(sorted({*shared, *statistics, *trained}))
            axes.set_xlabel("bits of a label")
        whole, enlarged = both
        whole.set_title("The whole axis")
        enlarged.set_title("Enlarged")
        seen = [*statistics.values(), *trained.values()]
        _zoom(enlarged, seen if full_precision is None else [*seen, full_precision])
        handles, labels = whole.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center")
    return figure


def _zoom(axes: Axes, accuracies: Sequence[float]) -> None:
    """Limit the accuracy axis to these accuracies and a margin."""
    low, high = min(accuracies), max(accuracies)
    margin = max(0.15 * (high - low), 0.01)
    low, high = max(0.0, low - margin), min(1.02, high + margin)
    axes.set_ylim(low, high)
    step = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / s <= 8 or s == 0.2)
    ticks = np.arange(np.ceil(low / step), np.floor(high / step) + 0.5) * step
    axes.set_yticks(ticks, [f"{100 * tick:.3g} %" for tick in ticks])


def bits_over_sparsity(curves: Mapping[str, Mapping[float, float]]) -> Figure:
    """Draw how many bits a weight takes over the share of weights that are pruned.

    Parameters
    ----------
    curves
        Mapping from the name of a way to store a layer, to a mapping from sparsity in [0, 1] to
        bits per weight, pruned weights included.
    """
    with panels(1, (7.2, 3.8)) as (figure, (axes,)):
        for (name, bits), look in zip(curves.items(), LINES, strict=False):
            sparsities = sorted(bits)
            axes.plot(
                [100 * s for s in sparsities], [bits[s] for s in sparsities], label=name, **look
            )
        axes.axhline(1, color="0.55", linewidth=1.2, linestyle=(0, (1, 2)), label="1 bit")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("pruned weights (%)")
        axes.set_ylabel("bits per weight")
        axes.set_title("What a weight costs, pruned weights included")
        legend_beside(axes)
    return figure


def word_lengths(counts: NDArray[Any], lengths: NDArray[Any]) -> Figure:
    """Draw how often symbols occur, and compare the lengths of their words with their information.

    Parameters
    ----------
    counts
        (k,): how often each symbol occurs.
    lengths
        (k,): bits of the word of each symbol.

    Returns
    -------
    Figure
        Two panels over the symbols, the most frequent first: their shares, and their bits.
    """
    order = [int(s) for s in np.argsort(-np.asarray(counts), kind="stable") if counts[s]]
    p = np.asarray(counts, dtype=np.float64)[order] / np.sum(counts)
    words = np.asarray(lengths)[order]
    places = np.arange(len(order))
    with panels(2, (4.6, 3.2)) as (figure, (shares, bits)):
        shares.bar(places, 100 * p, color=BLUE)
        shares.set(ylabel="share (%)", title="How often each symbol occurs")
        bits.bar(places, words, color=SKY, label="length of its word")
        information = -np.log2(p)
        bits.plot(
            places,
            information,
            label=r"information, $-\log_2 p$",
            **(LINES[1] | {"linestyle": "none"}),
        )
        bits.set(ylabel="bits", title="How many bits it takes")
        bits.set_ylim(0, 1.1 * max(*words, *information, 1))
        bits.legend(loc="upper left", fontsize="small")
        for axes in (shares, bits):
            axes.set_xticks(places, [str(symbol) for symbol in order])
            axes.set_xlabel("symbol, the most frequent first")
            axes.grid(axis="x", visible=False)
    return figure


def stage_sizes(stages: Mapping[str, Mapping[str, float]], *, enlarged: int = 2) -> Figure:
    """Draw the size of a network at each stage of its compression, split into parts.

    Parameters
    ----------
    stages
        Mapping from the name of a stage, to a part (``"weights"``, ``"index"``, ``"codebooks"``,
        ``"tables"`` or ``"the rest"``), to bytes.
    enlarged
        How many of the last stages are drawn a second time, on a scale of their own.

    Returns
    -------
    Figure
        Stacked bars, labelled with the total size and the ratio to the first stage.
    """
    first = sum(next(iter(stages.values())).values())
    with panels(2, (5, 3.9)) as (figure, (whole, detail)):
        _stacked(whole, stages, first)
        whole.set_title("Size of the network, every byte counted")
        last = dict(list(stages.items())[-enlarged:])
        _stacked(detail, last, first)
        detail.set_title("The last stages, enlarged")
        handles, labels = detail.get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="outside right center")
    return figure


def _stacked(axes: Axes, stages: Mapping[str, Mapping[str, float]], first: float) -> None:
    places = np.arange(len(stages))
    bottom = np.zeros(len(stages))
    for part, look in PARTS.items():
        heights = np.array([stage.get(part, 0) for stage in stages.values()]) / 1000
        if heights.any():
            axes.bar(places, heights, 0.6, bottom, label=part, edgecolor="white", **look)
            bottom += heights
    for place, total in zip(places, bottom, strict=True):
        text = f"{total:.0f} kB"
        if round(1000 * total) != round(first):
            text += f"\n{first / 1000 / total:.1f}× smaller"
        axes.annotate(
            text,
            xy=(place, total),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize="small",
        )
    axes.set_xticks(places, list(stages))
    axes.set_ylim(0, 1.18 * bottom.max())
    axes.set_ylabel("kB")
    axes.grid(axis="x", visible=False)


def accuracy_over_size(
    series: Mapping[str, Mapping[str, tuple[float, float]]],
    *,
    full_precision: float | None = None,
) -> Figure:
    """Draw the test accuracy of compressed networks over their size.

    Parameters
    ----------
    series
        Mapping from the name of a series, to a text (bits of a label, or empty), to the size in
        bytes and the accuracy in [0, 1].
    full_precision
        Accuracy of the float32 network, drawn as a line for comparison. By default, no line is
        drawn.

    Returns
    -------
    Figure
        The sizes have a logarithmic axis, and the accuracies an axis that begins below the lowest
        of them. Labels are placed below the points of the first series,
        above those of the second, and so on alternately; a label is not repeated at the same size.
    """
    with panels(1, (7.6, 4)) as (figure, (axes,)):
        sizes = [size / 1000 for networks in series.values() for size, _ in networks.values()]
        named: list[tuple[str, float]] = []
        for number, (name, networks) in enumerate(series.items()):
            x = [size / 1000 for size, _ in networks.values()]
            y = [accuracy for _, accuracy in networks.values()]
            axes.plot(x, y, label=name, **(LINES[number] | {"markersize": 8}))
            above = number % 2 == 1
            for label, place in zip(networks, zip(x, y, strict=True), strict=True):
                # The same bits give about the same size, so that one number says it for all series.
                if any(label == other and abs(place[0] / size - 1) < 0.05 for other, size in named):
                    continue
                named.append((label, place[0]))
                axes.annotate(
                    label,
                    xy=place,
                    xytext=(0, 8) if above else (8, -5),
                    textcoords="offset points",
                    ha="center" if above else "left",
                    va="bottom" if above else "top",
                    fontsize="small",
                )
        accuracy_axis(axes, full_precision)
        heights = [accuracy for networks in series.values() for _, accuracy in networks.values()]
        _zoom(axes, heights if full_precision is None else [*heights, full_precision])
        for line in list(axes.lines):
            if line.get_label() == "chance" and axes.get_ylim()[0] > CHANCE:
                line.remove()  # so that the legend names only what is to be seen
        axes.set_xscale("log")
        low, high = min(sizes) / 1.4, max(sizes) * 1.6
        axes.set_xlim(low, high)
        ticks = [t for t in (10, 20, 50, 100, 200, 500, 1000, 2000) if low < t < high]
        axes.set_xticks(ticks, [str(t) for t in ticks])
        axes.minorticks_off()
        axes.set_xlabel("size in kB (numbers at the points: bits of a label)")
        axes.set_title("Accuracy over size")
        legend_beside(axes)
    return figure
