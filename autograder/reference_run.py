"""Run the experiments and freeze what they give: networks, figures, and how they came about.

Needs nothing of the instructor's packages, so that it runs on a bare machine with a GPU.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch

from autograder.errors import UserError
from autograder.experiments import Experiment, Sweep, experiments, sweeps
from autograder.experiments.starting import ASSIGNMENT as STARTING
from autograder.experiments.starting import start_digest
from autograder.reference_tasks import Task, do
from autograder.references import FROZEN
from helpers.artifacts import artifact_files
from helpers.device import default_device
from helpers.files import replacing
from helpers.measurements import MEASUREMENTS, Measurement, read_measurements
from helpers.profile import profile
from helpers.progress import bar

Row = Experiment | Sweep

CPU_SHARE = 0.1
"""Of the epochs of `full` that a CPU trains unless told otherwise: hours, not days."""
MOST_JOBS = 8


@dataclass(frozen=True)
class Plan:
    """How a reference run is done.

    Attributes
    ----------
    seeds : int
        Runs per experiment, with the seeds 0, 1, ... One alone has no spread, and gives no
        threshold.
    device : str
    share : float
        Of the epochs of `full` that are trained.
    jobs : int
        Tasks at a time, each in a process of its own: a small network leaves most of a GPU idle,
        and two cores do more with a network each than with one together.
    """

    seeds: int
    device: str
    share: float
    jobs: int


def plan(
    seeds: int | None = None,
    device: str | None = None,
    share: float | None = None,
    jobs: int | None = None,
) -> Plan:
    """Complete a plan by what suits the device and the profile.

    Parameters
    ----------
    seeds
        None: 5 in `quick`; in `full` 3, or 2 on a CPU.
    device
        None: a GPU if there is one.
    share
        None: all of the epochs, or `CPU_SHARE` of those of `full` on a CPU.
    jobs
        None: one per core, or for every second core beside a GPU; at most `MOST_JOBS`.

    Raises
    ------
    UserError
        If a number makes no sense.
    """
    device = device or str(default_device())
    on_cpu = torch.device(device).type == "cpu"
    full = profile() == "full"
    if seeds is None:
        seeds = (2 if on_cpu else 3) if full else 5
    if share is None:
        share = CPU_SHARE if full and on_cpu else 1.0
    if jobs is None:
        cores = os.cpu_count() or 1
        jobs = min(MOST_JOBS, cores if on_cpu else max(1, cores // 2))
    if seeds < 1 or jobs < 1:
        raise UserError("Numbers of seeds and of jobs begin with 1.")
    if not 0 < share <= 1:
        raise UserError("A share of the epochs is over 0 and at most 1: 0.1 trains a tenth.")
    return Plan(seeds, device, share, jobs)


def run(only: Sequence[str], how: Plan, work: Path, *, frozen: Path = FROZEN) -> list[Path]:
    """Run experiments and sweeps in the current profile; freeze networks and manifests.

    Every finished task is kept in `work`, and an interrupted one goes on from its last epoch: a
    second call with the same arguments does what is left.

    Parameters
    ----------
    only : sequence of str
        Names of experiments and sweeps, or of assignments for all of theirs; none stands for the
        course. A manifest keeps the others as they are.
    how : Plan
        A figure of a run of more epochs, or of as many with more seeds, stays as it is.
    work : Path
        Folder for the tasks' own files.
    frozen : Path
        Where the references lie.

    Returns
    -------
    list of Path
        The manifests, one per assignment.

    Raises
    ------
    UserError
        If there is no such experiment, sweep or assignment.
    """
    chosen = _chosen(only, how.share)
    # First what the others start from.
    starting = [row for row in chosen if row.assignment == STARTING]
    others = [row for row in chosen if row.assignment != STARTING]
    written = [path for rows in (starting, others) for path in _run(rows, how, work, frozen)]
    return list(dict.fromkeys(written))


def _chosen(only: Sequence[str], share: float) -> list[Row]:
    """Return the rows of these names and of the assignments of these names."""
    table: list[Row] = [*experiments(share), *sweeps()]
    known = [name for row in table for name in (row.assignment, row.name)]
    if unknown := [name for name in only if name not in known]:
        raise UserError(
            f"There is no experiment or assignment {unknown[0]!r}; known: "
            f"{', '.join(dict.fromkeys(known))}."
        )
    return [row for row in table if not only or row.name in only or row.assignment in only]


# ------------------------------------------------------------------------------------------------
# Tasks


def _run(rows: Sequence[Row], how: Plan, work: Path, frozen: Path) -> list[Path]:
    """Do what is left of the rows' tasks; freeze each row when its last task is done."""
    rows = [row for row in rows if not _frozen_is_better(row, how, frozen)]
    folders = {row.name: _folder(row, how, work) for row in rows}
    left = {
        row.name: [task for task in _tasks(row, how) if not task.is_done(folders[row.name])]
        for row in rows
    }
    by_name = {row.name: row for row in rows}
    written = [_freeze(row, how, folders[row.name], frozen) for row in rows if not left[row.name]]
    total = sum(len(_tasks(row, how)) for row in rows)
    waiting = [task for tasks in left.values() for task in tasks]
    with bar(total=total, initial=total - len(waiting), unit="task") as shown:
        for done in _done([(task, folders[task.name]) for task in waiting], how):
            left[done.name].remove(done)
            if not left[done.name]:
                written.append(_freeze(by_name[done.name], how, folders[done.name], frozen))
            shown.update()
            shown.set_postfix_str(done.label)
    return written


def _folder(row: Row, how: Plan, work: Path) -> Path:
    """Return the folder for a row's results: those of one share, from one starting network."""
    return work / profile() / f"{start(row) or 'start'}-{how.share:g}"


def start(row: Row) -> str | None:
    """Name the weights that a row starts from; None if it starts from random ones."""
    return None if row.assignment == STARTING else start_digest(profile(), row.weights)[:12]


def _tasks(row: Row, how: Plan) -> list[Task]:
    if isinstance(row, Sweep):
        return [Task("sweep", row.name)]
    trainings = [Task("train", row.name, seed) for seed in range(how.seeds)]
    return [*trainings, Task("untrained", row.name)]


def _done(tasks: Sequence[tuple[Task, Path]], how: Plan) -> Iterator[Task]:
    """Do tasks with their folders, `how.jobs` at a time; yield each when it is done."""
    if how.jobs == 1:
        for task, folder in tasks:
            yield do(task, folder, how.device, how.share)
        return
    # Not forked: a process that has used torch or CUDA must not be.
    with ProcessPoolExecutor(
        how.jobs, mp_context=get_context("spawn"), initializer=_begin_worker
    ) as pool:
        running = [pool.submit(do, task, folder, how.device, how.share) for task, folder in tasks]
        try:
            for future in as_completed(running):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin_worker() -> None:
    """Begin a process for tasks: it ends with its parent, and only the parent's bar is shown."""
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 # as long as the process lives


# ------------------------------------------------------------------------------------------------
# Freeze


def _manifest(assignment: str, frozen: Path) -> tuple[Path, dict[str, Any]]:
    path = frozen / profile() / f"{assignment}.json"
    if path.exists():
        return path, json.loads(path.read_text(encoding="utf-8"))
    return path, {"profile": profile(), "experiments": {}, "sweeps": {}}


def _frozen_is_better(row: Row, how: Plan, frozen: Path) -> bool:
    """Whether a run with a larger share of the epochs, or as large and more seeds, is there."""
    if isinstance(row, Sweep):
        return False
    found = _manifest(row.assignment, frozen)[1]["experiments"].get(row.name)
    if found is None or found["start"] != start(row):
        return False
    there = found["share"], len(found["seeds"])
    if there <= (row.share or how.share, how.seeds):
        return False
    print(f"{row.name} stays: it has {there[0]:g} of its epochs, with {there[1]} seeds.")
    return True


def _freeze(row: Row, how: Plan, folder: Path, frozen: Path) -> Path:
    """Write the figures of a row, all of whose tasks are done, and its network."""
    path, manifest = _manifest(row.assignment, frozen)
    results = [json.loads(task.result(folder).read_text()) for task in _tasks(row, how)]
    _freeze_measurements(row, [m for result in results for m in result.pop("measurements")], frozen)
    about = {"recipe": row.recipe, "start": start(row)}
    if isinstance(row, Sweep):
        manifest["sweeps"][row.name] = about | results[0]
    else:
        *trained, untrained = results
        manifest["experiments"][row.name] = about | _summary(row, how, trained, untrained)
        _freeze_network(row, folder, frozen)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return path


def _summary(
    row: Experiment, how: Plan, trained: Sequence[dict[str, Any]], untrained: dict[str, Any]
) -> dict[str, Any]:
    accuracies = [result["accuracy"] for result in trained]
    devices = [result["run_on"]["device"] for result in trained]
    return {
        "share": row.share or how.share,
        "seeds": list(range(how.seeds)),
        "untrained": untrained["accuracy"],
        "accuracies": accuracies,
        "mean": fmean(accuracies),
        "spread": stdev(accuracies) if len(accuracies) > 1 else None,
        "details": {
            name: fmean(result["details"][name] for result in trained)
            for name in trained[0]["details"]
        },
        "seconds": [round(result["training_seconds"], 1) for result in trained],
        "precision": " and ".join(dict.fromkeys(result["precision"] for result in trained)),
        "run_on": trained[0]["run_on"] | {"device": " and ".join(dict.fromkeys(devices))},
    }


def _freeze_network(row: Experiment, folder: Path, frozen: Path) -> None:
    """Keep the first seed's history, and its weights where somebody needs them."""
    first = Task("train", row.name, 0).label
    weights, history = (file.read_bytes() for file in artifact_files(folder, first))
    weights_file, history_file = artifact_files(frozen / profile() / row.assignment, row.name)
    for file, content in [
        (history_file, history),
        *([(weights_file, weights)] if row.keeps_weights else []),
        *([(row.ships_as, weights)] if row.ships_as else []),
    ]:
        with replacing(file) as temporary:
            temporary.write_bytes(content)


def _freeze_measurements(row: Row, new: list[Measurement], frozen: Path) -> None:
    """Keep what was measured for a row: hidden tests need not measure it again."""
    path = frozen / profile() / row.assignment / MEASUREMENTS
    kept = [entry for entry in read_measurements(path) if entry.get("of") != row.name]
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps([*kept, *({"of": row.name} | entry for entry in new)]), encoding="utf-8"
        )
