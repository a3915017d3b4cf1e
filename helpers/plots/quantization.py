"""The figures of `quantization`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.plots.look import (
    BLUE,
    LINES,
    PANELS_PER_ROW,
    RED,
    SKY,
    accuracy_axis,
    legend_beside,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEFORE, AFTER = LINES[0], LINES[1]

Bits = tuple[int, ...]


def accuracy_over_bits(
    before: Mapping[int, float],
    after: Mapping[int, float] | None = None,
    *,
    full_precision: float | None = None,
) -> Figure:
    """Draw test accuracy over the bits per weight.

    Parameters
    ----------
    before
        Bits to accuracy in [0, 1], quantized without fine-tuning.
    after
        The same after fine-tuning.
    full_precision
        Accuracy of the float32 network, as a line to compare with.

    Returns
    -------
    Figure
    """
    bits = sorted(set(before) | set(after or {}))
    with panels(1, (7.2, 3.8)) as (figure, (axes,)):
        _draw_mapping(axes, before, label="quantized", **BEFORE)
        if after:
            _draw_mapping(axes, after, label="quantized, then fine-tuned", **AFTER)
        accuracy_axis(axes, full_precision)
        axes.set_xticks(bits)
        axes.set_xlabel("bits per weight")
        axes.set_title("Accuracy over bits")
        legend_beside(axes)
    return figure


def accuracy_over_precision(
    precision: Mapping[Bits, float],
    before: Mapping[Bits, float],
    after: Mapping[Bits, float] | None = None,
    *,
    full_precision: float | None = None,
) -> Figure:
    """Draw test accuracy over the average bits per weight of mixed-precision networks.

    Parameters
    ----------
    precision
        Bits of each stage, such as ``(4, 4, 2)``, to average bits per weight.
    before, after
        The same to accuracy in [0, 1], before and after fine-tuning.
    full_precision
        Accuracy of the float32 network, as a line to compare with.

    Returns
    -------
    Figure
    """
    with panels(1, (7.2, 3.8)) as (figure, (axes,)):
        for mapping, label, look in ((before, "before", BEFORE), (after, "after", AFTER)):
            if mapping:
                x = [precision[mix] for mix in mapping]
                dots = look | {"linestyle": "none", "markersize": 9}
                axes.plot(x, list(mapping.values()), label=f"{label} fine-tuning", **dots)
        for mix, accuracy in before.items():
            end = (after or {}).get(mix)
            if end is not None:
                axes.annotate(
                    "",
                    xy=(precision[mix], end),
                    xytext=(precision[mix], accuracy),
                    arrowprops={"arrowstyle": "->", "color": "0.5", "shrinkA": 7, "shrinkB": 7},
                )
            axes.annotate(
                ", ".join(map(str, mix)),
                xy=(precision[mix], accuracy),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
            )
        accuracy_axis(axes, full_precision)
        axes.margins(x=0.15)
        axes.set_xlabel("average bits per weight (labels: bits of stages 1, 2, 3)")
        axes.set_title("Accuracy over average precision")
        legend_beside(axes)
    return figure


def weight_histograms(
    weights: Mapping[str, torch.Tensor | NDArray[Any]],
    quantized: Mapping[str, torch.Tensor | NDArray[Any]],
) -> Figure:
    """Draw how the weights of layers are distributed before and after quantization.

    Parameters
    ----------
    weights
        Title, such as a layer's name, to float weights of any shape.
    quantized
        The same titles to the weights after quantization.

    Returns
    -------
    Figure
        One panel per title: float weights as a filled histogram, quantized weights as a bar at
        each value they take.
    """
    with panels(len(weights), (3.6, 3)) as (figure, all_axes):
        for index, (axes, (title, values)) in enumerate(
            zip(all_axes, weights.items(), strict=True)
        ):
            flat, levels = _flat(values), _flat(quantized[title])
            low, high = min(flat.min(), levels.min()), max(flat.max(), levels.max())
            span = (high - low) or 1.0
            axes.hist(
                flat,
                bins=60,
                range=(low - 0.02 * span, high + 0.02 * span),
                weights=np.full(flat.size, 100 / flat.size),
                color=SKY,
            )
            taken, counts = np.unique(levels, return_counts=True)
            twin = axes.twinx()
            twin.spines["right"].set_visible(True)
            twin.grid(False)
            twin.vlines(taken, 0, 100 * counts / levels.size, color=RED, linewidth=2)
            twin.plot(taken, 100 * counts / levels.size, "o", color=RED, markersize=4)
            twin.set_ylim(bottom=0)
            if index % PANELS_PER_ROW == 0:
                axes.set_ylabel("float weights per bin (%)", color=BLUE)
            if index % PANELS_PER_ROW == PANELS_PER_ROW - 1 or index == len(weights) - 1:
                twin.set_ylabel("quantized weights per value (%)", color=RED)
            axes.set_xlabel("weight")
            axes.set_title(f"{title} ({len(taken)} values)", fontsize="medium")
    return figure


def _draw_mapping(axes: Axes, accuracies: Mapping[int, float], **look: Any) -> None:
    x = sorted(accuracies)
    axes.plot(x, [accuracies[bits] for bits in x], **look)


def _flat(values: torch.Tensor | NDArray[Any]) -> NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64).ravel()
