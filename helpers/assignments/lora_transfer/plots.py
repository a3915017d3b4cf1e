"""Figures of the assignment `lora_transfer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.plots.style import LINES, STYLE, legend_beside, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STYLE", "drift", "ranks", "shares"]


def drift(changes: Mapping[str, Sequence[float]]) -> Figure:
    """Draw how far the output of a part of a network moves while batches pass through it.

    Parameters
    ----------
    changes
        Mapping from label to the relative change before the first batch and after each of them.
    """
    with panels(1, (6.6, 3.4)) as (figure, (axes,)):
        for look, (label, values) in zip(LINES, changes.items(), strict=False):
            axes.plot(range(len(values)), values, label=label, **look, markevery=2)
        axes.set_xlabel("batches in training mode")
        axes.set_ylabel("relative change of the output")
        axes.set_title("What a frozen part computes")
        axes.locator_params(axis="x", integer=True)
        legend_beside(axes)
    return figure


def shares(groups: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw the share of each layer's change that some ranks hold.

    Parameters
    ----------
    groups
        Mapping from the label of a rank to a mapping from layer to share.
    """
    layers = list(next(iter(groups.values())))
    with panels(1, (9.0, 4.2)) as (figure, (axes,)):
        for look, (label, values) in zip(LINES, groups.items(), strict=False):
            marks = look | {"linestyle": "none"}
            axes.plot(range(len(layers)), [values[name] for name in layers], label=label, **marks)
        axes.set_xticks(range(len(layers)), layers, rotation=60, ha="right", fontsize="small")
        axes.set_ylim(0, 1.04)
        axes.set_xlabel("convolution")
        axes.set_ylabel("share of the squared norm")
        axes.set_title("What a rank holds of a full change")
        legend_beside(axes)
    return figure


def ranks(
    by_rank: Mapping[str, Mapping[int, tuple[int, float]]],
    without_rank: Mapping[str, tuple[int, float]],
) -> Figure:
    """Draw test accuracies over the rank of the updates, and over the trained parameters.

    Parameters
    ----------
    by_rank
        Mapping from the label of a line to a mapping from rank to trained parameters and accuracy.
        A line without any networks is left out.
    without_rank
        Mapping from label to the same figures of networks that have no rank.
    """
    from matplotlib.lines import Line2D

    by_rank = {label: networks for label, networks in by_rank.items() if networks}
    looks = dict(zip((*by_rank, *without_rank), LINES, strict=False))
    with panels(2, (4.6, 4.0)) as (figure, (over_ranks, over_sizes)):
        for label, networks in by_rank.items():
            sizes, accuracies = zip(*networks.values(), strict=True)
            over_ranks.plot(list(networks), accuracies, **looks[label])
            over_sizes.plot(sizes, accuracies, **looks[label])
        for label, (size, accuracy) in without_rank.items():
            over_ranks.axhline(accuracy, **looks[label] | {"marker": "none"})
            over_sizes.plot([size], [accuracy], **looks[label])
        over_ranks.set_xticks(sorted({r for networks in by_rank.values() for r in networks}))
        over_ranks.set_xlabel("rank")
        over_sizes.set_xscale("log")
        over_sizes.set_xlabel("trained parameters")
        lowest = min(accuracy for networks in by_rank.values() for _, accuracy in networks.values())
        for axes in (over_ranks, over_sizes):
            axes.set_ylim(lowest - 0.05, 1.01)
            axes.set_ylabel("test accuracy (axis cut off)")
        handles = [Line2D([], [], label=label, **look) for label, look in looks.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure
