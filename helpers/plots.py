"""The figures of the course.

Colours are those of Okabe and Ito (2008), which people with any colour vision can tell apart, and
no figure tells things apart by colour alone. Each function returns a matplotlib figure: a notebook
shows it when it is the last value of a cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.training import History

if TYPE_CHECKING:  # matplotlib is slow to import: only where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["accuracy_over_bits", "accuracy_over_precision", "learning_curves", "weight_histograms"]

BLUE, ORANGE, GREEN, PINK, SKY, RED = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
)
LINES: list[dict[str, Any]] = [
    {"color": color, "marker": marker, "linestyle": line}
    for color, marker, line in zip(
        (BLUE, RED, GREEN, ORANGE, PINK, SKY),
        "osD^vP",
        ("-", "--", "-.", ":", "-", "--"),
        strict=True,
    )
]
BEFORE, AFTER = LINES[0], LINES[1]
CHANCE = 0.1
PANELS_PER_ROW = 3

STYLE: Any = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
}

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
    with _axes(1, (7.2, 3.8)) as (figure, (axes,)):
        _draw_mapping(axes, before, label="quantized", **BEFORE)
        if after:
            _draw_mapping(axes, after, label="quantized, then fine-tuned", **AFTER)
        _accuracy_axis(axes, full_precision)
        axes.set_xticks(bits)
        axes.set_xlabel("bits per weight")
        axes.set_title("Accuracy over bits")
        _legend_beside(axes)
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
    with _axes(1, (7.2, 3.8)) as (figure, (axes,)):
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
        _accuracy_axis(axes, full_precision)
        axes.margins(x=0.15)
        axes.set_xlabel("average bits per weight (labels: bits of stages 1, 2, 3)")
        axes.set_title("Accuracy over average precision")
        _legend_beside(axes)
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
    with _axes(len(weights), (3.6, 3)) as (figure, panels):
        for index, (axes, (title, values)) in enumerate(zip(panels, weights.items(), strict=True)):
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


def learning_curves(histories: History | Mapping[str, History]) -> Figure:
    """Draw training loss and test accuracy over the epochs.

    Parameters
    ----------
    histories
        One history, or label to history.

    Returns
    -------
    Figure
        Two panels: training loss, test accuracy.
    """
    labelled = {"": histories} if isinstance(histories, History) else histories
    with _axes(2, (4.6, 3.6)) as (figure, (loss, accuracy)):
        for index, (label, history) in enumerate(labelled.items()):
            epochs = range(1, len(history) + 1)
            look = LINES[index % len(LINES)] | {"markevery": max(1, len(history) // 10)}
            loss.plot(epochs, history.train_loss, label=label, **look)
            accuracy.plot(epochs, history.test_accuracy, label=label, **look)
        loss.set_ylabel("training loss")
        loss.set_title("Training loss")
        _accuracy_axis(accuracy, None)
        accuracy.set_title("Test accuracy")
        for axes in (loss, accuracy):
            axes.set_xlabel("epoch")
            axes.locator_params(axis="x", integer=True)
        if any(labelled):
            accuracy.legend(loc="lower right")
    return figure


# ------------------------------------------------------------------------------------------------


@contextmanager
def _axes(panels: int, size: tuple[float, float]) -> Iterator[tuple[Figure, Sequence[Axes]]]:
    """Give a figure in the course's style with panels of `size` inches."""
    from matplotlib import pyplot

    columns = min(panels, PANELS_PER_ROW)
    rows = math.ceil(panels / columns)
    with pyplot.rc_context(STYLE):
        figure, grid = pyplot.subplots(
            rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False
        )
        all_axes = list(grid.flat)
        for unused in all_axes[panels:]:
            unused.remove()
        yield figure, all_axes[:panels]
    # pyplot would show every open figure a second time at the end of the cell.
    pyplot.close(figure)


def _draw_mapping(axes: Axes, accuracies: Mapping[int, float], **look: Any) -> None:
    x = sorted(accuracies)
    axes.plot(x, [accuracies[bits] for bits in x], **look)


def _accuracy_axis(axes: Axes, full_precision: float | None) -> None:
    """Scale an accuracy axis, and mark chance and the float32 network."""
    if full_precision is not None:
        axes.axhline(full_precision, color="0.25", linewidth=1.2, label="float32")
    axes.axhline(CHANCE, color="0.55", linewidth=1.2, linestyle=(0, (1, 2)), label="chance")
    axes.set_ylim(0, 1.02)
    axes.set_yticks(np.arange(0, 1.01, 0.2), [f"{percent} %" for percent in range(0, 101, 20)])
    axes.set_ylabel("test accuracy")


def _legend_beside(axes: Axes) -> None:
    """Put the legend to the right of the plot, where it hides nothing."""
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def _flat(values: torch.Tensor | NDArray[Any]) -> NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64).ravel()
