"""The results page of a profile: what the reference runs gave, next to the reported figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import ceil, floor, log10
from pathlib import Path
from statistics import fmean

from autograder.assignments import in_course_order
from autograder.references import (
    FROZEN,
    PASS_RATE,
    Run,
    artifacts,
    bar_of,
    loss_limit_of,
    runs,
)
from autograder.references import sweeps as measured
from autograder.runs import charts, starting
from autograder.runs.experiment import weights_in
from autograder.runs.table import TRAINED, UNTRAINED, Experiment, Sweep, experiments, sweeps
from autograder.runs.tasks import CONTROLS
from helpers.bars import BARS
from helpers.course_runs import COURSE_RUNS
from helpers.files import replacing
from helpers.profile import PROFILES, profile

TRAINED_HEADER = """\
| experiment | recipe | weights | tested on | untrained: reported | ours | \
batch norm measured anew | weights frozen | trained: reported | ours | difference | seeds | \
seconds | device |
|---|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|
"""
MEASURED_HEADER = """\
| figure | of | reported | ours | difference | weights | data | device |
|---|---|---:|---:|---:|---:|---|---|
"""

DATA = {
    "digits": ("images", "composed of scikit-learn's handwritten digits, in any colours"),
    "dark_digits": ("images", "the same with digits that are darker than their background"),
    "cifar10": ("images", "CIFAR-10"),
    "alice": ("characters", "Lewis Carroll, *Alice's Adventures in Wonderland*, 1865"),
    "tinyshakespeare": ("characters", "tiny Shakespeare, from the plays of William Shakespeare"),
}
"""What each data set consists of, and what it is, in words."""

BARS_HEADER = """\
| experiment | mean | seeds | bar | loss: trained | of the best control | limit |
|---|---:|---:|---:|---:|---:|---:|
"""
BARS_RULE = f"""\
The bar is the accuracy that one more run of the same recipe reaches in {100 * PASS_RATE:g} of 100
cases, by the spread over the seeds of this experiment or of all experiments on the same data,
whichever is larger; or half of the way from the accuracy without training to the mean, if that is
higher. Where seeds differ much, as after a few epochs at a high rate, only an experiment's own
seeds count.

Two controls show what a network reaches without the training of its weights: one whose batch norm
measured its statistics anew on training images, and one that was trained while the weights of its
convolutions and its classifier kept their values, as with a quantizer that passes no gradient.
Where their accuracies come close to the bar, the loss on the first training examples, in nats for
each image or character, tells them from a trained network: a submitted network must stay below the
limit as well.
"""


def page(profile: str) -> str:
    """Return the page of a profile.

    Parameters
    ----------
    profile
        ``"quick"`` or ``"full"``. It must be the current profile, because the experiments have the
        recipes of the current one.

    Returns
    -------
    str
        Markdown, made only from the table of experiments and the manifests.
    """
    plots = "".join(f"\n![{title}](plots/{name}.png)\n" for name, title in charts.TITLES.items())
    return f"""\
# Reference runs, profile `{profile}`

Written by `autograder reference run --profile {profile}` from the manifests in this folder.
The accuracy is the share of the test images whose class is predicted right or, in a text, of the
test characters: mean ± sample standard deviation over seeds. The number of weights, in the
convolutions, linear layers and embeddings, tells the networks apart.
Seconds are the wall time of one training while others run on the same device. Reported figures
come from students of earlier courses, from one run each.
{plots}
{tables(profile)}"""


def tables(profile: str) -> str:
    """Return the tables of the page, in the order of the course's experiments."""
    found = runs(profile)
    done = [(e, found[e.name]) for e in experiments() if e.name in found]
    missing = [e.name for e in experiments() if e.name not in found]
    missing += [s.name for s in sweeps() if s.name not in measured(profile)]
    parts = [
        _data(profile, done),
        "## Trained\n\n" + TRAINED_HEADER + "".join(_trained(e, run) for e, run in done),
        "## Measured\n\n" + MEASURED_HEADER + _measured(profile, done),
        _bars(done),
        _missed(done),
        _remarks(profile, done),
        f"Not run yet: {', '.join(missing)}.\n" if missing else "",
    ]
    return "\n".join(part for part in parts if part)


def write_page(profile: str) -> Path:
    """Draw the plots and write the page next to the manifests; return the file of the page."""
    folder = FROZEN / profile
    charts.write(profile, folder / "plots")
    with replacing(folder / "README.md") as temporary:
        temporary.write_text(page(profile), encoding="utf-8")
    write_bars()
    return folder / "README.md"


def bars() -> dict[str, dict[str, dict[str, float | None]]]:
    """Return the bars of both profiles as plain data, for `helpers.bars`.

    Students have no reference runs, but a public check shows them how far a network is from its
    bar. The figures are rounded to four digits in the safe direction: a network that meets them
    meets those of the hidden tests.
    """
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    handed_in = [name for each in in_course_order() for name in each.artifacts]
    for each in PROFILES:
        everything = runs(each)
        found[each] = {}
        for name in handed_in:
            least = bar_of(everything[name], everything.values()) if name in everything else None
            if least is not None:
                limit = loss_limit_of(everything[name], everything.values())
                found[each][name] = {
                    "accuracy": ceil(least * 10_000) / 10_000,
                    "loss": None if limit is None else _rounded_down(limit),
                }
    return found


def course_runs() -> dict[str, dict[str, dict[str, float]]]:
    """Return how the trainings of both profiles ended as plain data, for `helpers.course_runs`.

    A run that has only a part of its epochs is left out, because it ended elsewhere. The accuracies
    are rounded to four digits, as the page shows them.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for each in PROFILES:
        everything = runs(each)
        found[each] = {
            name: _ended(everything[name], artifacts(each, assignment.name) / f"{name}.json")
            for assignment in in_course_order()
            for name in assignment.artifacts
            if name in everything and everything[name]["share"] == 1
        }
    return found


def _ended(run: Run, history: Path) -> dict[str, float]:
    """Return how the trainings of an experiment ended, of which the first has this history."""
    accuracies = [round(accuracy, 4) for accuracy in run["accuracies"]]
    return {
        "count": len(accuracies),
        "epochs": len(json.loads(history.read_text(encoding="utf-8"))["test_accuracy"]),
        "lowest": min(accuracies),
        "highest": max(accuracies),
    }


def _rounded_down(value: float) -> float:
    """Return a positive number with four digits."""
    unit = 10.0 ** (floor(log10(value)) - 3)
    return float(f"{floor(value / unit) * unit:.4g}")


def write_bars() -> None:
    """Write the bars of both profiles, and how their trainings ended, into `helpers`."""
    for file, figures in ((BARS, bars()), (COURSE_RUNS, course_runs())):
        with replacing(file) as temporary:
            temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


# ------------------------------------------------------------------------------------------------
# Data


def _data(profile: str, done: list[tuple[Experiment, Run]]) -> str:
    """Return the section that says what the data sets of these runs are."""
    circumstances = [run["run_on"] for _, run in done]
    swept = [s.name for s in sweeps() if s.weights is not None and s.name in measured(profile)]
    circumstances += [measured(profile)[name]["run_on"] for name in swept]
    names = dict.fromkeys(run_on["data"] for run_on in circumstances)
    lines = [f"- `{name}`: {DATA[name][0]}, {DATA[name][1]}.\n" for name in names if name in DATA]
    return "## Data\n\n" + "".join(lines) if lines else ""


def _unit(run_on: Run) -> str:
    """Return what is predicted in a data set, in the plural."""
    return DATA.get(run_on["data"], ("examples", ""))[0]


# ------------------------------------------------------------------------------------------------
# Rows


def _trained(experiment: Experiment, run: Run) -> str:
    reported = comparable(experiment, run["run_on"])
    spread = "" if run["spread"] is None else f" ± {run['spread']:.4f}"
    controls = [run.get("controls", {}).get(kind, {}) for kind in CONTROLS]
    return _row(
        f"`{experiment.name}`",
        run["recipe"],
        f"{weights_in(experiment, profile()):,}",
        f"{run['run_on']['test_images']:,} {_unit(run['run_on'])} of `{run['run_on']['data']}`",
        number(reported.get(UNTRAINED)),
        number(run["untrained"]),
        *(number(control.get("accuracy")) for control in controls),
        number(reported.get(TRAINED)),
        number(run["mean"]) + spread,
        difference(run["mean"], reported.get(TRAINED)),
        str(len(run["seeds"])),
        f"{fmean(run['seconds']):.0f}",
        f"{run['run_on']['device']}, {run['precision']}"
        + (f", {run['share']:g} of the epochs" if run["share"] < 1 else ""),
    )


def _measured(profile: str, done: list[tuple[Experiment, Run]]) -> str:
    """Return the rows of sweeps, and of details reported for trained networks."""
    rows = []
    for sweep in sweeps():
        if sweep.name in measured(profile):
            found = measured(profile)[sweep.name]
            of = f"`{sweep.name}`: {found['recipe']}"
            rows += _figures(sweep, found["figures"], of, found["run_on"])
    for experiment, run in done:
        reported = comparable(experiment, run["run_on"])
        details = {name: figure for name, figure in run["details"].items() if name in reported}
        rows += _figures(experiment, details, f"`{experiment.name}`, trained", run["run_on"])
    return "".join(rows)


def _figures(row: Experiment | Sweep, figures: dict[str, float], of: str, run_on: Run) -> list[str]:
    reported = comparable(row, run_on)
    return [
        _row(
            label,
            of,
            number(reported.get(label)),
            number(figure),
            difference(figure, reported.get(label)),
            "" if row.weights is None else f"{row.weights:,}",
            "" if row.weights is None else f"`{run_on['data']}`",
            run_on["device"],
        )
        for label, figure in figures.items()
    ]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def number(value: float | None) -> str:
    """Return a figure in four digits; nothing if there is none."""
    return "" if value is None else f"{value:.4f}"


def difference(ours: float, reported: float | None) -> str:
    """Return by how much our figure is above the reported one; nothing if there is none."""
    # Adding 0 makes -0.0 positive.
    return "" if reported is None else f"{round(ours - reported, 4) + 0.0:+.4f}"


def comparable(row: Experiment | Sweep, run_on: Run) -> Mapping[str, float]:
    """Return the reported figures of a row if it was run on the same data."""
    return row.reported if run_on["data"] == "cifar10" else {}


# ------------------------------------------------------------------------------------------------
# Bars


def _bars(done: list[tuple[Experiment, Run]]) -> str:
    """Return the section on the bars of submitted networks; nobody submits a starting network."""
    handed_in = [(e, run) for e, run in done if e.assignment != starting.ASSIGNMENT]
    everything = [run for _, run in done]
    bars = [(e, run, bar_of(run, everything)) for e, run in handed_in]
    rows = [_bar(e, run, least, everything) for e, run, least in bars if least is not None]
    single = [f"`{e.name}`" for e, _, least in bars if least is None]
    parts = [BARS_HEADER + "".join(rows), BARS_RULE] if rows else []
    if single:
        parts.append(f"A single seed has no spread and gives no bar: {', '.join(single)}.\n")
    return "\n".join(["## What a submitted network must reach\n", *parts]) if parts else ""


def _bar(experiment: Experiment, run: Run, least: float, everything: list[Run]) -> str:
    losses = [control["loss"] for control in run.get("controls", {}).values()]
    return _row(
        f"`{experiment.name}`",
        number(run["mean"]),
        str(len(run["seeds"])),
        number(least),
        number(fmean(run["losses"]) if "losses" in run else None),
        number(min(losses, default=None)),
        number(loss_limit_of(run, everything)),
    )


# ------------------------------------------------------------------------------------------------
# Explanations


def _missed(done: list[tuple[Experiment, Run]]) -> str:
    """Return a list of the trained networks whose mean is below the reported accuracy, and why."""
    lines = []
    for experiment, run in done:
        aim = comparable(experiment, run["run_on"]).get(TRAINED)
        if aim is not None and run["mean"] < aim:
            why = (
                f"trained for only {run['share']:g} of the epochs"
                if run["share"] < 1
                else "the whole recipe was run but does not reach it"
            )
            lines.append(f"- `{experiment.name}` is {aim - run['mean']:.4f} below: {why}.\n")
    if not lines:
        return ""
    return "## Below the reported accuracy\n\n" + "".join(lines)


def _remarks(profile: str, done: list[tuple[Experiment, Run]]) -> str:
    rows: list[Experiment | Sweep] = [experiment for experiment, _ in done]
    rows += [sweep for sweep in sweeps() if sweep.name in measured(profile)]
    lines = [f"- `{row.name}`: {row.remark}\n" for row in rows if row.remark]
    return "## Remarks\n\n" + "".join(lines) if lines else ""
