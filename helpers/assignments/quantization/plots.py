"""The figures of `quantization`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from helpers.plots import BLUE, STYLE, learning_curves, weight_histograms
from helpers.plots.style import LINES, accuracy_axis, legend_beside, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "STYLE",
    "accuracy_over_bits",
    "accuracy_over_precision",
    "learning_curves",
    "weight_histograms",
]

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
        Mapping from bits to accuracy in [0, 1], after quantization without fine-tuning.
    after
        The same after fine-tuning. By default, only `before` is drawn.
    full_precision
        Accuracy of the float32 network, drawn as a line for comparison. By default, no line is
        drawn.
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
        Mapping from the bits of each stage, such as ``(4, 4, 2)``, to average bits per weight.
    before, after
        Mappings from the same keys to accuracy in [0, 1], before and after fine-tuning. By default,
        only `before` is drawn.
    full_precision
        Accuracy of the float32 network, drawn as a line for comparison. By default, no line is
        drawn.
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


def _draw_mapping(axes: Axes, accuracies: Mapping[int, float], **look: Any) -> None:
    x = sorted(accuracies)
    axes.plot(x, [accuracies[bits] for bits in x], **look)
