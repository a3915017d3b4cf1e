"""The results of the reference runs for a terminal; the results page says more."""

from __future__ import annotations

from autograder.references import FROZEN, Run, runs
from autograder.references import sweeps as measured
from autograder.runs.columns import Column, table
from autograder.runs.moved import accuracy
from autograder.runs.page import comparable, difference, number
from autograder.runs.table import TRAINED, UNTRAINED, Experiment, Sweep, experiments, sweeps


def shown(profile: str, width: int) -> str:
    """Return the results of a profile in columns that fit a terminal.

    Parameters
    ----------
    profile
        ``"quick"`` or ``"full"``. It must be the current profile, as for the results page.
    width
        Width of the terminal, in characters.
    """
    parts = [
        ("Trained: test accuracy", _trained(profile)),
        ("Measured without training, or on trained networks", _measured(profile)),
    ]
    texts = [f"{title}\n\n{table(columns, width)}" for title, columns in parts]
    return "\n\n".join([*texts, f"More, with figures: {FROZEN / profile / 'README.md'}"])


def _trained(profile: str) -> list[Column]:
    found = runs(profile)
    done = [
        (e, found[e.name], comparable(e, found[e.name]["run_on"]))
        for e in experiments()
        if e.name in found
    ]
    return [
        Column("experiment", [e.name for e, _, _ in done], least=16),
        Column("trained", [accuracy(run) for _, run, _ in done]),
        Column("reported", [number(theirs.get(TRAINED)) for _, _, theirs in done], right=True),
        Column(
            "difference",
            [difference(run["mean"], theirs.get(TRAINED)) for _, run, theirs in done],
            right=True,
        ),
        Column("seeds", [str(len(run["seeds"])) for _, run, _ in done], right=True),
        Column("device", [_short(run["run_on"]["device"]) for _, run, _ in done], least=8),
        Column(
            "of the epochs",
            [f"{run['share']:g}" if run["share"] < 1 else "all" for _, run, _ in done],
            right=True,
            least=6,
        ),
        Column("untrained", [number(run["untrained"]) for _, run, _ in done], right=True),
        Column("reported", [number(theirs.get(UNTRAINED)) for _, _, theirs in done], right=True),
        Column("recipe", [run["recipe"] for _, run, _ in done], least=24),
    ]


def _measured(profile: str) -> list[Column]:
    rows: list[tuple[Experiment | Sweep, Run, str, float]] = [
        (sweep, measured(profile)[sweep.name]["run_on"], label, figure)
        for sweep in sweeps()
        if sweep.name in measured(profile)
        for label, figure in measured(profile)[sweep.name]["figures"].items()
    ]
    rows += [
        (experiment, run["run_on"], label, figure)
        for experiment in experiments()
        if (run := runs(profile).get(experiment.name)) is not None
        for label, figure in run["details"].items()
        if label in comparable(experiment, run["run_on"])
    ]
    theirs = [comparable(row, run_on).get(label) for row, run_on, label, _ in rows]
    ours = [figure for _, _, _, figure in rows]
    return [
        Column("of", [row.name for row, _, _, _ in rows], least=16),
        Column("figure", [label for _, _, label, _ in rows], least=20),
        Column("ours", [number(figure) for figure in ours], right=True),
        Column("reported", [number(each) for each in theirs], right=True),
        Column("difference", list(map(difference, ours, theirs)), right=True),
        Column("device", [_short(run_on["device"]) for _, run_on, _, _ in rows]),
    ]


def _short(devices: str) -> str:
    """Return the models of devices alone, such as ``"H100"`` for ``"NVIDIA H100 80GB HBM3"``."""
    names = (device.removeprefix("NVIDIA ").split()[0] for device in devices.split(" and "))
    return " and ".join(dict.fromkeys(names))
