"""The figures of `deep_compression`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from helpers.plots.look import BLUE, GREEN, LINES, ORANGE, PINK, RED, SKY, accuracy_axis, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PART_LOOKS: list[dict[str, Any]] = [
    {"color": BLUE},
    {"color": ORANGE, "hatch": "//"},
    {"color": GREEN, "hatch": ".."},
    {"color": PINK, "hatch": "xx"},
    {"color": "0.75"},
]


def starting_points(
    w: NDArray[Any], starts: Mapping[str, NDArray[Any]], *, title: str = ""
) -> Figure:
    """Draw where k-means starts: the weights, their cumulative distribution, and the centroids.

    Parameters
    ----------
    w
        The weights of a layer, of any shape; zeros are pruned and left out.
    starts
        Name of a way to start, to its centroids.
    title
        The layer, say.

    Returns
    -------
    Figure
        One panel per way to start.
    """
    kept = np.sort(np.asarray(w, dtype=np.float64)[np.asarray(w) != 0])
    share = np.arange(1, kept.size + 1) / kept.size
    with panels(len(starts), (3.6, 3)) as (figure, all_axes):
        for axes, (name, centroids) in zip(all_axes, starts.items(), strict=True):
            axes.hist(kept, bins=60, color=SKY, weights=np.full(kept.size, 12 / kept.size))
            axes.plot(kept, share, color=BLUE, label="share of smaller weights")
            heights = np.searchsorted(kept, centroids, side="right") / kept.size
            axes.vlines(centroids, 0, heights, color=RED, linewidth=0.8)
            axes.plot(centroids, heights, "o", color=RED, markersize=4, label="start")
            axes.set_xlabel("weight")
            axes.set_ylim(0, 1.04)
            axes.set_title(f"{name}, {len(centroids)} centroids", fontsize="medium")
        all_axes[0].set_ylabel("share of kept weights")
        all_axes[0].legend(loc="lower right", fontsize="small")
        if title:
            figure.suptitle(title)
    return figure


def word_lengths(counts: NDArray[Any], lengths: NDArray[Any]) -> Figure:
    """Draw how often symbols occur, and how long their words are beside their information.

    Parameters
    ----------
    counts
        How often each symbol occurs.
    lengths
        Bits of its word.

    Returns
    -------
    Figure
        Two panels over the symbols: their share, and bits.
    """
    symbols = np.arange(len(counts))
    p = np.asarray(counts, dtype=np.float64) / np.sum(counts)
    occurring = p > 0
    with panels(2, (4.6, 3.2)) as (figure, (shares, bits)):
        shares.bar(symbols, 100 * p, color=BLUE)
        shares.set(xlabel="symbol", ylabel="share (%)", title="How often each symbol occurs")
        bits.bar(symbols, lengths, color=SKY, label="length of its word")
        bits.plot(
            symbols[occurring],
            -np.log2(p[occurring]),
            label=r"information, $-\log_2 p$",
            **(LINES[1] | {"linestyle": "none"}),
        )
        bits.set(xlabel="symbol", ylabel="bits", title="How many bits it takes")
        bits.set_ylim(0, 1.35 * max(1, int(np.max(lengths))))
        bits.legend(loc="upper right", fontsize="small")
        for axes in (shares, bits):
            axes.locator_params(axis="x", integer=True)
    return figure


def stage_sizes(stages: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw the size of a network at each stage of its compression, split into parts.

    Parameters
    ----------
    stages
        Name of the stage, to part (the weights, the index, ...), to bytes.

    Returns
    -------
    Figure
        Stacked bars, with the whole size and the ratio to the first stage written above.
    """
    parts = list(dict.fromkeys(part for stage in stages.values() for part in stage))
    totals = [sum(stage.values()) for stage in stages.values()]
    places = np.arange(len(stages))
    with panels(1, (7.2, 4)) as (figure, (axes,)):
        bottom = np.zeros(len(stages))
        for part, look in zip(parts, PART_LOOKS, strict=False):
            heights = np.array([stage.get(part, 0) for stage in stages.values()]) / 1000
            axes.bar(places, heights, 0.6, bottom, label=part, edgecolor="white", **look)
            bottom += heights
        for place, total in zip(places, totals, strict=True):
            text = f"{total / 1000:.0f} kB"
            if total != totals[0]:
                text += f"\n{totals[0] / total:.1f}× smaller"
            axes.annotate(
                text,
                xy=(place, total / 1000),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize="small",
            )
        axes.set_xticks(places, list(stages))
        axes.set_ylim(0, 1.12 * max(totals) / 1000)
        axes.set_ylabel("kB")
        axes.grid(axis="x", visible=False)
        axes.set_title("Size of the network, every byte counted")
        axes.legend(loc="upper right")
    return figure


def accuracy_over_size(
    networks: Mapping[str, tuple[float, float]], *, full_precision: float | None = None
) -> Figure:
    """Draw the test accuracy of compressed networks over their size.

    Parameters
    ----------
    networks
        Label to (bytes, accuracy in [0, 1]).
    full_precision
        Accuracy of the float32 network, as a line to compare with.

    Returns
    -------
    Figure
        The sizes on a logarithmic axis.
    """
    with panels(1, (7.2, 4)) as (figure, (axes,)):
        sizes = [size / 1000 for size, _ in networks.values()]
        accuracies = [accuracy for _, accuracy in networks.values()]
        axes.plot(sizes, accuracies, "o", color=BLUE, markersize=8)
        accuracy_axis(axes, full_precision)
        # Labels beside each other where the points are: above and below in turn, by size.
        for turn, index in enumerate(np.argsort(sizes)):
            label = list(networks)[index]
            axes.annotate(
                label,
                xy=(sizes[index], accuracies[index]),
                xytext=(0, -10 - 13 * (turn % 3)),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize="small",
                arrowprops={"arrowstyle": "-", "color": "0.7", "shrinkA": 0, "shrinkB": 4},
            )
        axes.set_xscale("log")
        low, high = min(sizes), max(sizes)
        axes.set_xlim(low / 1.6, high * 1.6)
        ticks = [t for t in (20, 50, 100, 200, 500, 1000, 2000) if low / 1.6 < t < high * 1.6]
        axes.set_xticks(ticks, [str(t) for t in ticks])
        axes.minorticks_off()
        axes.set_xlabel("size of the file (kB)")
        axes.set_title("Accuracy over size")
        axes.legend(loc="lower right")
    return figure
