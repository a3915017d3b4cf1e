"""Figures of the assignment `lora_transfer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.plots.style import LINES, STYLE, legend_beside, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STYLE", "drift", "shares"]


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
