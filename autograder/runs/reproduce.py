"""Run one row of the course's table again, and compare it with what is frozen.

Nothing that is frozen changes, and nothing ships: the results stay in a folder of their own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

from autograder.errors import UserError
from autograder.references import FROZEN, Run, pooled, standard_error
from autograder.runs.columns import Column, table
from autograder.runs.experiment import Experiment, Sweep, weights_in
from autograder.runs.freezing import frozen_row, frozen_run, start
from autograder.runs.moved import accuracy
from autograder.runs.remaining import tasks_bar
from autograder.runs.run import Plan, require_device
from autograder.runs.side_by_side import done
from autograder.runs.table import experiments, sweeps
from autograder.runs.tasks import Task
from autograder.runs.training import recipe
from helpers.profile import profile

RATE = 0.99
"""In so many of 100 cases, two groups of runs of one recipe differ by less than what is allowed."""
DIGITS = 4
"""Figures that are measured without training are compared in so many digits, as the page shows."""
WIDE = 200
"""More than the width of the table, in which nothing is left out."""


@dataclass(frozen=True)
class Comparison:
    """What a new run gave beside what is frozen.

    Attributes
    ----------
    table
        Both in columns: the figures, and what they were measured with.
    agrees
        Whether the new figures are those that are frozen, as far as chance allows.
    verdict
        The same in words, and how it was found.
    """

    table: str
    agrees: bool
    verdict: str

    def __str__(self) -> str:
        return f"{self.table}\n\n{self.verdict}"


def reproduce(name: str, how: Plan, scratch: Path, *, frozen: Path = FROZEN) -> Comparison:
    """Run a row again as it was frozen, and compare the two.

    Parameters
    ----------
    name
        Name of an experiment or of a sweep.
    how
        The seeds, the device and the jobs of the run. Its share of the epochs is not used: the run
        has as many epochs as the frozen one.
    scratch
        The folder for the results. Tasks that a former call has finished there are not done again,
        and an interrupted training continues from its last epoch.
    frozen
        The folder of the references.

    Raises
    ------
    UserError
        If there is no such row, or nothing of it is frozen that could be compared, or the device
        cannot be used.
    """
    row = _row(name)
    there = frozen_run(row, frozen)
    if there is None:
        raise UserError(
            f"There is no frozen run of {name!r} that began with the present starting network: "
            f"`autograder reference run --profile {profile()} --only {name} --missing` makes one."
        )
    how = replace(how, share=there.get("share", 1.0))
    if recipe(row, how.share) != there["recipe"]:
        raise UserError(
            f"The recipe of {name!r} has changed since it was frozen, so the figures cannot be "
            f"compared: `autograder reference run --profile {profile()} --only {name} --update` "
            "freezes it anew."
        )
    require_device(how.device)
    results = _run(row, how, scratch)
    if any(r["run_on"]["data_sha256"] != there["run_on"]["data_sha256"] for r in results):
        raise UserError(
            f"The frozen run of {name!r} used other data, so the figures cannot be compared. The "
            f"new ones are in {scratch}."
        )
    if isinstance(row, Sweep):
        return _swept(there, results[0])
    return _trained(row, there, results, frozen)


def _row(name: str) -> Experiment | Sweep:
    every: list[Experiment | Sweep] = [*experiments(), *sweeps()]
    rows = {row.name: row for row in every}
    if name not in rows:
        raise UserError(f"There is no experiment {name!r}; known: {', '.join(rows)}.")
    return rows[name]


def _run(row: Experiment | Sweep, how: Plan, scratch: Path) -> list[Run]:
    """Return the results of the row's trainings, or of its measuring."""
    folder = scratch / profile() / f"{start(row) or 'start'}-{how.share:g}"
    if isinstance(row, Sweep):
        tasks = [Task("sweep", row.name)]
    else:
        tasks = [Task("train", row.name, seed) for seed in range(how.seeds)]
    left = [task for task in tasks if not task.is_done(folder)]
    with tasks_bar(tasks, left, how.share) as shown:
        placed = [(task, folder) for task in left]
        # A single training runs in this process, where it shows its own progress.
        jobs = min(how.jobs, max(1, len(left)))
        for task in done(placed, how.device, how.share, jobs, how.deadline):
            shown.finished(task)
    return [json.loads(task.result(folder).read_text(encoding="utf-8")) for task in tasks]


# ------------------------------------------------------------------------------------------------
# The comparison


def _trained(row: Experiment, there: Run, results: list[Run], frozen: Path) -> Comparison:
    accuracies = [result["accuracy"] for result in results]
    here = {
        "mean": fmean(accuracies),
        "spread": stdev(accuracies) if len(accuracies) > 1 else None,
        "seeds": range(len(accuracies)),
        "precision": results[0]["precision"],
        "run_on": results[0]["run_on"],
    }
    difference = here["mean"] - there["mean"]
    both = (there, here)
    columns = [
        Column("", ["frozen", "reproduced", "difference"]),
        Column("test accuracy", [*map(accuracy, both), f"{difference:+.4f}"]),
        Column("seeds", [*(str(len(run["seeds"])) for run in both), ""], right=True),
        Column("device", [*(f"{r['run_on']['device']}, {r['precision']}" for r in both), ""]),
    ]
    title = f"{row.name}: {there['recipe']}"
    peers = (
        frozen_row(e, frozen)
        for e in experiments()
        if e.name != row.name
        and e.is_steady
        and weights_in(e, profile()) == weights_in(row, profile())
    )
    data = there["run_on"]["data"]
    similar = [run for run in peers if run is not None and run["run_on"]["data"] == data]
    agrees, verdict = _judged(difference, there, len(accuracies), similar)
    return Comparison(f"{title}\n\n{table(columns, WIDE)}", agrees, verdict)


def _judged(difference: float, there: Run, count: int, peers: list[Run]) -> tuple[bool, str]:
    """Return whether a difference may come from chance, and say so in words.

    It is compared with a two-sided prediction interval, for the spread that `bar_of` uses: of this
    experiment's seeds, or of the seeds of all experiments with the same network on the same data,
    but at least one standard error of the accuracy on the test images.
    """
    usual = pooled(run["accuracies"] for run in [there, *peers])
    if usual is None:
        return False, (
            "There is no verdict: neither this experiment nor another with the same network was "
            "frozen with two seeds, so nobody knows how far one run may be from the next."
        )
    own = stdev(there["accuracies"]) if len(there["accuracies"]) > 1 else 0.0
    deviation, source = max(
        (usual.deviation, "the spread over the seeds of the experiments with this network"),
        (own, "the spread over the seeds of this experiment"),
        (standard_error(there), "the standard error of accuracy on the test set"),
    )
    quantile = usual.quantile((1 + RATE) / 2)
    first = len(there["accuracies"])
    allowed = quantile * deviation * sqrt(1 / first + 1 / count)
    agrees = abs(difference) <= allowed
    verdict = (
        f"Reproduced: the difference is within ± {allowed:.4f}."
        if agrees
        else f"Not reproduced: the difference exceeds ± {allowed:.4f} by "
        f"{abs(difference) - allowed:.4f}."
    )
    return agrees, (
        f"{verdict}\nIn {100 * RATE:g} of 100 cases, the means of {first} and of {count} runs of "
        f"one recipe differ by less: by t = {quantile:.2f}, with {usual.freedom} degrees of "
        f"freedom, times {deviation:.4f}, {source}, times the root of 1/{first} + 1/{count}."
    )


def _swept(there: Run, here: Run) -> Comparison:
    old, new = there["figures"], here["figures"]
    both = [label for label in old if label in new]
    columns = [
        Column("", both),
        Column("frozen", [f"{old[label]:.4f}" for label in both], right=True),
        Column("reproduced", [f"{new[label]:.4f}" for label in both], right=True),
        Column("difference", [f"{new[label] - old[label]:+.4f}" for label in both], right=True),
    ]
    devices = f"frozen on {there['run_on']['device']}, reproduced on {here['run_on']['device']}"
    text = f"{there['recipe']}; {devices}\n\n{table(columns, WIDE)}"
    moved = [
        label
        for label in old | new
        if label not in old or label not in new or round(old[label] - new[label], DIGITS)
    ]
    if not moved:
        return Comparison(text, True, f"Reproduced: all figures agree in {DIGITS} digits.")
    return Comparison(
        text,
        False,
        f"Not the same in {DIGITS} digits: {', '.join(moved)}. Nothing is drawn at random here, "
        "but another device rounds sums differently.",
    )
