"""The figures of `depthwise_conv`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.plots import STYLE
from helpers.plots.bars import grouped_bars
from helpers.plots.style import LINES, SKY, legend_beside, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = [
    "STYLE",
    "cost_per_block",
    "error_and_accuracy",
    "kernel_patterns",
    "left_over_shares",
    "reduction_factors",
    "roofline",
    "running_times",
]

BILLION = 1e9


def kernel_patterns(in_channels: int, out_channels: int, k: int) -> Figure:
    """Draw which weights an ordinary, a depthwise and a pointwise convolution have.

    Parameters
    ----------
    in_channels, out_channels
        Number of channels before and after the layer.
    k
        The kernels cover k x k pixels.

    Returns
    -------
    Figure
        Three panels. In each, a row is an output channel and a column is an input of the kernel:
        one position of one input channel, or one input channel for the pointwise convolution.
    """
    positions = k * k
    dense = np.ones((out_channels, in_channels * positions))
    depthwise = np.kron(np.eye(in_channels), np.ones((1, positions)))
    pointwise = np.ones((out_channels, in_channels))
    patterns = {"dense": dense, "depthwise step": depthwise, "pointwise step": pointwise}
    with panels(3, (3.7, 2.5)) as (figure, all_axes):
        for axes, (title, pattern) in zip(all_axes, patterns.items(), strict=True):
            axes.pcolormesh(
                pattern, cmap=_white_to(SKY), vmin=0, vmax=1, edgecolors="0.7", linewidth=0.4
            )
            width = pattern.shape[1] // in_channels
            for edge in range(0, pattern.shape[1] + 1, width):
                axes.axvline(edge, color="0.2", linewidth=1.2)
            axes.invert_yaxis()
            axes.grid(False)
            rows = [str(channel) for channel in range(len(pattern))]
            axes.set_yticks(np.arange(len(pattern)) + 0.5, rows)
            columns = [str(channel) for channel in range(in_channels)]
            axes.set_xticks(np.arange(in_channels) * width + width / 2, columns)
            axes.set_title(f"{title}: {int(pattern.sum())} weights", fontsize="medium")
            each = f", {positions} positions each" if width > 1 else ""
            axes.set_xlabel(f"input channel{each}")
        all_axes[0].set_ylabel("output channel")
    return figure


def reduction_factors(factors: Mapping[int, Mapping[int, float]]) -> Figure:
    """Draw by which factor a separable convolution has fewer weights, over the output channels.

    Parameters
    ----------
    factors
        Mapping from the size of the kernel, to the number of output channels, to the factor.
    """
    with panels(1, (6.4, 3.6)) as (figure, (axes,)):
        for look, (k, of_channels) in zip(LINES, factors.items(), strict=False):
            channels = sorted(of_channels)
            axes.plot(channels, [of_channels[n] for n in channels], label=f"{k}×{k}", **look)
            axes.axhline(k * k, color=look["color"], linewidth=1, linestyle=(0, (1, 2)))
            axes.annotate(f"{k * k}", (channels[0], k * k), va="bottom", fontsize="small")
        reach = np.array([1, max(k * k for k in factors)])
        axes.plot(reach, reach, color="0.6", linewidth=1, label="number of output channels")
        _logarithmic(axes)
        axes.set_xticks(channels, [str(n) for n in channels])
        axes.set_xlabel("output channels")
        axes.set_ylabel("times fewer weights")
        axes.set_title("What a separable convolution saves")
        legend_beside(axes)
    return figure


def cost_per_block(costs: Mapping[str, Mapping[str, int]]) -> Figure:
    """Draw the multiply-adds of each block as bars.

    Parameters
    ----------
    costs
        Mapping from the name of a block, to ``"dense"``, ``"depthwise"`` and ``"pointwise"``, to
        the number of multiply-adds.
    """
    steps = ("dense", "depthwise", "pointwise")
    with panels(1, (7.6, 3.4)) as (figure, (axes,)):
        of_blocks = {step: {block: cost[step] for block, cost in costs.items()} for step in steps}
        grouped_bars(axes, of_blocks)
        axes.set_xlabel("block of the network")
        axes.set_yscale("log")
        axes.set_ylabel("multiply-adds for an image")
        axes.set_title("Cost of the blocks")
    return figure


def running_times(measured: Mapping[str, Mapping[int, Sequence[float]]]) -> Figure:
    """Draw the time of layers over their number of channels.

    Parameters
    ----------
    measured
        Mapping from label, to the number of channels, to repeated measurements in seconds.

    Returns
    -------
    Figure
        Medians as lines, and bands from the first to the third quartile. Both axes are logarithmic.
    """
    with panels(1, (6.4, 3.8)) as (figure, (axes,)):
        for look, (label, of_channels) in zip(LINES, measured.items(), strict=False):
            channels = sorted(of_channels)
            low, middle, high = np.array(
                [1000 * np.percentile(of_channels[n], (25, 50, 75)) for n in channels]
            ).T
            axes.plot(channels, middle, label=label, **look)
            axes.fill_between(channels, low, high, color=look["color"], alpha=0.25, linewidth=0)
        _logarithmic(axes)
        axes.set_xticks(channels, [str(n) for n in channels])
        axes.set_xlabel("channels")
        axes.set_ylabel("time (ms)")
        axes.set_title("Forward and backward through a layer")
        legend_beside(axes)
    return figure


def roofline(
    points: Mapping[str, Mapping[int, tuple[float, float]]], *, peak: float, bandwidth: float
) -> Figure:
    """Draw the roof of a machine, and operations below it.

    Parameters
    ----------
    points
        Mapping from the name of an operation, to the number of channels, to its arithmetic
        intensity (operations per byte) and its performance (operations per second).
    peak
        Operations per second that the machine reaches at best.
    bandwidth
        Bytes per second that its memory delivers.
    """
    with panels(1, (6.8, 4)) as (figure, (axes,)):
        found = [point for of_channels in points.values() for point in of_channels.values()]
        ridge = peak / bandwidth
        intensities = [intensity for intensity, _ in found] + [ridge]
        reach = np.geomspace(min(intensities) / 2, 2 * max(intensities), 200)
        roof = np.minimum(peak, bandwidth * reach) / BILLION
        axes.plot(reach, roof, color="0.25", label="roof")
        axes.axvline(ridge, color="0.55", linewidth=1, linestyle=(0, (1, 2)), label="ridge")
        for look, (label, of_channels) in zip(LINES, points.items(), strict=False):
            marks = {"color": look["color"], "marker": look["marker"], "linestyle": "none"}
            x, y = np.array(list(of_channels.values())).T
            axes.plot(x, y / BILLION, label=label, **marks)
            for channels, position in zip(
                of_channels, zip(x, y / BILLION, strict=True), strict=True
            ):
                axes.annotate(
                    f" {channels}", position, fontsize="small", va="top", color=look["color"]
                )
        _logarithmic(axes)
        axes.set_xlabel("arithmetic intensity (operations per byte)")
        axes.set_ylabel("billion operations per second")
        axes.set_title("Roofline; the numbers are channels")
        legend_beside(axes)
    return figure


def error_and_accuracy(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Draw the training error and the test accuracy over the epochs.

    Parameters
    ----------
    curves
        Mapping from label to the training errors and the test accuracies, one for each epoch.

    Returns
    -------
    Figure
        Two panels. The axis of the error is logarithmic.
    """
    with panels(2, (4.8, 3.7)) as (figure, (left, right)):
        for look, (label, (errors, accuracies)) in zip(LINES, curves.items(), strict=False):
            epochs = range(1, len(errors) + 1)
            style = look | {"markevery": max(1, len(errors) // 10)}
            left.plot(epochs, errors, label=label, **style)
            right.plot(epochs, accuracies, label=label, **style)
        left.set_yscale("log")
        _plain_numbers(left.yaxis)
        left.set_ylabel("training error")
        left.set_title("Error on the training images")
        right.set_ylim(0, 1.02)
        right.set_ylabel("test accuracy")
        right.set_title("Accuracy on the test images")
        for axes in (left, right):
            axes.set_xlabel("epoch")
            axes.locator_params(axis="x", integer=True)
        legend_beside(right)
    return figure


def left_over_shares(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw the shares of kernels that no separable convolution represents, as bars.

    Parameters
    ----------
    shares
        Mapping from label, to the name of a block, to the share from 0 to 1.
    """
    with panels(1, (7.2, 3.4)) as (figure, (axes,)):
        grouped_bars(axes, shares)
        axes.set_xlabel("block of the network")
        axes.set_ylim(0, 1)
        axes.set_ylabel("share that is left over")
        axes.set_title("What the nearest separable kernel leaves over")
    return figure


def _logarithmic(axes: Axes) -> None:
    """Make both axes logarithmic, with plain numbers."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    _plain_numbers(axes.xaxis)
    _plain_numbers(axes.yaxis)


def _plain_numbers(axis: Axis) -> None:
    """Write 0.5, 2 and 10 on a logarithmic axis in place of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _white_to(color: str) -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("weights", ["white", color])
