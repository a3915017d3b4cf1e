"""Run the experiments and freeze their results: networks, figures, and their circumstances.

This module needs none of the instructor's packages, so it runs on a bare machine with a GPU.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from autograder.errors import UserError
from autograder.references import FROZEN, artifacts
from autograder.runs.freezing import Row, Run, freeze, frozen_row, frozen_run, start
from autograder.runs.moved import moved
from autograder.runs.remaining import tasks_bar
from autograder.runs.side_by_side import done
from autograder.runs.starting import ASSIGNMENT as STARTING
from autograder.runs.table import Experiment, Sweep, experiments, sweeps
from autograder.runs.tasks import CONTROLS, Task
from autograder.runs.training import recipe, trained_share
from helpers.artifacts import artifact_files
from helpers.device import default_device
from helpers.profile import profile

CPU_SHARE = 0.1
"""The share of the epochs of `full` that a CPU trains by default: hours of work instead of days."""
MOST_JOBS = 8
"""With eight trainings of a ResNet-20 at a time, a GPU is fully used (measured on an H100)."""


@dataclass(frozen=True)
class Plan:
    """How a reference run is done.

    Attributes
    ----------
    seeds
        Number of runs per experiment, with the seeds 0, 1, ... A single run has no spread and gives
        no bar.
    device
        The device to train on, such as ``"cuda"``.
    share
        The share of the epochs of `full` that is trained, above 0 and at most 1.
    jobs
        Number of tasks at a time. A small network leaves most of a GPU idle, and two cores do more
        work with a network each than with one network together.
    missing
        Whether to keep all frozen results and run only what is missing: rows that have not been
        run or had fewer epochs, and further seeds of rows that had fewer seeds.
    update
        Whether to run rows anew that are frozen already, and to replace their results. Without it,
        and without `missing`, they stay as they are.
    deadline
        The time at which the run stops, in seconds as `time.time` counts them. None: it stops when
        everything is done.
    """

    seeds: int
    device: str
    share: float
    jobs: int
    missing: bool = False
    update: bool = False
    deadline: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.time() >= self.deadline


def plan(
    seeds: int | None = None,
    device: str | None = None,
    share: float | None = None,
    jobs: int | None = None,
    *,
    missing: bool = False,
    update: bool = False,
    minutes: float | None = None,
) -> Plan:
    """Return a plan with values that suit the device and the profile where none are given.

    Parameters
    ----------
    seeds
        Number of runs per experiment. By default 5 in `quick`; in `full` 3, or 2 on a CPU.
    device
        The device to train on. By default a GPU if there is one.
    share
        The share of the epochs of `full` that is trained. By default all of them, or `CPU_SHARE`
        of them on a CPU.
    jobs
        Number of tasks at a time. By default `MOST_JOBS` on a GPU, and on a CPU one per core but at
        most `MOST_JOBS`.
    missing, update
        As in `Plan`.
    minutes
        Time from now to the plan's deadline. By default there is no deadline.

    Raises
    ------
    UserError
        If a number is outside its range, or the device has no name that torch knows.
    """
    device = device or str(default_device())
    on_cpu = _device(device).type == "cpu"
    full = profile() == "full"
    if seeds is None:
        seeds = (2 if on_cpu else 3) if full else 5
    if share is None:
        share = CPU_SHARE if full and on_cpu else 1.0
    if jobs is None:
        jobs = min(MOST_JOBS, os.cpu_count() or 1) if on_cpu else MOST_JOBS
    if seeds < 1 or jobs < 1:
        raise UserError("A run needs at least one seed and one job.")
    if not 0 < share <= 1:
        raise UserError("The share of the epochs must be above 0 and at most 1: 0.1 is a tenth.")
    if minutes is not None and minutes <= 0:
        raise UserError("--minutes must be more than 0.")
    deadline = None if minutes is None else time.time() + 60 * minutes
    return Plan(seeds, device, share, jobs, missing, update, deadline)


def _device(name: str) -> torch.device:
    """Return the device of a name that torch knows; it need not be there."""
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise UserError(f"There is no device {name!r}: {_first_line(error)}") from error


def require_device(name: str) -> None:
    """Make sure that a device can be used here.

    Raises
    ------
    UserError
        If it cannot.
    """
    try:
        torch.zeros(1, device=_device(name))
    except (RuntimeError, AssertionError) as error:  # torch raises either, with and without CUDA
        raise UserError(f"The device {name!r} cannot be used here: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def run(only: Sequence[str], how: Plan, work: Path, *, frozen: Path = FROZEN) -> list[Path]:
    """Run experiments and sweeps in the current profile; freeze networks and manifests.

    The results of finished tasks are kept in `work`, and an interrupted training goes on from its
    last epoch: a second call with the same arguments does what is left. Where a frozen result is
    replaced, the run prints what moved.

    Parameters
    ----------
    only
        Names of experiments and sweeps, or of assignments, for all of their rows. If empty, the
        whole course is run. The other rows of a manifest do not change.
    how
        The plan of the run. A frozen result from more epochs, or from as many epochs and more
        seeds, does not change.
    work
        The folder for the files of the tasks.
    frozen
        The folder of the references.

    Returns
    -------
    list of Path
        The manifests that were written, one per assignment.

    Raises
    ------
    UserError
        If there is no such experiment, sweep or assignment, or the device cannot be used.
    """
    asked = chosen_rows(only)
    replaces = how.missing or how.update
    chosen = [row for row in asked if replaces or frozen_row(row, frozen) is None]
    require_device(how.device)
    starting = [row for row in chosen if row.assignment == STARTING]
    others = [row for row in chosen if row.assignment != STARTING]
    if how.missing and all(frozen_run(row, frozen) for row in starting):
        # The starting networks exist already, so the networks that students hand in come first.
        wanted = [row for row in others if isinstance(row, Sweep) or row.keeps_weights]
        rounds = [[*wanted, *(row for row in others if row not in wanted), *starting]]
    else:
        rounds = [starting, others]
    written: list[Path] = []
    for rows in rounds:
        if not how.is_over:
            written += _run(rows, how, work, frozen)
    if staying := [row.name for row in asked if row not in chosen]:
        count = f"{len(staying)} of {len(asked)} rows are frozen already and stay as they are"
        one = f"{staying[0]} is frozen already and stays as it is"
        print(
            f"{count if len(staying) > 1 else one}: --update runs anew and replaces what is "
            "frozen, --missing adds the epochs and seeds that it lacks, and `reference reproduce` "
            "compares a new run with it."
        )
    if how.is_over:
        print("The time is over. The same command continues with what is left.")
    return list(dict.fromkeys(written))


def chosen_rows(only: Sequence[str]) -> list[Row]:
    """Return the rows with these names, and those of assignments with these names."""
    table: list[Row] = [*experiments(), *sweeps()]
    known = [name for row in table for name in (row.assignment, row.name)]
    if unknown := [name for name in only if name not in known]:
        raise UserError(
            f"There is no experiment or assignment {unknown[0]!r}; known: "
            f"{', '.join(dict.fromkeys(known))}."
        )
    return [row for row in table if not only or row.name in only or row.assignment in only]


# ------------------------------------------------------------------------------------------------
# The work to be done


@dataclass(frozen=True)
class _Job:
    """The tasks of a row, the folder for their results, and the frozen run that they extend."""

    row: Row
    tasks: list[Task]
    folder: Path
    earlier: Run | None


def _run(rows: Sequence[Row], how: Plan, work: Path, frozen: Path) -> list[Path]:
    """Do the remaining tasks of the rows; freeze each row when its last task is done."""
    found = [_job(row, how, work, frozen) for row in rows]
    jobs = {job.row.name: job for job in found if job is not None}
    if not jobs:
        return []
    left = {
        name: [task for task in job.tasks if not task.is_done(job.folder)]
        for name, job in jobs.items()
    }

    def frozen_now(name: str) -> Path:
        job = jobs[name]
        before = frozen_row(job.row, frozen)
        path = freeze(job.row, how.share, job.tasks, job.folder, frozen, earlier=job.earlier)
        if before is not None:
            after = frozen_row(job.row, frozen)
            assert after is not None  # it has just been frozen
            shown.write(moved(name, before, after))
        return path

    waiting = [(task, jobs[name].folder) for name, tasks in left.items() for task in tasks]
    everything = [task for job in jobs.values() for task in job.tasks]
    with tasks_bar(everything, [task for task, _ in waiting], how.share) as shown:
        written = [frozen_now(name) for name, tasks in left.items() if not tasks]
        for task in done(waiting, how.device, how.share, how.jobs, how.deadline):
            left[task.name].remove(task)
            if not left[task.name]:
                written.append(frozen_now(task.name))
            shown.finished(task)
    return written


def _job(row: Row, how: Plan, work: Path, frozen: Path) -> _Job | None:
    """Return the work to be done for a row; None if its frozen result is to stay."""
    there = frozen_run(row, frozen)
    folder = work / profile() / f"{start(row) or 'start'}-{how.share:g}"
    if isinstance(row, Sweep):
        if there is not None and how.missing:
            return None
        return _Job(row, [Task("sweep", row.name)], folder, None)
    seeds, earlier = range(how.seeds), None
    if there is not None:
        trained = (there["share"], len(there["seeds"]))
        asked = (trained_share(row, how.share), how.seeds)
        same = trained[0] == asked[0] and there["recipe"] == recipe(row, how.share)
        if how.missing and (same or trained >= asked):
            seeds, earlier = range(trained[1], how.seeds), there
        elif trained > asked:
            print(
                f"{row.name} stays as it is: it was trained for {trained[0]:g} of its epochs with "
                f"{trained[1]} seeds."
            )
            return None
    tasks = [Task("train", row.name, seed) for seed in seeds]
    if earlier is None:
        tasks.append(Task("untrained", row.name))
    tasks += _controls(row, earlier or {})
    return _Job(row, tasks, folder, earlier) if tasks else None


def _controls(row: Experiment, earlier: Run) -> list[Task]:
    """Return what is still to be measured of the controls, for networks that students submit."""
    if row.assignment == STARTING or not row.keeps_weights or not row.has_controls:
        return []
    there = earlier.get("controls", {})
    tasks = [Task(kind, row.name) for kind in CONTROLS if kind not in there]
    weights, _ = artifact_files(artifacts(profile(), row.assignment), row.name)
    if earlier and "losses" not in earlier and weights.exists():
        tasks.append(Task("kept", row.name))
    return tasks
