"""Freeze the results of a row of the course's table: figures, their circumstances, the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from autograder.errors import UserError
from autograder.runs.experiment import weights_in
from autograder.runs.starting import ASSIGNMENT as STARTING
from autograder.runs.starting import start_digest
from autograder.runs.table import Experiment, Sweep
from autograder.runs.tasks import CONTROLS, Task
from autograder.runs.training import recipe, trained_share
from helpers.artifacts import artifact_files
from helpers.files import replacing
from helpers.measurements import MEASUREMENTS, Measurement, read_measurements
from helpers.profile import profile

Row = Experiment | Sweep
Run = dict[str, Any]


def start(row: Row) -> str | None:
    """Return a name for the weights that a row starts from; None if they are random."""
    return None if row.from_scratch else start_digest(profile(), weights_in(row, profile()))[:12]


def frozen_row(row: Row, frozen: Path) -> Run | None:
    """Return what is frozen of a row, whatever it began with; None if nothing is."""
    kind = "sweeps" if isinstance(row, Sweep) else "experiments"
    return _manifest(row.assignment, frozen)[1][kind].get(row.name)


def frozen_run(row: Row, frozen: Path) -> Run | None:
    """Return the frozen run of a row; None if there is none that began with the same network."""
    found = frozen_row(row, frozen)
    return found if found is not None and found["start"] == start(row) else None


def freeze(
    row: Row, share: float, tasks: Sequence[Task], folder: Path, frozen: Path, earlier: Run | None
) -> Path:
    """Write the figures and the network of a row whose tasks are all done.

    Parameters
    ----------
    row
        The experiment or sweep.
    share
        The share of the epochs of `full` that was asked for.
    tasks
        The tasks that were done: the trainings in the order of their seeds.
    folder
        The folder with the results of the tasks.
    frozen
        The folder of the references.
    earlier
        A frozen run of this row, by the same recipe, to which the trainings add further seeds.
        None if there is none.

    Returns
    -------
    Path
        The manifest.

    Raises
    ------
    UserError
        If the earlier run was done on other data.
    """
    results = [json.loads(task.result(folder).read_text()) for task in tasks]
    measured = [m for result in results for m in result.pop("measurements")]
    path, manifest = _manifest(row.assignment, frozen)
    about: Run = {"recipe": recipe(row, share), "start": start(row)}
    if isinstance(row, Sweep):
        manifest["sweeps"][row.name] = about | results[0]
    else:
        trained = [r for task, r in zip(tasks, results, strict=True) if task.kind == "train"]
        others: dict[str, Run] = {
            task.kind: result
            for task, result in zip(tasks, results, strict=True)
            if task.kind != "train"
        }
        found = _joined(earlier, trained) if earlier else _summary(trained, others["untrained"])
        found |= _evidence(earlier or {}, trained, others)
        about["share"] = trained_share(row, share)
        if not row.is_steady:
            about["is_steady"] = False
        if earlier:
            about |= {key: earlier[key] for key in ("recipe", "share")}
        manifest["experiments"][row.name] = about | found
        if not earlier:
            _freeze_network(row, folder, frozen, whole=about["share"] == 1)
    _freeze_measurements(row, measured, frozen, keep=earlier is not None)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return path


def _manifest(assignment: str, frozen: Path) -> tuple[Path, dict[str, Any]]:
    path = frozen / profile() / f"{assignment}.json"
    if path.exists():
        return path, json.loads(path.read_text(encoding="utf-8"))
    return path, {"profile": profile(), "experiments": {}, "sweeps": {}}


def _summary(trained: Sequence[Run], untrained: Run) -> Run:
    """Return the figures of trainings, and of the network without any."""
    names = trained[0]["details"]
    return _of_seeds(
        untrained=untrained["accuracy"],
        accuracies=[result["accuracy"] for result in trained],
        details={name: fmean(result["details"][name] for result in trained) for name in names},
        seconds=[round(result["training_seconds"], 1) for result in trained],
        precisions=[result["precision"] for result in trained],
        devices=[result["run_on"]["device"] for result in trained],
        run_on=trained[0]["run_on"],
    )


def _joined(earlier: Run, trained: Sequence[Run]) -> Run:
    """Return the figures of an earlier run together with trainings with further seeds."""
    if any(r["run_on"]["data_sha256"] != earlier["run_on"]["data_sha256"] for r in trained):
        raise UserError(
            "The frozen run used other data: run the experiment anew, with --update instead of "
            "--missing."
        )
    count = len(earlier["seeds"])
    total = count + len(trained)
    return _of_seeds(
        untrained=earlier["untrained"],
        accuracies=[*earlier["accuracies"], *(result["accuracy"] for result in trained)],
        details={
            name: (count * mean + sum(result["details"][name] for result in trained)) / total
            for name, mean in earlier["details"].items()
        },
        seconds=[*earlier["seconds"], *(round(r["training_seconds"], 1) for r in trained)],
        precisions=[*earlier["precision"].split(" and "), *(r["precision"] for r in trained)],
        devices=[
            *earlier["run_on"]["device"].split(" and "),
            *(result["run_on"]["device"] for result in trained),
        ],
        run_on=earlier["run_on"],
    )


def _evidence(earlier: Run, trained: Sequence[Run], others: dict[str, Run]) -> Run:
    """Return the losses of the trained networks, and the figures of the controls."""
    found: Run = {}
    losses = [*earlier.get("losses", []), *(result["loss"] for result in trained)]
    if not losses and "kept" in others:
        losses = [others["kept"]["loss"]]
    if losses:
        found["losses"] = losses
    controls = earlier.get("controls", {}) | {
        kind: {
            key: others[kind][key] for key in ("accuracy", "loss", "share") if key in others[kind]
        }
        for kind in CONTROLS
        if kind in others
    }
    if controls:
        found["controls"] = controls
    return found


def _of_seeds(
    *,
    untrained: float,
    accuracies: list[float],
    details: dict[str, float],
    seconds: list[float],
    precisions: list[str],
    devices: list[str],
    run_on: dict[str, Any],
) -> Run:
    return {
        "seeds": list(range(len(accuracies))),
        "untrained": untrained,
        "accuracies": accuracies,
        "mean": fmean(accuracies),
        "spread": stdev(accuracies) if len(accuracies) > 1 else None,
        "details": details,
        "seconds": seconds,
        "precision": " and ".join(dict.fromkeys(precisions)),
        "run_on": run_on | {"device": " and ".join(dict.fromkeys(devices))},
    }


def _freeze_network(row: Experiment, folder: Path, frozen: Path, *, whole: bool) -> None:
    """Keep the history of the first seed, and its weights if they are needed.

    A network ships to students if it was trained for all of its epochs. A starting network ships in
    any case, because nothing can begin without it.
    """
    first = Task("train", row.name, 0).label
    weights, history = (file.read_bytes() for file in artifact_files(folder, first))
    weights_file, history_file = artifact_files(frozen / profile() / row.assignment, row.name)
    ships = row.ships_as if whole or row.assignment == STARTING else None
    shipped = ships(profile()) if ships else None
    for file, content in [
        (history_file, history),
        *([(weights_file, weights)] if row.keeps_weights else []),
        *([(shipped, weights)] if shipped else []),
        *([(shipped.with_suffix(".json"), history)] if shipped and row.ships_history else []),
    ]:
        with replacing(file) as temporary:
            temporary.write_bytes(content)


def _freeze_measurements(row: Row, new: list[Measurement], frozen: Path, *, keep: bool) -> None:
    """Keep the accuracies measured for a row, so that hidden tests need not measure them again."""
    path = frozen / profile() / row.assignment / MEASUREMENTS
    there = read_measurements(path)
    if not keep:
        there = [entry for entry in there if entry.get("of") != row.name]
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps([*there, *({"of": row.name} | entry for entry in new)]), encoding="utf-8"
        )
