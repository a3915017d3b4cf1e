"""The figures of the results page: accuracy over bits, sparsity and size, and learning curves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.references import FROZEN, runs
from autograder.references import sweeps as measured
from autograder.runs.table import TRAINED, Experiment, Sweep, experiments, sweeps
from helpers.files import replacing
from helpers.plots import LINES, learning_curves
from helpers.plots.look import accuracy_axis, legend_beside, panels
from helpers.training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """Points of one kind, and what others reported of it."""

    label: str
    ours: Points
    published: Points


SIZE = (7.6, 4.2)  # inches
DPI = 100
BITS = (6, 5, 4, 3, 2)
SIZES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
CURVES = ("resnet20", "resnet20_wide", "qat_4bit", "qat_2bit", "one_shot", "global_iterative")


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
        "learning_curves": learning_curves(_curves(profile)),
    }
    for name, figure in figures.items():
        with replacing(folder / f"{name}.png") as temporary:
            # Without matplotlib's version in it, the same figure is the same file.
            figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


# ------------------------------------------------------------------------------------------------
# What is drawn


def _published(profile: str) -> dict[str, dict[str, float]]:
    """Return the reported figures of all rows: they are of CIFAR-10, the data of `full`."""
    if profile != "full":
        return {}
    rows: list[Experiment | Sweep] = [*experiments(), *sweeps()]
    return {row.name: dict(row.published) for row in rows}


def _ours(profile: str, names: dict[str, float]) -> Points:
    """Return the mean accuracies of trained networks, at the places that `names` gives them."""
    return [(x, runs(profile)[name]["mean"]) for name, x in names.items() if name in runs(profile)]


def _theirs(profile: str, names: dict[str, float]) -> Points:
    """Return the reported accuracies of trained networks, at the same places."""
    published = _published(profile)
    return [
        (x, published[name][TRAINED])
        for name, x in names.items()
        if TRAINED in published.get(name, {})
    ]


def _swept(figures: dict[str, float]) -> Points:
    """Return the points of a sweep whose labels begin with a number."""
    return [(float(label.split()[0]), accuracy) for label, accuracy in figures.items()]


def _sweep(profile: str, name: str) -> Points:
    return _swept(measured(profile).get(name, {}).get("figures", {}))


def _details(profile: str, assignment: str, detail: str) -> dict[str, float]:
    """Return a detail of the trained networks of an assignment, by their names."""
    return {
        e.name: runs(profile)[e.name]["details"][detail]
        for e in experiments()
        if e.assignment == assignment and detail in runs(profile).get(e.name, {}).get("details", {})
    }


def _over_bits(profile: str) -> Figure:
    published = _published(profile)
    tuned: dict[str, float] = {"qat_4bit": 4, "qat_3bit": 3, "qat_2bit": 2}
    shared: dict[str, float] = {"shared_3bit": 3, "shared_2bit": 2}
    lines = [
        Line("rounded", _sweep(profile, "rounded"), _swept(published.get("rounded", {}))),
        Line("rounded, fine-tuned", _ours(profile, tuned), _theirs(profile, tuned)),
        Line(
            "shared (k-means)",
            _sweep(profile, "weight_sharing"),
            _swept(published.get("weight_sharing", {})),
        ),
        Line("half pruned, shared, trained", _ours(profile, shared), []),
    ]
    with panels(1, SIZE) as (figure, (axes,)):
        _draw(axes, lines, profile)
        axes.set_xlabel("bits per weight")
        axes.set_xticks(BITS)
        axes.invert_xaxis()
    return figure


def _over_sparsity(profile: str) -> Figure:
    percent = {n: 100 * share for n, share in _details(profile, "pruning", "sparsity").items()}
    steps = {name: x for name, x in percent.items() if "iterative" in name}
    deviation = {name: x for name, x in percent.items() if "_std" in name}
    rest = {n: x for n, x in percent.items() if n not in steps and n not in deviation}
    groups = {
        "by deviation, retrained": deviation,
        "by percentage, retrained": rest,
        "step by step": steps,
    }
    swept = _swept(_published(profile).get("pruned_per_layer", {}))
    lines = [
        Line("per layer, not retrained", _sweep(profile, "pruned_per_layer"), swept),
        Line("globally, not retrained", _sweep(profile, "pruned_globally"), []),
        *(
            Line(label, sorted(_ours(profile, names)), _theirs(profile, names))
            for label, names in groups.items()
        ),
    ]
    with panels(1, SIZE) as (figure, (axes,)):
        _draw(axes, lines, profile)
        axes.set_xlabel("weights that are zero, in %")
    return figure


def _over_size(profile: str) -> Figure:
    in_bits = _details(profile, "quantization", "size ratio")
    zeros = _details(profile, "quantization", "sparsity")
    groups = {
        "pruned": _details(profile, "pruning", "size ratio"),
        "few bits": {name: x for name, x in in_bits.items() if not zeros[name]},
        "pruned, few bits": {name: x for name, x in in_bits.items() if zeros[name]},
        "pruned, shared weights": _details(profile, "deep_compression", "size ratio"),
    }
    with panels(1, SIZE) as (figure, (axes,)):
        for (label, names), look in zip(groups.items(), LINES, strict=False):
            if names:
                points = zip(*_ours(profile, names), strict=True)
                axes.plot(*points, label=label, **(look | {"linestyle": ""}))
        if "resnet20" in runs(profile):
            mean = runs(profile)["resnet20"]["mean"]
            axes.axhline(mean, color="0.25", linewidth=1.2, label="float32")
        axes.set_xlabel("bits of the weights, as part of float32")
        axes.set_xscale("log")
        axes.set_xticks(SIZES, [f"1/{round(1 / size)}" for size in SIZES])
        axes.minorticks_off()
        axes.set_ylabel("test accuracy")
        axes.yaxis.set_major_formatter(lambda accuracy, _: f"{100 * accuracy:.1f} %")
        legend_beside(axes)
    return figure


def _curves(profile: str) -> dict[str, History]:
    """Return the histories of some networks' first seeds."""
    curves = {}
    for experiment in experiments():
        path = FROZEN / profile / experiment.assignment / f"{experiment.name}.json"
        if experiment.name in CURVES and path.exists():
            curves[experiment.name] = History.from_dict(json.loads(path.read_text()))
    return curves


# ------------------------------------------------------------------------------------------------
# How it is drawn


def _draw(axes: Axes, lines: list[Line], profile: str) -> None:
    """Draw our points with lines, and reported ones as crosses of the same colour."""
    for line, look in zip(lines, LINES, strict=False):
        if line.ours:
            axes.plot(*zip(*line.ours, strict=True), label=line.label, **look)
        if line.published:
            cross: dict[str, Any] = {"marker": "x", "linestyle": "", "color": look["color"]}
            axes.plot(*zip(*line.published, strict=True), **cross)
    if any(line.published for line in lines):
        axes.plot([], [], marker="x", linestyle="", color="0.4", label="reported, same colour")
    start = runs(profile).get("resnet20")
    accuracy_axis(axes, start["mean"] if start else None)
    legend_beside(axes)
