"""The frozen results of the reference runs.

The manifest ``<profile>/<assignment>.json`` holds the figures of an assignment and their
circumstances (device, versions, data, seeds, wall time). The folder ``<profile>/<assignment>``
holds the artifacts of the first seed, in the form that students submit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from scipy.stats import t

from autograder.errors import UserError
from helpers.measurements import MEASUREMENTS, Measurement, read_measurements

FROZEN = Path(__file__).parent
PASS_RATE = 0.99
"""The share of students who should pass if they train as the reference run did."""


class NoReferenceRun(UserError):
    """There is no reference run that gives a bar; the message says how to make one."""


@cache
def runs(profile: str) -> dict[str, dict[str, Any]]:
    """Return the results of all experiments that were run in a profile, by their names.

    Besides the figures, these are the circumstances: device, versions, data, date and seconds.
    """
    return {
        name: run for found in _manifests(profile) for name, run in found["experiments"].items()
    }


@cache
def sweeps(profile: str) -> dict[str, dict[str, Any]]:
    """Return the results of all sweeps in a profile, by their names."""
    return {name: sweep for found in _manifests(profile) for name, sweep in found["sweeps"].items()}


def _manifests(profile: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((FROZEN / profile).glob("*.json"))]


def artifacts(profile: str, assignment: str) -> Path:
    """Return the folder with the trained networks of an assignment's reference run."""
    return FROZEN / profile / assignment


@cache
def measurements(profile: str) -> tuple[Measurement, ...]:
    """Return the accuracies that the reference runs measured in a profile."""
    files = sorted((FROZEN / profile).glob(f"*/{MEASUREMENTS}"))
    return tuple(entry for file in files for entry in read_measurements(file))


def threshold(profile: str, name: str) -> float:
    """Return the bar of an artifact: the test accuracy that a submitted network must reach.

    Parameters
    ----------
    profile
        ``"quick"`` or ``"full"``.
    name
        Name of the artifact, unique in the course.

    Raises
    ------
    NoReferenceRun
        If no reference run has trained a network of that name with two seeds or more.
    """
    found = runs(profile).get(name)
    if found is None or len(found["accuracies"]) < 2:
        raise NoReferenceRun(
            f"There is no {profile} reference run of {name!r} with two seeds or more: make one "
            f"with `autograder reference run --profile {profile} --only {name}`."
        )
    return threshold_of(
        found["accuracies"], untrained=found["untrained"], images=found["run_on"]["test_images"]
    )


def threshold_of(accuracies: Sequence[float], *, untrained: float, images: int) -> float:
    r"""Return the bar: the accuracy that a submitted network must reach.

    It is the lower end of a one-sided prediction interval for one more run of the same recipe: a
    student who trains as the reference run did reaches it in 99 of 100 cases. After :math:`n` runs
    with mean :math:`m` and sample standard deviation :math:`s`, it is

    .. math:: m - t_{0.99,\, n-1} \; s \, \sqrt{1 + 1/n}.

    A few seeds may agree by chance, which must not put the bar absurdly close to the mean. So
    :math:`s` is taken to be at least one standard error of an accuracy :math:`m` measured on
    `images` images: the choice of the test images alone causes a spread of this size.

    If rounding or pruning costs little accuracy, a network that was never trained might reach this
    value. So the bar is at least halfway from `untrained` to :math:`m`.

    Parameters
    ----------
    accuracies
        Test accuracies of at least two runs with different seeds, from 0 to 1.
    untrained
        Test accuracy without any training.
    images
        Number of test images.

    Raises
    ------
    ValueError
        If there are fewer than two runs.
    """
    if len(accuracies) < 2:
        raise ValueError(
            f"the bar depends on the spread of at least two runs, not {len(accuracies)}"
        )
    return bar(
        fmean(accuracies),
        stdev(accuracies),
        len(accuracies),
        untrained=untrained,
        images=images,
    )


def bar(mean: float, spread: float, seeds: int, *, untrained: float, images: int) -> float:
    """Return what `threshold_of` returns for runs with this mean and spread.

    Parameters
    ----------
    mean, spread
        Mean and sample standard deviation of the test accuracies.
    seeds
        Number of runs, at least two.
    untrained
        Test accuracy without any training.
    images
        Number of test images.
    """
    spread = max(spread, sqrt(max(mean * (1 - mean), 1 / images) / images))
    predicted = mean - spreads_below_mean(seeds) * spread
    return max(predicted, (untrained + mean) / 2)


def spreads_below_mean(seeds: int) -> float:
    """Return how many spreads the next run may lie below the mean of this many runs."""
    return float(t.ppf(PASS_RATE, seeds - 1)) * sqrt(1 + 1 / seeds)
