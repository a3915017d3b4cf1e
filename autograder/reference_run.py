"""Run the experiments and freeze what they give: networks, figures, and how they came about.

Needs nothing of the instructor's packages, so that it runs on a bare machine with a GPU.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import torch

from autograder.errors import UserError
from autograder.experiments import Experiment, experiments
from autograder.references import FROZEN
from helpers import data
from helpers.artifacts import artifact_files, load_artifact, save_artifact
from helpers.data import Dataset
from helpers.device import default_device
from helpers.files import replacing
from helpers.profile import profile
from helpers.training import evaluate


def run(
    only: Sequence[str],
    seeds: int,
    work: Path,
    *,
    device: torch.device | str | None = None,
    frozen: Path = FROZEN,
) -> list[Path]:
    """Run experiments in the current profile; freeze networks and manifests.

    Every finished run is kept in `work`, and an interrupted one goes on from its last epoch: a
    second call with the same arguments does what is left.

    Parameters
    ----------
    only : sequence of str
        Names of experiments, or of assignments for all of theirs; none stands for the course. A
        manifest keeps the other experiments as they are.
    seeds : int
        Runs per experiment, with the seeds 0, 1, ... At least two, or there is no spread.
    work : Path
        Folder for the runs' own files.
    device : torch.device or str, optional
        By default a GPU if there is one.
    frozen : Path
        Where the references lie.

    Returns
    -------
    list of Path
        The manifests, one per assignment.

    Raises
    ------
    UserError
        If `seeds` is less than two, or there is no such experiment or assignment.
    """
    chosen = _chosen(only)
    if seeds < 2:
        raise UserError("A reference needs the spread of at least two seeds: --seeds 2 or more.")
    dataset = data.load(device=device or default_device())
    written = []
    for experiment in chosen:
        path = frozen / profile() / f"{experiment.assignment}.json"
        found = json.loads(path.read_text())["experiments"] if path.exists() else {}
        found[experiment.name] = _run(experiment, dataset, seeds, work, frozen)
        with replacing(path) as temporary:
            manifest = {"profile": profile(), "experiments": found}
            temporary.write_text(json.dumps(manifest, indent=1) + "\n")
        written.append(path)
    return list(dict.fromkeys(written))


def _chosen(only: Sequence[str]) -> list[Experiment]:
    """Return the experiments of these names and of the assignments of these names."""
    table = experiments()
    known = [name for e in table for name in (e.assignment, e.name)]
    if unknown := [name for name in only if name not in known]:
        raise UserError(
            f"There is no experiment or assignment {unknown[0]!r}; known: "
            f"{', '.join(dict.fromkeys(known))}."
        )
    return [e for e in table if not only or e.name in only or e.assignment in only]


def _run(
    experiment: Experiment, dataset: Dataset, seeds: int, work: Path, frozen: Path
) -> dict[str, Any]:
    """Train one experiment with every seed; return its figures, and freeze the first network."""
    folder = work / profile()
    accuracies, seconds = [], []
    for seed in range(seeds):
        name = f"{experiment.name}_seed{seed}"
        weights_file, _ = artifact_files(folder, name)
        if not weights_file.exists():
            print(f"{experiment.name}, seed {seed}: {experiment.recipe}")
            checkpoint = folder / f"{name}.checkpoint"
            model, history = experiment.train(dataset, seed, checkpoint)
            save_artifact(folder, name, model, history)
            checkpoint.unlink(missing_ok=True)
        history = load_artifact(folder, name).history
        accuracies.append(history.test_accuracy[-1])
        seconds.append(sum(history.seconds))
    first = [f.read_bytes() for f in artifact_files(folder, f"{experiment.name}_seed0")]
    files = artifact_files(frozen / profile() / experiment.assignment, experiment.name)
    for file, content in zip(files, first, strict=True):
        with replacing(file) as temporary:
            temporary.write_bytes(content)
    return {
        "recipe": experiment.recipe,
        "published": experiment.published if profile() == "full" else None,
        "seeds": list(range(seeds)),
        "untrained": evaluate(experiment.untrained(dataset), dataset),
        "accuracies": accuracies,
        "mean": fmean(accuracies),
        "spread": stdev(accuracies),
        "seconds": [round(s, 1) for s in seconds],
        **_circumstances(dataset),
    }


def _circumstances(dataset: Dataset) -> dict[str, Any]:
    """Describe what an experiment was run on: a manifest may hold runs of several machines."""
    cuda = dataset.device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name() if cuda else f"CPU ({platform.machine()})",
        "threads": None if cuda else torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "data": dataset.name,
        "data_sha256": digest(dataset),
        "test_images": len(dataset.test.labels),
    }


def digest(dataset: Dataset) -> str:
    """Return the SHA-256 over the images and labels of both splits."""
    found = hashlib.sha256()
    for split in (dataset.train, dataset.test):
        for tensor in (split.images, split.labels):
            found.update(tensor.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
