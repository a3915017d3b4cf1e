"""The figures of `quantization`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from helpers import plots
from helpers.plots import BLUE, STYLE, weight_histograms
from helpers.plots.style import LINES, accuracy_axis, legend_beside, panels
from helpers.training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "STYLE",
    "accuracy_over_bits",
    "accuracy_over_precision",
    "learning_curves",
    "level_moves",
    "nearest_and_random",
    "weight_histograms",
]

BEFORE, AFTER, CONTROL, *_ = LINES
NAMES = ("quantized", "batch norm measured anew", "fine-tuned")

Bits = tuple[int, ...]


def nearest_and_random(
    nearest: Mapping[int, float],
    at_random: Mapping[int, Sequence[float]],
    *,
    full_precision: float | None = None,
) -> Figure:
    """Draw the accuracy after rounding to nearest, and after several random roundings.

    Parameters
    ----------
    nearest
        Mapping from bits to accuracy in [0, 1], rounded to nearest.
    at_random
        Mapping from the same bits to the accuracies of several stochastic roundings. Their mean is
        drawn with an error bar of one standard deviation of the single values on each side.
    full_precision
        Accuracy of the float32 network. By default, no line is drawn.
    """
    with panels(1, (7.2, 3.8)) as (figure, (axes,)):
        bits = sorted(nearest)
        x = np.array(bits, float)
        look = {"linestyle": "none", "markersize": 8}
        axes.plot(x - 0.12, [nearest[b] for b in bits], label="to nearest", **BEFORE | look)
        values = [np.asarray(at_random[b], float) for b in bits]
        axes.errorbar(
            x + 0.12,
            [v.mean() for v in values],
            [v.std(ddof=1) for v in values],
            capsize=5,
            label="at random: mean ± standard deviation",
            **AFTER | look,
        )
        for place, found in zip(x, values, strict=True):
            axes.plot(np.full(len(found), place + 0.27), found, ".", color="0.6", markersize=4)
        accuracy_axis(axes, full_precision)
        axes.set_xticks(bits)
        axes.set_xlim(bits[0] - 0.6, bits[-1] + 0.6)
        axes.set_xlabel("bits per parameter (small dots: the single repeats)")
        axes.set_title("Rounded to nearest and at random")
        legend_beside(axes)
    return figure


def accuracy_over_bits(
    before: Mapping[int, float],
    after: Mapping[int, float] | None = None,
    *,
    control: Mapping[int, float] | None = None,
    full_precision: float | None = None,
) -> Figure:
    """Draw test accuracy over the bits per weight.

    Parameters
    ----------
    before
        Mapping from bits to accuracy in [0, 1], after quantization and nothing else.
    after
        The same after fine-tuning, which gets a second panel with an enlarged axis. By default,
        there is none.
    control
        The same with batch norm measured anew and nothing trained. By default, it is not drawn.
    full_precision
        Accuracy of the float32 network, drawn as a line for comparison. By default, no line is
        drawn.
    """
    curves = _given(before, control, after)
    bits = sorted(set().union(*(curve for _, curve, _ in curves)))
    with panels(2 if after else 1, (4.6, 3.8)) as (figure, all_axes):
        for axes in all_axes:
            for name, curve, look in curves:
                x = sorted(curve)
                axes.plot(x, [curve[b] for b in x], label=name, **look)
            accuracy_axis(axes, full_precision)
            axes.set_xticks(bits)
            axes.set_xlabel("bits per weight")
            axes.set_title("Accuracy over bits")
        _enlarge(all_axes, [*(after or {}).values()], full_precision)
        legend_beside(all_axes[-1])
    return figure


def accuracy_over_precision(
    precision: Mapping[Bits, float],
    before: Mapping[Bits, float],
    after: Mapping[Bits, float] | None = None,
    *,
    control: Mapping[Bits, float] | None = None,
    full_precision: float | None = None,
) -> Figure:
    """Draw test accuracy over the average bits per weight of mixed-precision networks.

    Parameters
    ----------
    precision
        Mapping from the bits of each stage, such as ``(4, 4, 2)``, to average bits per weight.
    before, after, control
        Mappings from the same keys to accuracies, as for `accuracy_over_bits`.
    full_precision
        Accuracy of the float32 network, drawn as a line for comparison. By default, no line is
        drawn.
    """
    curves = _given(before, control, after)
    with panels(2 if after else 1, (4.6, 3.8)) as (figure, all_axes):
        for axes in all_axes:
            for name, curve, look in curves:
                x = [precision[mix] for mix in curve]
                dots = look | {"linestyle": "none", "markersize": 8}
                axes.plot(x, list(curve.values()), label=name, **dots)
            accuracy_axis(axes, full_precision)
            axes.margins(x=0.2)
            axes.set_xlabel("average bits per weight\n(labels: bits of stages 1, 2, 3)")
            axes.set_title("Accuracy over size")
        _enlarge(all_axes, [*(after or {}).values()], full_precision)
        # The labels stand where the panel shows the point: after fine-tuning in the enlarged one.
        for axes, shown, place in zip(
            all_axes, (before, after or {}), ((0, -10, "top"), (0, 9, "bottom")), strict=False
        ):
            for mix, accuracy in shown.items():
                axes.annotate(
                    ", ".join(map(str, mix)),
                    xy=(precision[mix], accuracy),
                    xytext=place[:2],
                    textcoords="offset points",
                    ha="center",
                    va=place[2],
                )
        legend_beside(all_axes[-1])
    return figure


def learning_curves(histories: History | Mapping[str, History]) -> Figure:
    """Draw training loss and test accuracy over the epochs, the accuracy on an enlarged axis.

    The parameters are those of `helpers.plots.learning_curves`.
    """
    figure = plots.learning_curves(histories)
    several = [histories] if isinstance(histories, History) else histories.values()
    _enlarge(figure.axes, [accuracy for h in several for accuracy in h.test_accuracy], None)
    accuracy = figure.axes[-1]
    for line in accuracy.get_lines():
        if line.get_label() == "chance":  # far below what is shown
            line.remove()
    if accuracy.get_legend() is not None:
        accuracy.legend(loc="lower right")
    return figure


def level_moves(before: torch.Tensor, after: torch.Tensor, bits: int, title: str = "") -> Figure:
    """Draw how many weights went from which level to which other one in the course of a training.

    Parameters
    ----------
    before, after
        The weights of the same layer, of any shape, after quantization. Each range has its own
        levels, which are counted from the smallest weight, level 0.
    bits
        Bits per weight.
    title
        Title of the figure.

    Returns
    -------
    Figure
        A table with a row for each level before and a column for each level after, each field with
        the percentage of all weights.
    """
    count = 2**bits
    old, new = (_levels(w.detach().cpu().flatten(), count - 1) for w in (before, after))
    table = torch.bincount(old * count + new, minlength=count**2).reshape(count, count)
    percent = 100 * table.double().numpy() / old.numel()
    with panels(1, (4.6, 3.9)) as (figure, (axes,)):
        axes.imshow(percent, cmap="Blues", vmin=0, vmax=max(percent.max(), 1))
        for row in range(count):
            for column in range(count):
                field = percent[row, column]
                axes.text(
                    column,
                    row,
                    f"{field:.1f} %",
                    ha="center",
                    va="center",
                    color="white" if field > 0.6 * percent.max() else "black",
                )
        axes.grid(False)
        axes.set_xticks(range(count))
        axes.set_yticks(range(count))
        axes.set_xlabel("level after")
        axes.set_ylabel("level before")
        axes.set_title(title)
    return figure


def _levels(w: torch.Tensor, steps: int) -> torch.Tensor:
    span = float(w.max() - w.min()) or 1.0
    return torch.round((w - w.min()) / span * steps).long()


def _given(
    before: Mapping[Any, float],
    control: Mapping[Any, float] | None,
    after: Mapping[Any, float] | None,
) -> list[tuple[str, Mapping[Any, float], dict[str, Any]]]:
    """Return name, values and look of the curves that there are."""
    curves = zip(NAMES, (before, control, after), (BEFORE, CONTROL, AFTER), strict=True)
    return [(name, curve, look) for name, curve, look in curves if curve]


def _enlarge(
    all_axes: Sequence[Axes], accuracies: Sequence[float], full_precision: float | None
) -> None:
    """Let the last of several panels show only the range of these accuracies."""
    from matplotlib.ticker import AutoLocator, PercentFormatter

    if len(all_axes) < 2 or not accuracies:
        return
    shown: Iterable[float] = [*accuracies, *([full_precision] if full_precision else [])]
    low, high = min(shown), max(shown)
    room = max(0.15 * (high - low), 0.005)
    axes = all_axes[-1]
    axes.yaxis.set_major_locator(AutoLocator())
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.set_ylim(low - room, high + 2 * room)
    axes.set_title(f"{axes.get_title()}, enlarged")
