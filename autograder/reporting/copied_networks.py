"""Find the students of a class who handed in networks from one and the same training.

The weights alone cannot decide this. The notebooks give everybody the same starting network, recipe
and seed, so the same code gives the same weights, bit for bit, on all machines that round alike.
When six reference runs of the profile `quick` were repeated, five gave the same weights again, bit
for bit. Nearly identical weights are not unusual either. The table compares honest trainings of
these six (`qat_4bit`, `qat_2bit`, `pruned_std`, `one_shot`, `shared_3bit`, `shared_2bit`), over the
weights that training changes; the update is the difference between trained and starting weights:

==============================  ==================  ==================  ==================
what differs (pairs)            distance, relative  correlation of the  weights that are
                                to the update       updates             equal, bit for bit
==============================  ==================  ==================  ==================
nothing (6)                     0                   1                   all
threads, library, bfloat16,     0.02 % to 14 %      0.990 to 1.000      0 to 3 %
order of operations (51)
the seed (18)                   5 % to 100 %        0.50 to 0.999       0 to 0.5 %
==============================  ==================  ==================  ==================

A copy with a little noise lies within the second row, so no distance can tell it from an honest
training, and no distance is used here. The history can: the time of an epoch varies, so if the
measured seconds agree to the last digit in every epoch, they come from the same measurement, and so
from the same training, whatever was done to the weights afterwards. If the seconds differ, equal
weights or losses may come from one training, or from the same code on the same kind of machine, and
no file can tell which.

A student who makes up a whole history and adds noise to the weights is not found.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autograder import references
from autograder.reporting.linked import groups
from helpers.artifacts import ArtifactError, load_artifact
from helpers.pretrained import starting_weights
from helpers.profile import PROFILES

SAMPLED = 1024
"""How many weights of each network are compared, at the same places in networks of the same size.

For a class of 300, they take 1.2 MB per artifact; the networks themselves would take 330 MB. The
share of equal weights is estimated with a standard error of 2 %, or of 4 % if four of five weights
are pruned. That is enough to decide whether it is nearer to 3 % or to 100 %.
"""

FEWEST_WEIGHTS = 30
"""How many of the compared weights training must have changed, at least.

A network with fewer was not trained: it is the starting network, pruned or not, which is the same
for everybody.
"""

EQUAL_SHARE = 0.5
"""Share of equal weights above which two networks have the same origin.

It is far from the 3 % of honest trainings that round differently, and from the 100 % of those that
round alike.
"""

FEWEST_EPOCHS = 2
"""Fewest epochs of a history that is compared.

The coarsest clock, that of Windows, counts in steps of 100 ns, and the time of an epoch varies by
at least a tenth of a second: that makes 10^6 values. Among the 45,000 pairs of a class of 300, one
epoch agrees by chance in one class of 22, and two epochs in one class of 10^7.
"""

REFERENCE = ""
"""The name of the reference run, which is compared as if it came from a student."""


class Finding(Enum):
    """What networks have in common; the value is the sentence in the class report."""

    ONE_TRAINING = (
        "The same weights, bit for bit, and the same measured seconds in every epoch: one "
        "training, handed in more than once."
    )
    ONE_HISTORY = (
        "The same measured seconds in every epoch, but not the same weights: the history of one "
        "training, handed in more than once; the weights were changed, or are from elsewhere."
    )
    FROM_REFERENCE = (
        "The measured seconds are those of the course's own reference run, whose files are not "
        "given to students. (The sample class hands them in.)"
    )
    SAME_WEIGHTS = "The same weights, bit for bit, but no measured seconds in common."
    SAME_STEPS = (
        "More than half of the weights are the same, bit for bit, or all losses agree to the "
        "last digit, but there are no measured seconds in common."
    )

    @property
    def certain(self) -> bool:
        """Whether honest trainings cannot have this result."""
        return self not in (Finding.SAME_WEIGHTS, Finding.SAME_STEPS)


@dataclass(frozen=True)
class SharedNetworks:
    """Students whose networks have something in common.

    Attributes
    ----------
    students
        Their names, in alphabetical order.
    networks
        The artifacts, such as ``quick/qat_4bit``.
    finding
        What the networks have in common.
    """

    students: tuple[str, ...]
    networks: tuple[str, ...]
    finding: Finding


def shared_networks(
    assignment: str, names: Sequence[str], submitted: Path, students: Sequence[str]
) -> list[SharedNetworks]:
    """Compare the networks that the students of a class handed in.

    Artifacts are read one after another, and only a digest and a sample of each are kept. Networks
    that cannot be read are left out; they earn no points, and the feedback says why.

    Parameters
    ----------
    assignment
        The name of the assignment.
    names
        The names of the assignment's artifacts.
    submitted
        The folder with ``<student>/<assignment>/artifacts/<profile>/``.
    students
        The names of the students to compare.

    Returns
    -------
    list of SharedNetworks
        In the order of `Finding`. If a group of students has the same finding for several networks,
        they are combined into one entry.
    """
    networks: dict[tuple[Finding, tuple[str, ...]], list[str]] = defaultdict(list)
    for profile in PROFILES:
        for name in names:
            found = _handed_in(assignment, profile, name, submitted, students)
            for finding, group in [*_one_history(found), *_same_steps(found, profile)]:
                networks[finding, group].append(f"{profile}/{name}")
    order = list(Finding)
    entries = sorted(networks, key=lambda entry: (order.index(entry[0]), entry[1]))
    return [
        SharedNetworks(group, tuple(networks[finding, group]), finding)
        for finding, group in entries
    ]


# ------------------------------------------------------------------------------------------------
# Reading


@dataclass(frozen=True)
class _Network:
    """The data of an artifact that are kept for the comparison.

    Attributes
    ----------
    digest
        A digest of the names and values of all tensors.
    size, sample
        The number of weights in the convolutions and classifiers, and `SAMPLED` of these weights.
        The statistics of batch norm are not included, because anybody can measure them again.
    seconds, losses
        The values of all epochs; None if they may agree by chance.
    """

    digest: bytes
    size: int
    sample: NDArray[np.float32]
    seconds: tuple[float, ...] | None
    losses: tuple[float, ...] | None


def _handed_in(
    assignment: str, profile: str, name: str, submitted: Path, students: Sequence[str]
) -> dict[str, _Network]:
    """Read one artifact of every student and of the reference run."""
    folders = {REFERENCE: references.artifacts(profile, assignment)}
    for student in students:
        folder = submitted.resolve() / student / assignment / "artifacts" / profile
        if folder.resolve() == folder:  # the target of a link does not belong to the student
            folders[student] = folder
    read = {student: _read(folder, name) for student, folder in folders.items()}
    return {student: network for student, network in read.items() if network is not None}


def _read(folder: Path, name: str) -> _Network | None:
    try:
        artifact = load_artifact(folder, name)
    except ArtifactError:
        return None
    history = artifact.history
    enough = len(history) >= FEWEST_EPOCHS
    # Times in whole milliseconds were rounded or made up, and may agree by chance.
    measured = enough and all(round(second, 3) != second for second in history.seconds)
    return _Network(
        _digest(artifact.weights),
        *_sample(artifact.weights),
        seconds=tuple(history.seconds) if measured else None,
        losses=tuple(history.train_loss) if enough else None,
    )


def _digest(weights: Mapping[str, Tensor]) -> bytes:
    found = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        # Equal values of different types count as the same weights.
        found.update(name.encode() + tensor.float().numpy().tobytes())
    return found.digest()


def _sample(weights: Mapping[str, Tensor]) -> tuple[int, NDArray[np.float32]]:
    parts = [tensor.float().flatten() for _, tensor in sorted(weights.items()) if tensor.dim() >= 2]
    flat = torch.cat([torch.zeros(1), *parts])  # so that there is always a weight to draw
    places = torch.randint(len(flat), (SAMPLED,), generator=torch.Generator().manual_seed(0))
    return len(flat), flat[places].numpy()


# ------------------------------------------------------------------------------------------------
# Comparing


def _one_history(found: Mapping[str, _Network]) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """Yield the groups with the same measured seconds."""
    everybody = sorted(found)
    for group in groups(everybody, _equal([found[student].seconds for student in everybody])):
        if REFERENCE in group:
            yield Finding.FROM_REFERENCE, tuple(s for s in group if s != REFERENCE)
        elif len({found[student].digest for student in group}) == 1:
            yield Finding.ONE_TRAINING, group
        else:
            yield Finding.ONE_HISTORY, group


def _same_steps(
    found: Mapping[str, _Network], profile: str
) -> Iterator[tuple[Finding, tuple[str, ...]]]:
    """Yield the groups with the same weights or losses, but not the same seconds.

    The group with the reference run is left out: its result is what correct code gives on a machine
    of the same kind.
    """
    start = starting_weights(profile)
    start_size, start_sample = (0, np.float32(0)) if start is None else _sample(start)
    for size in {network.size for network in found.values()}:
        students = sorted(student for student, network in found.items() if network.size == size)
        samples = np.stack([found[student].sample for student in students])
        moved = samples != 0
        if size == start_size:
            moved &= samples != start_sample
        trained = moved.sum(axis=1) >= FEWEST_WEIGHTS
        students = [student for student, is_so in zip(students, trained, strict=True) if is_so]
        linked = (
            _equal([found[student].digest for student in students])
            | _equal([found[student].losses for student in students])
            | _equal_weights(samples[trained], moved[trained])
        )
        for group in groups(students, linked):
            seconds = {found[student].seconds for student in group}
            if REFERENCE in group or (len(seconds) == 1 and None not in seconds):
                continue
            one = len({found[student].digest for student in group}) == 1
            yield Finding.SAME_WEIGHTS if one else Finding.SAME_STEPS, group


def _equal(keys: Sequence[Hashable | None]) -> NDArray[np.bool_]:
    """Return which keys are equal; None is not equal to anything."""
    numbers: dict[Hashable, int] = {}
    codes = [
        -place if key is None else numbers.setdefault(key, len(numbers))
        for place, key in enumerate(keys, start=1)
    ]
    return np.equal.outer(codes, codes)


def _equal_weights(samples: NDArray[np.float32], moved: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which networks are equal in most of the weights that training changed in both."""
    linked = np.zeros((len(samples), len(samples)), dtype=bool)
    for row, sample in enumerate(samples):
        both = moved & moved[row]
        counts = both.sum(axis=1)
        equal = (both & (samples == sample)).sum(axis=1)
        linked[row] = (counts >= FEWEST_WEIGHTS) & (equal > EQUAL_SHARE * counts)
    return linked
