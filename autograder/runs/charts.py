"""The figures of the results page: accuracy over bits, sparsity and size, and learning curves.

Each assignment declares its own lines in the charts: see `autograder.runs.lines`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.assignments import in_course_order
from autograder.references import FROZEN, runs
from autograder.references import sweeps as measured
from autograder.runs import starting
from autograder.runs.lines import Chart, Line
from autograder.runs.table import TRAINED, Experiment, Sweep, experiments, sweeps
from helpers.files import replacing
from helpers.plots import LINES
from helpers.plots.style import accuracy_axis, legend_beside, panels
from helpers.training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Drawn:
    """The points of a line: ours, and the reported ones."""

    label: str
    ours: Points
    reported: Points


SIZE = (7.6, 4.2)  # inches
SMALL = (4.6, 3.0)
DPI = 100
BITS = (6, 5, 4, 3, 2)
SIZES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)


TITLES = {
    "accuracy_over_bits": "Accuracy over bits per weight",
    "accuracy_over_sparsity": "Accuracy over sparsity",
    "accuracy_over_size": "Accuracy over the size of the weights",
    "learning_curves": "Learning curves, first seed",
}


def write(profile: str, folder: Path) -> None:
    """Draw the figures as PNG into a folder."""
    figures = {
        "accuracy_over_bits": _over_bits(profile),
        "accuracy_over_sparsity": _over_sparsity(profile),
        "accuracy_over_size": _over_size(profile),
        "learning_curves": _learning_curves(profile),
    }
    for name, figure in figures.items():
        with replacing(folder / f"{name}.png") as temporary:
            # Without matplotlib's version in the file, the same figure gives the same file.
            figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


# ------------------------------------------------------------------------------------------------
# What is drawn


def lines(chart: Chart) -> list[Line]:
    """Return the lines of a chart, in the order of its legend."""
    every = [line for assignment in in_course_order() for line in assignment.chart_lines]
    return [line for line in every if line.chart == chart]


def _drawn(profile: str, line: Line, detail: str = "", scale: float = 1) -> Drawn:
    """Return the points of a line; `detail` of each run gives the x values that the line lacks."""
    reported = _reported(profile)
    if line.sweep:
        figures = measured(profile).get(line.sweep, {}).get("figures", {})
        return Drawn(line.label, _swept(figures), _swept(reported.get(line.sweep, {})))
    found = runs(profile)
    if isinstance(line.networks, Mapping):
        places = dict(line.networks)
    else:
        places = {
            name: scale * found[name]["details"][detail] for name in line.networks if name in found
        }
    ours = [(x, found[name]["mean"]) for name, x in places.items() if name in found]
    theirs = [
        (x, reported[name][TRAINED])
        for name, x in places.items()
        if TRAINED in reported.get(name, {})
    ]
    return Drawn(line.label, ours, theirs)


def _reported(profile: str) -> dict[str, dict[str, float]]:
    """Return the reported figures of all rows, which are for CIFAR-10, the data of `full`."""
    if profile != "full":
        return {}
    rows: list[Experiment | Sweep] = [*experiments(), *sweeps()]
    return {row.name: dict(row.reported) for row in rows}


def _swept(figures: Mapping[str, float]) -> Points:
    """Return the points of a sweep whose labels begin with a number."""
    return [(float(label.split()[0]), accuracy) for label, accuracy in figures.items()]


def _start(profile: str) -> float | None:
    """Return the accuracy of the starting network, or None if it was not measured."""
    found = runs(profile).get(starting.NAMES[starting.NARROW])
    return found["mean"] if found else None


def _curves(profile: str) -> dict[str, dict[str, History]]:
    """Return the histories of the first seeds whose curves are drawn, assignment by assignment."""
    curves: dict[str, dict[str, History]] = {}
    for experiment in experiments():
        path = FROZEN / profile / experiment.assignment / f"{experiment.name}.json"
        if experiment.draws_curve and path.exists():
            history = History.from_dict(json.loads(path.read_text()))
            curves.setdefault(experiment.assignment, {})[experiment.name] = history
    return curves


# ------------------------------------------------------------------------------------------------
# How it is drawn


def _look(place: int) -> dict[str, Any]:
    """Return the look of the line at a place in the legend; hollow markers if colours repeat."""
    look = LINES[place % len(LINES)]
    return look if place < len(LINES) else look | {"markerfacecolor": "none"}


def _over_bits(profile: str) -> Figure:
    with panels(1, SIZE) as (figure, (axes,)):
        _draw(axes, [_drawn(profile, line) for line in lines("bits")], profile)
        axes.set_xlabel("bits per weight")
        axes.set_xticks(BITS)
        axes.invert_xaxis()
    return figure


def _over_sparsity(profile: str) -> Figure:
    found = [_drawn(profile, line, "sparsity", 100) for line in lines("sparsity")]
    for drawn in found:
        drawn.ours.sort()
    with panels(1, SIZE) as (figure, (axes,)):
        _draw(axes, found, profile)
        axes.set_xlabel("weights that are zero, in %")
    return figure


def _over_size(profile: str) -> Figure:
    with panels(1, SIZE) as (figure, (axes,)):
        for place, line in enumerate(lines("size")):
            if points := _drawn(profile, line, "size ratio").ours:
                look = _look(place) | {"linestyle": ""}
                axes.plot(*zip(*points, strict=True), label=line.label, **look)
        if (start := _start(profile)) is not None:
            axes.axhline(start, color="0.25", linewidth=1.2, label="float32")
        axes.set_xlabel("bits of the weights, as part of float32")
        axes.set_xscale("log")
        axes.set_xticks(SIZES, [f"1/{round(1 / size)}" for size in SIZES])
        axes.minorticks_off()
        axes.set_ylabel("test accuracy")
        axes.yaxis.set_major_formatter(lambda accuracy, _: f"{100 * accuracy:.1f} %")
        legend_beside(axes)
    return figure


def _learning_curves(profile: str) -> Figure:
    """Draw training loss and test accuracy over the epochs: a row for each assignment."""
    found = _curves(profile)
    # If no history is frozen yet, the axes stay empty, as those of the other figures do.
    with panels(2 * max(1, len(found)), SMALL, per_row=2) as (figure, every):
        for row, (assignment, curves) in enumerate(found.items()):
            loss, accuracy = every[2 * row : 2 * row + 2]
            for place, (name, history) in enumerate(curves.items()):
                epochs = range(1, len(history) + 1)
                look = _look(place) | {"markevery": max(1, len(history) // 10)}
                loss.plot(epochs, history.train_loss, **look)
                accuracy.plot(epochs, history.test_accuracy, label=name, **look)
            for axes in (loss, accuracy):
                axes.set_title(assignment)
                axes.set_xlabel("epoch")
                axes.locator_params(axis="x", integer=True)
            loss.set_ylabel("training loss")
            accuracy_axis(accuracy, None)
            legend_beside(accuracy)
    return figure


def _draw(axes: Axes, found: list[Drawn], profile: str) -> None:
    """Draw our points with lines, and the reported points as crosses of the same colour."""
    for place, line in enumerate(found):
        look = _look(place)
        if line.ours:
            axes.plot(*zip(*line.ours, strict=True), label=line.label, **look)
        if line.reported:
            cross: dict[str, Any] = {"marker": "x", "linestyle": "", "color": look["color"]}
            axes.plot(*zip(*line.reported, strict=True), **cross)
    if any(line.reported for line in found):
        axes.plot([], [], marker="x", linestyle="", color="0.4", label="reported, same colour")
    accuracy_axis(axes, _start(profile))
    legend_beside(axes)
