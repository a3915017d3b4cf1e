"""The frozen results of the reference runs.

The manifest ``<profile>/<assignment>.json`` holds the figures of an assignment and their
circumstances (device, versions, data, seeds, wall time). The folder ``<profile>/<assignment>``
holds the artifacts of the first seed, in the form that students submit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log, sqrt
from pathlib import Path
from statistics import fmean, stdev, variance
from typing import Any

from scipy.stats import t

from autograder.errors import UserError
from helpers.measurements import MEASUREMENTS, Measurement, read_measurements

FROZEN = Path(__file__).parent
PASS_RATE = 0.99
"""The share of students who should pass if they train as the reference run did."""
LEAST_LOSS = 1e-7
"""In nats. Smaller losses are those of rounding in float32, and their logarithms mean nothing."""

Run = dict[str, Any]
"""What a manifest says of one experiment."""


class NoReferenceRun(UserError):
    """There is no reference run that gives a bar; the message says how to make one."""


@cache
def runs(profile: str) -> dict[str, Run]:
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


@dataclass(frozen=True)
class Spread:
    """A standard deviation, and how well it is known.

    Attributes
    ----------
    deviation
        Of single values around the mean of their experiment.
    freedom
        The number of independent differences that it was computed from.
    """

    deviation: float
    freedom: int

    def margin(self, runs: int, least: float = 0.0) -> float:
        r"""Return how far on one side of the mean of `runs` one more run may lie.

        In 99 of 100 cases it is within :math:`t_{0.99,\, f} \; s \, \sqrt{1 + 1/n}` of the mean of
        :math:`n` runs, where :math:`s` is the deviation, or `least` if that is larger, and
        :math:`f` its degrees of freedom.
        """
        return self.quantile(PASS_RATE) * max(self.deviation, least) * sqrt(1 + 1 / runs)

    def quantile(self, rate: float) -> float:
        """Return Student's t for a rate on one side, with these degrees of freedom."""
        return float(t.ppf(rate, self.freedom))


def pooled(groups: Iterable[Sequence[float]]) -> Spread | None:
    """Return the spread within groups; None if no group has two values.

    The seeds of one experiment tell little about its spread, but those of similar experiments
    together tell what is usual (the pooled variance of an analysis of variance).
    """
    several = [group for group in groups if len(group) > 1]
    freedom = sum(len(group) - 1 for group in several)
    if not freedom:
        return None
    squares = sum((len(group) - 1) * variance(group) for group in several)
    return Spread(sqrt(squares / freedom), freedom)


def bar(profile: str, name: str) -> float:
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
    least = None if found is None else bar_of(found, runs(profile).values())
    if least is None:
        raise no_run(profile, name)
    return least


def no_run(profile: str, name: str) -> NoReferenceRun:
    """Return the error that says how to make the reference run of an artifact."""
    return NoReferenceRun(
        f"There is no {profile} reference run of {name!r} with two seeds or more: make one "
        f"with `autograder reference run --profile {profile} --only {name} --missing`."
    )


def bar_of(run: Run, runs: Iterable[Run]) -> float | None:
    r"""Return the accuracy that a network must reach which is submitted for an experiment.

    It is the lower end of a one-sided prediction interval for one more run of the same recipe: a
    student who trains as the reference did reaches it in 99 of 100 cases. The interval's spread is
    that of the experiment's own seeds, or that of the seeds of all experiments on the same data if
    this is larger. Experiments whose trainings are not steady, such as those that are meant to
    fail, are left out, and only their own seeds tell their own spread. It is at least one standard
    error of the accuracy on the test images, because the choice of the images alone makes that
    much.

    This is generous where rounding or pruning cost little. So that a network that was never trained
    does not pass, at least half of the way from the accuracy without training to the mean is asked
    for. Where our own runs do not all get that far, training gains less than the seeds differ, and
    the accuracy cannot show it: hidden tests ask for other evidence there.

    Parameters
    ----------
    run
        The frozen run of the experiment.
    runs
        Those of all experiments of the profile.

    Returns
    -------
    float or None
        From 0 to 1; None if the run has a single seed.
    """
    if len(run["accuracies"]) < 2:
        return None
    usual = pooled(other["accuracies"] for other in _peers(run, runs))
    assert usual is not None  # this run has two seeds
    mean = fmean(run["accuracies"])
    least = max(stdev(run["accuracies"]), standard_error(run))
    predicted = max(0.0, mean - usual.margin(len(run["accuracies"]), least))
    halfway = (run["untrained"] + mean) / 2
    return predicted if halfway > min(run["accuracies"]) else max(predicted, halfway)


def standard_error(run: Run) -> float:
    """Return the standard error of a run's accuracy that comes from the choice of test images."""
    mean, images = fmean(run["accuracies"]), run["run_on"]["test_images"]
    return sqrt(max(mean * (1 - mean), 1 / images) / images)


def _peers(run: Run, runs: Iterable[Run]) -> Iterator[Run]:
    """Yield the runs whose spread says something about that of `run`, and `run` itself."""
    for other in runs:
        same_data = other["run_on"]["data"] == run["run_on"]["data"]
        steady = run.get("is_steady", True) and other.get("is_steady", True)
        if other is run or (same_data and steady):
            yield other


def loss_limit_of(run: Run, runs: Iterable[Run]) -> float | None:
    """Return the loss on training images that a network must stay below which is submitted.

    The accuracy alone does not show whether weights were trained: with batch norm measured anew,
    or with batch norm trained and the weights left as they were, many a network reaches nearly
    what training reaches. Its loss on the training images stays higher, though. The limit lies
    halfway, on a logarithmic scale, between the smallest loss of these controls and the largest
    that one more run of the recipe has in 99 of 100 cases.

    Parameters
    ----------
    run, runs
        As for `bar_of`.

    Returns
    -------
    float or None
        In nats, as `helpers.training_loss` measures it. None if no controls were run, or if
        their losses are no larger than those of trained networks.
    """
    if "controls" not in run or "losses" not in run:
        return None
    usual = pooled(_logs(other) for other in _peers(run, runs) if "losses" in other)
    logs = _logs(run)
    largest = fmean(logs)
    if usual is not None:
        largest += usual.margin(len(logs), stdev(logs) if len(logs) > 1 else 0.0)
    smallest = min(_log(control["loss"]) for control in run["controls"].values())
    return exp((largest + smallest) / 2) if largest < smallest else None


def _logs(run: Run) -> list[float]:
    return [_log(loss) for loss in run["losses"]]


def _log(loss: float) -> float:
    return log(max(loss, LEAST_LOSS))
