"""What our own runs gave, frozen: ``<profile>/<assignment>.json`` and, beside it, the networks.

A manifest tells how each figure came about (device, versions, data, seeds, wall time); the folder
of the assignment's name holds the artifacts of the first seed, in the form that students submit.
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
"""How often a student who trains as the reference did is to pass."""


class NoReferenceRun(UserError):
    """There is no reference run of that name; the message says how to make one."""


@cache
def runs(profile: str) -> dict[str, dict[str, Any]]:
    """Return what is known of every experiment that was run in a profile, by its name.

    Beside the figures these are the circumstances: device, versions, data, date, seconds.
    """
    return {
        name: run for found in _manifests(profile) for name, run in found["experiments"].items()
    }


@cache
def sweeps(profile: str) -> dict[str, dict[str, Any]]:
    """Return what was measured without training in a profile, by the name of the sweep."""
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
    """Return the test accuracy that a submitted network must reach.

    Parameters
    ----------
    profile : {"quick", "full"}
    name : str
        Of the artifact; names are unique in the course.

    Raises
    ------
    NoReferenceRun
        If no reference run trained a network of that name.
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
    r"""Return the accuracy that a submitted network must reach.

    It is the lower end of a one-sided prediction interval for one more run of the same recipe: a
    student who trains as the reference did reaches it in 99 of 100 cases. After :math:`n` runs of
    mean :math:`m` and sample standard deviation :math:`s`,

    .. math:: m - t_{0.99,\, n-1} \; s \, \sqrt{1 + 1/n}.

    Chance agreement of a few seeds must not make the bar absurdly sharp, so :math:`s` is taken to
    be at least one standard error of an accuracy :math:`m` measured on `images` images: that much
    the choice of test images alone makes.

    That floor is generous where rounding cost little. So that a network that was never trained
    does not pass, at least half of the way from `untrained` to :math:`m` is asked for.

    Parameters
    ----------
    accuracies : sequence of float
        Test accuracies of at least two runs with different seeds, from 0 to 1.
    untrained : float
        Test accuracy without any training.
    images : int
        Number of test images.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two runs.
    """
    if len(accuracies) < 2:
        raise ValueError(
            f"a threshold needs the spread of at least two runs, not {len(accuracies)}"
        )
    return bar(
        fmean(accuracies),
        stdev(accuracies),
        len(accuracies),
        untrained=untrained,
        images=images,
    )


def bar(mean: float, spread: float, seeds: int, *, untrained: float, images: int) -> float:
    """Return what `threshold_of` returns for runs of this mean and spread.

    Parameters
    ----------
    mean, spread : float
        Mean and sample standard deviation of the runs' test accuracies.
    seeds : int
        Number of runs, at least two.
    untrained : float
        Test accuracy without any training.
    images : int
        Number of test images.

    Returns
    -------
    float
    """
    spread = max(spread, sqrt(max(mean * (1 - mean), 1 / images) / images))
    predicted = mean - spreads_below_mean(seeds) * spread
    return max(predicted, (untrained + mean) / 2)


def spreads_below_mean(seeds: int) -> float:
    """Return how many spreads below the mean of so many runs the next one may lie."""
    return float(t.ppf(PASS_RATE, seeds - 1)) * sqrt(1 + 1 / seeds)
