"""Do jobs on a Dask cluster.

Each of the grader's own workers prepares submissions, waits here while a job is done somewhere
else, and then writes grades and pages as always: the gradebook never leaves this machine. Dask
sends a job whose machine is lost to another one.

Dask runs the function of this module in a thread, where the limits on the grader's own work do not
apply (they need signals). So a worker of the cluster starts the same processes as a grader does
that works alone: see `autograder.grading.workers`.
"""

from __future__ import annotations

import atexit
import io
import json
import threading
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import torch
from nbformat import NotebookNode

from autograder.errors import UserError
from autograder.grading.digests import kit_digest
from autograder.grading.job import Job, do_job
from autograder.grading.limited import GRADER_SECONDS
from autograder.grading.nursery import nursery
from autograder.grading.own_places import private_places
from autograder.grading.workers import WorkerLost, in_workers
from autograder.sandbox import bubblewrap, template
from autograder.sandbox.account import make_readable
from autograder.sandbox.shown import programs, require_hidden
from autograder.sandbox.template import Template
from autograder.temporary import temporary_folder

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 30

_lock = threading.Lock()
_kept = ExitStack()
atexit.register(_kept.close)


def cluster_size(address: str) -> int:
    """Return how many jobs a cluster can do at a time.

    Parameters
    ----------
    address
        The address of its scheduler, such as ``"tcp://10.0.0.1:8786"``.

    Raises
    ------
    UserError
        If Dask is not installed, or no scheduler answers there.
    """
    with _connected(address) as client:
        return sum(client.nthreads().values())


def on_cluster(address: str, job: Job, files: Path, modules: Sequence[str]) -> NotebookNode:
    """Do a job on a cluster, as `autograder.grading.job.do_job` does it here.

    Parameters
    ----------
    address
        The address of the scheduler.
    job, files
        As for `do_job`.
    modules
        What the template of the kernels imports; see `autograder.sandbox.template.started`.

    Raises
    ------
    UserError
        If no scheduler answers, if the worker of the cluster has another version of the course kit,
        or if it cannot do the job.
    """
    client = _client(address)
    future = client.submit(
        _on_worker, job, _packed(files), tuple(modules), kit_digest(), pure=False
    )
    return nbformat.from_dict(json.loads(future.result()))


def _connected(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise UserError(
            "Grading on a cluster needs Dask, here and on the cluster: pip install distributed."
        ) from None
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        raise UserError(
            f"No Dask scheduler answers at {address!r}: start one with `dask scheduler`, and give "
            "the address that it prints."
        ) from error


@cache
def _client(address: str) -> Client:
    return _connected(address)


def _packed(files: Path) -> bytes:
    packed = io.BytesIO()
    # Not compressed, as networks hardly get smaller.
    with zipfile.ZipFile(packed, "w", strict_timestamps=False) as archive:
        for path in sorted(files.rglob("*")):
            archive.write(path, path.relative_to(files))
    return packed.getvalue()


# ------------------------------------------------------------------------------------------------
# On a worker of the cluster


def _on_worker(job: Job, packed: bytes, modules: tuple[str, ...], kit: str) -> str:
    """Do a job; return the graded notebook as JSON."""
    if kit != kit_digest():
        raise UserError(
            "A worker of the cluster has another version of the course kit than this machine: "
            "install the same on both, and start the worker again."
        )
    if job.sandbox:
        bubblewrap.require()
        require_hidden(private_places(), programs())
    with temporary_folder("cluster-") as folder:
        files = folder / "files"
        files.mkdir()
        zipfile.ZipFile(io.BytesIO(packed)).extractall(files)
        make_readable(files)
        with _lock:
            nursery()
            forker = _template(modules, job.threads) if job.sandbox else None
            measured = _measured()
        work = partial(_do, job, files, None if forker is None else forker.descriptor, measured)
        seconds = job.limits.total_seconds + GRADER_SECONDS
        inherited = [] if forker is None else [forker.descriptor]
        [(_, result)] = in_workers(
            work, [job.assignment], workers=1, seconds=seconds, inherited=inherited
        )
    if isinstance(result, WorkerLost):
        raise UserError(f"the grader failed in this submission: {result}")
    if isinstance(result, UserError):
        raise result
    return result


def _do(
    job: Job, files: Path, descriptor: int | None, measured: Path, name: str
) -> str | UserError:
    """Do a job in a process of its own; return the graded notebook as JSON, or what went wrong."""
    torch.set_num_threads(1)
    forker = None if descriptor is None else Template.inherited(descriptor)
    try:
        return json.dumps(do_job(job, files, template=forker, measured=measured))
    except UserError as error:
        return error
    except Exception as error:
        return UserError(f"{type(error).__name__}: {error}")


@cache
def _template(modules: tuple[str, ...], threads: int) -> Template:
    return _kept.enter_context(template.started(modules, threads))


@cache
def _measured() -> Path:
    return _kept.enter_context(temporary_folder("measured-"))
