"""Run the experiments and freeze what they give: networks, figures, and how they came about.

Needs nothing of the instructor's packages, so that it runs on a bare machine with a GPU.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from autograder.errors import UserError
from autograder.references import FROZEN
from autograder.runs.freezing import Row, Run, freeze, frozen_run, start
from autograder.runs.side_by_side import done
from autograder.runs.starting import ASSIGNMENT as STARTING
from autograder.runs.table import Experiment, Sweep, experiments, sweeps
from autograder.runs.tasks import CONTROLS, Task
from autograder.runs.training import recipe, trained_share
from helpers.device import default_device
from helpers.profile import profile
from helpers.progress import bar

CPU_SHARE = 0.1
"""Of the epochs of `full` that a CPU trains unless told otherwise: hours, not days."""
MOST_JOBS = 8
"""A GPU does no more with further trainings beside eight of a ResNet-20 (measured on an H100)."""


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
        Tasks at a time: a small network leaves most of a GPU idle, and two cores do more with a
        network each than with one together.
    missing : bool
        Whether what is frozen stays, and only what it lacks is run: rows that are not there or had
        fewer epochs, and further seeds of those that had fewer seeds.
    deadline : float or None
        In seconds, as `time.time` counts them, when the run stops; None: when all is done.
    """

    seeds: int
    device: str
    share: float
    jobs: int
    missing: bool = False
    deadline: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        return self.deadline is not None and time.time() >= self.deadline


def plan(
    seeds: int | None = None,
    device: str | None = None,
    share: float | None = None,
    jobs: int | None = None,
    *,
    missing: bool = False,
    minutes: float | None = None,
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
        None: one per core, at most `MOST_JOBS`; on a GPU `MOST_JOBS`.
    missing
        As in `Plan`.
    minutes
        From now to the plan's deadline. None: no deadline.

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
        jobs = min(MOST_JOBS, os.cpu_count() or 1) if on_cpu else MOST_JOBS
    if seeds < 1 or jobs < 1:
        raise UserError("A run needs at least one seed and one job.")
    if not 0 < share <= 1:
        raise UserError("A share of the epochs is over 0 and at most 1: 0.1 trains a tenth.")
    if minutes is not None and minutes <= 0:
        raise UserError("--minutes must be more than 0.")
    deadline = None if minutes is None else time.time() + 60 * minutes
    return Plan(seeds, device, share, jobs, missing, deadline)


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
    chosen = _chosen(only)
    starting = [row for row in chosen if row.assignment == STARTING]
    others = [row for row in chosen if row.assignment != STARTING]
    if how.missing and all(frozen_run(row, frozen) for row in starting):
        # Those are there that the others start from: what students hand in is wanted most.
        wanted = [row for row in others if isinstance(row, Sweep) or row.keeps_weights]
        rounds = [[*wanted, *(row for row in others if row not in wanted), *starting]]
    else:
        rounds = [starting, others]
    written: list[Path] = []
    for rows in rounds:
        if not how.is_over:
            written += _run(rows, how, work, frozen)
    if how.is_over:
        print("The time is over. The same command goes on with what is left.")
    return list(dict.fromkeys(written))


def _chosen(only: Sequence[str]) -> list[Row]:
    """Return the rows of these names and of the assignments of these names."""
    table: list[Row] = [*experiments(), *sweeps()]
    known = [name for row in table for name in (row.assignment, row.name)]
    if unknown := [name for name in only if name not in known]:
        raise UserError(
            f"There is no experiment or assignment {unknown[0]!r}; known: "
            f"{', '.join(dict.fromkeys(known))}."
        )
    return [row for row in table if not only or row.name in only or row.assignment in only]


# ------------------------------------------------------------------------------------------------
# What is to be done


@dataclass(frozen=True)
class _Job:
    """The tasks of a row, the folder for their results, and the frozen run that they add to."""

    row: Row
    tasks: list[Task]
    folder: Path
    earlier: Run | None


def _run(rows: Sequence[Row], how: Plan, work: Path, frozen: Path) -> list[Path]:
    """Do what is left of the rows' tasks; freeze each row when its last task is done."""
    found = [_job(row, how, work, frozen) for row in rows]
    jobs = {job.row.name: job for job in found if job is not None}
    left = {
        name: [task for task in job.tasks if not task.is_done(job.folder)]
        for name, job in jobs.items()
    }

    def frozen_now(name: str) -> Path:
        job = jobs[name]
        return freeze(job.row, how.share, job.tasks, job.folder, frozen, earlier=job.earlier)

    written = [frozen_now(name) for name, tasks in left.items() if not tasks]
    waiting = [(task, jobs[name].folder) for name, tasks in left.items() for task in tasks]
    total = sum(len(job.tasks) for job in jobs.values())
    with bar(total=total, initial=total - len(waiting), unit="task") as shown:
        for task in done(waiting, how.device, how.share, how.jobs, how.deadline):
            left[task.name].remove(task)
            if not left[task.name]:
                written.append(frozen_now(task.name))
            shown.update()
            shown.set_postfix_str(task.label)
    return written


def _job(row: Row, how: Plan, work: Path, frozen: Path) -> _Job | None:
    """Return what is to be done for a row; None if what is frozen is to stay."""
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
                f"{row.name} stays: it has {trained[0]:g} of its epochs, with {trained[1]} seeds."
            )
            return None
    tasks = [Task("train", row.name, seed) for seed in seeds]
    if earlier is None:
        tasks.append(Task("untrained", row.name))
    tasks += _controls(row, earlier or {})
    return _Job(row, tasks, folder, earlier) if tasks else None


def _controls(row: Experiment, earlier: Run) -> list[Task]:
    """Return what is still to be measured of the controls, for networks that students submit."""
    if row.assignment == STARTING or not row.keeps_weights:
        return []
    there = earlier.get("controls", {})
    tasks = [Task(kind, row.name) for kind in CONTROLS if kind not in there]
    if earlier and "losses" not in earlier:
        tasks.append(Task("kept", row.name))
    return tasks
