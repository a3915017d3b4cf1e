"""Public checks of the assignment `lr_schedules`.

Every check takes the student's answer and returns a `CheckResult`. The examples are small enough to
be worked out by hand.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.artifacts import ArtifactError, artifact_folder, load_artifact
from helpers.checks.answers import Array, as_number, ask, expect, kind
from helpers.checks.hints import Hints
from helpers.checks.result import Claims, Wrong, public_check
from helpers.checks.trained import trained
from helpers.checks.values import verdict
from helpers.checks.written import words

__all__ = [
    "constant_rate",
    "cosine",
    "exponential",
    "hint",
    "moving_average",
    "multistep",
    "one_cycle",
    "power_iteration",
    "running_times",
    "stability_limit",
    "trained",
    "verdict",
    "warm_up",
    "words",
]

hint = Hints(Path(__file__).with_name("hints.json"))

NEAR = 1e-6
"""How far a number near 1 may be off: eight roundings to float32, each of at most 1.2e-7."""

# ------------------------------------------------------------------------------------------------
# Curves


ARRAY = np.array([3.0, 1.0, 5.0])


@public_check("moving_average")
def moving_average(moving_average: Callable[..., Any]) -> Claims:
    """Check the student's ``moving_average(values, window)``."""

    def asked(values: list[float] | Array, window: int) -> list[float]:
        call = f"moving_average({values}, {window})"
        found = ask(call, moving_average, values.copy(), window)
        expect(
            isinstance(found, Sequence | Array | Tensor) and not isinstance(found, str),
            f"`{call}` should return a list or an array; yours is {kind(found)}.",
        )
        expect(
            len(found) == len(values),
            f"`{call}` should return as many values as it gets, {len(values)}; yours returns "
            f"{len(found)}.",
        )
        return [as_number(f"Value {i} of `{call}`", value) for i, value in enumerate(found)]

    yield "returns as many values as it gets"
    asked([1.0, 2.0, 3.0, 4.0], 2)

    yield "averages each value with those before it, and with none after it"
    values = [0.0, 0.0, 6.0, 0.0, 0.0, 0.0]
    _expect_numbers("moving_average([0, 0, 6, 0, 0, 0], 3)", asked(values, 3), [0, 0, 2, 2, 2, 0])

    yield "averages over the values that there are at the beginning, where they are fewer"
    _expect_numbers("moving_average([4, 4, 4, 4], 3)", asked([4.0, 4.0, 4.0, 4.0], 3), [4, 4, 4, 4])
    _expect_numbers("moving_average([3, 1, 5], 2)", asked([3.0, 1.0, 5.0], 2), [3, 2, 3])
    _expect_numbers("moving_average([3, -1, -5], 2)", asked([3.0, -1.0, -5.0], 2), [3, 1, -3])

    yield "takes an array as well as a list"
    _expect_numbers("moving_average(np.array([3, 1, 5]), 2)", asked(ARRAY, 2), [3, 2, 3])

    yield "changes nothing with a window of 1, and takes a window longer than the curve"
    _expect_numbers("moving_average([3, 1, 5], 1)", asked([3.0, 1.0, 5.0], 1), [3, 1, 5])
    _expect_numbers("moving_average([3, 1, 5], 9)", asked([3.0, 1.0, 5.0], 9), [3, 2, 3])


# ------------------------------------------------------------------------------------------------
# Schedules


@public_check("warm_up")
def warm_up(warm_up: Callable[..., Any]) -> Claims:
    """Check the student's ``warm_up(step, length)``."""
    yield "begins above 0, so that the first step is not lost"
    first = _factor("warm_up(0, 4)", warm_up, 0, 4)
    expect(first > 0, "`warm_up(0, 4)` is 0: a step with a rate of 0 changes no weight.")
    yield "rises by equal amounts, here by a quarter"
    _expect_factors("warm_up", warm_up, [(step, 4) for step in range(4)], [0.25, 0.5, 0.75, 1])
    yield "stays at 1 from then on"
    _expect_factors("warm_up", warm_up, [(4, 4), (5, 4), (100, 4), (0, 1)], [1, 1, 1, 1])


@public_check("multistep")
def multistep(multistep: Callable[..., Any]) -> Claims:
    """Check the student's ``multistep(step, milestones, gamma=0.1)``."""
    yield "is 1 before the first milestone"
    _expect_factors("multistep", multistep, [(0, [3, 6]), (2, [3, 6])], [1, 1])
    yield "falls at the milestone itself, not one step later"
    _expect_factors("multistep", multistep, [(3, [3, 6]), (5, [3, 6])], [0.1, 0.1])
    yield "falls again at each further milestone"
    _expect_factors("multistep", multistep, [(6, [3, 6]), (90, [3, 6])], [0.01, 0.01])
    yield "takes the milestones in any order"
    _expect_factors("multistep", multistep, [(2, [6, 3]), (4, [6, 3])], [1, 0.1])
    yield "multiplies by `gamma`"
    _expect_factors("multistep", multistep, [(4, [3, 6], 0.5), (7, [3, 6], 0.5)], [0.5, 0.25])
    yield "depends on the step alone, whatever was asked before"
    _expect_factors("multistep", multistep, [(6, [3, 6]), (1, [3, 6])], [0.01, 1])


@public_check("cosine")
def cosine(cosine: Callable[..., Any]) -> Claims:
    """Check the student's ``cosine(step, total)``."""
    yield "begins at 1"
    _expect_factors("cosine", cosine, [(0, 8)], [1])
    yield "is one half in the middle, and 0 after `total` steps"
    _expect_factors("cosine", cosine, [(4, 8), (8, 8)], [0.5, 0])
    yield "follows the cosine in between, without ever rising"
    expected = [0.5 + math.sqrt(2) / 4, 0.5 - math.sqrt(2) / 4]
    _expect_factors("cosine", cosine, [(2, 8), (6, 8)], expected)


@public_check("one_cycle")
def one_cycle(one_cycle: Callable[..., Any]) -> Claims:
    """Check the student's ``one_cycle(step, total, rising=0.3, first=1/25, last=1/250_000)``."""
    yield "begins at `first`, 1/25"
    _expect_factors("one_cycle", one_cycle, [(0, 20)], [1 / 25])
    yield "reaches 1 at the step `rising * total - 1`"
    _expect_factors("one_cycle", one_cycle, [(5, 20)], [1])
    yield "ends at `last`, 1/250,000, in the step `total - 1`"
    _expect_factors("one_cycle", one_cycle, [(19, 20)], [1 / 250_000])
    yield "goes along half a cosine on both sides"
    # A quarter of the way: (1 + cos(pi / 4)) / 2 of the old value is left.
    kept = 0.5 + math.sqrt(2) / 4
    cases = [(1, 10, 0.5, 0.2, 0.0), (2, 10, 0.5, 0.2, 0.0)]
    _expect_factors("one_cycle", one_cycle, cases, [1 - 0.8 * kept, 0.6])
    yield "has its top between two steps, if `rising * total - 1` is not a whole number"
    # The top is at 1.5: step 1 is after two thirds of the way up, step 2 after a third of it down.
    cases = [(1, 4, 0.625, 0.2, 0.0), (2, 4, 0.625, 0.2, 0.0)]
    _expect_factors("one_cycle", one_cycle, cases, [0.8, 0.75])
    yield "takes other shares and other ends"
    cases = [(0, 12, 0.5, 0.1, 0.01), (5, 12, 0.5, 0.1, 0.01), (8, 12, 0.5, 0.1, 0.01)]
    _expect_factors(
        "one_cycle", one_cycle, [*cases, (11, 12, 0.5, 0.1, 0.01)], [0.1, 1, 0.505, 0.01]
    )


@public_check("exponential")
def exponential(exponential: Callable[..., Any]) -> Claims:
    """Check the student's ``exponential(step, total, lowest, highest)``."""
    yield "begins at `lowest` and ends at `highest` in the step `total - 1`"
    _expect_factors(
        "exponential", exponential, [(0, 4, 0.001, 1.0), (3, 4, 0.001, 1.0)], [0.001, 1]
    )
    yield "grows by the same factor in every step, here tenfold"
    cases = [(1, 4, 0.001, 1.0), (2, 4, 0.001, 1.0), (1, 3, 2.0, 8.0)]
    _expect_factors("exponential", exponential, cases, [0.01, 0.1, 4])


def _factor(call: str, function: Callable[..., Any], *args: Any) -> float:
    return as_number(f"`{call}`", ask(call, function, *args))


def _expect_factors(
    name: str,
    function: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    expected: Sequence[float],
) -> None:
    for case, right in zip(cases, expected, strict=True):
        call = f"{name}({', '.join(f'{a:g}' if isinstance(a, float) else str(a) for a in case)})"
        found = _factor(call, function, *case)
        expect(
            abs(found - right) <= NEAR * max(1.0, right),
            f"`{call}` should be {right:.6g}; yours is {found:.6g}.",
        )


def _expect_numbers(call: str, found: Sequence[float], expected: Sequence[float]) -> None:
    if any(abs(a - b) > 10 * NEAR for a, b in zip(found, expected, strict=True)):
        shown = ", ".join(f"{value:.4g}" for value in found)
        right = ", ".join(f"{value:g}" for value in expected)
        raise Wrong(f"`{call}` should be [{right}]; yours is [{shown}].")


# ------------------------------------------------------------------------------------------------
# Trainings


@public_check("training at a constant rate")
def constant_rate(name: str, lr: float, epochs: int) -> Claims:
    """Check that a saved artifact says that it was trained at a constant rate.

    Parameters
    ----------
    name
        Name of the artifact.
    lr
        The learning rate that was asked for.
    epochs
        Number of epochs that were asked for.
    """
    yield f"`{name}` is saved in {artifact_folder()}"
    try:
        history = load_artifact(artifact_folder(), name).history
    except ArtifactError as error:
        raise Wrong(str(error)) from error
    yield f"has {epochs} epochs"
    expect(
        len(history) == epochs,
        f"`{name}` has {len(history)} epochs. To train again, delete its files from "
        f"`{artifact_folder()}` and run the cell again.",
    )
    yield f"was trained at the rate {lr:g} throughout"
    for epoch, rate in enumerate(history.learning_rate):
        expect(
            math.isclose(rate, lr, rel_tol=1e-6),
            f"The rate at the beginning of epoch {epoch + 1} was {rate:g}. Is the schedule "
            f'"constant", and the rate {lr:g}? To train again, delete the files of `{name}` from '
            f"`{artifact_folder()}` and run the cell again.",
        )
    yield "holds the loss of every step"
    expect(
        bool(history.step_loss),
        "There are no losses of steps: train with `train_briefly`, which records them.",
    )


@public_check("running times")
def running_times(times: Any, names: Sequence[str]) -> Claims:
    """Check the form of the dictionary of running times, but not its values.

    Parameters
    ----------
    times
        The student's dictionary, from the name of a schedule to seconds.
    names
        The names that it should have.
    """
    yield f"has the seconds for each of {', '.join(names)}"
    expect(isinstance(times, Mapping), f"It should be a dict; yours is {kind(times)}.")
    expect(
        set(times) == set(names),
        f"It should have exactly the keys {', '.join(map(repr, names))}.",
    )
    yield "holds numbers of seconds"
    for name in names:
        seconds = as_number(f"The time of {name}", times[name])
        expect(seconds > 0, f"The time of {name} is {seconds:g}; it should be above 0.")


# ------------------------------------------------------------------------------------------------
# Curvature


@public_check("power_iteration")
def power_iteration(power_iteration: Callable[..., Any]) -> Claims:
    """Check the student's ``power_iteration(hessian, start, steps)``."""

    def asked(matrix: list[list[float]], start: list[float], steps: int = 60) -> float:
        hessian, v = torch.tensor(matrix), torch.tensor(start)
        call = f"power_iteration(torch.tensor({matrix}), torch.tensor({start}), {steps})"
        found = as_number(f"`{call}`", ask(call, power_iteration, hessian, v.clone(), steps))
        return found

    yield "finds the largest eigenvalue of a diagonal matrix"
    _expect_eigenvalue("diag(1, 3)", asked([[1.0, 0.0], [0.0, 3.0]], [1.0, 1.0]), 3)

    yield "finds it whatever the length of the vector that it begins with"
    _expect_eigenvalue("diag(1, 3)", asked([[1.0, 0.0], [0.0, 3.0]], [50.0, 20.0]), 3)

    yield "finds eigenvalues whose vectors are not the axes"
    _expect_eigenvalue("[[2, 1], [1, 2]]", asked([[2.0, 1.0], [1.0, 2.0]], [1.0, 0.0]), 3)

    yield "keeps the sign: the eigenvalue of largest magnitude may be negative"
    _expect_eigenvalue("diag(1, -4)", asked([[1.0, 0.0], [0.0, -4.0]], [1.0, 1.0]), -4)

    yield "does as many products as asked for"
    few = asked([[1.0, 0.0], [0.0, 3.0]], [3.0, 1.0], 1)
    expect(
        abs(few - 2) <= 1e-4,
        "With diag(1, 3), the vector (3, 1) and one step, the vector at the end is a multiple of "
        f"(1, 1), and its quotient is (1 + 3) / (1 + 1) = 2; yours is {few:.6g}.",
    )

    yield "neither overflows nor vanishes in many steps"
    large = asked([[1000.0, 0.0], [0.0, 10.0]], [1.0, 1.0], 200)
    _expect_eigenvalue("diag(1000, 10)", large, 1000)


@public_check("stability_limit")
def stability_limit(stability_limit: Callable[..., Any]) -> Claims:
    """Check the student's ``stability_limit(lr, momentum)`` by descents on parabolas."""

    def asked(lr: float, momentum: float) -> float:
        return _factor(f"stability_limit({lr:g}, {momentum:g})", stability_limit, lr, momentum)

    yield "is 2 / lr without momentum"
    for lr in (0.5, 0.1):
        found = asked(lr, 0.0)
        expect(
            math.isclose(found, 2 / lr, rel_tol=1e-5),
            f"`stability_limit({lr:g}, 0)` should be {2 / lr:g}; yours is {found:g}.",
        )
    yield "separates the curvatures at which descent with Nesterov momentum converges from others"
    for lr, momentum in ((1.0, 0.9), (0.1, 0.5)):
        found = asked(lr, momentum)
        for share, goes in ((0.98, "converges"), (1.02, "diverges")):
            expect(
                (_descent(share * found, lr, momentum) < 1) == (goes == "converges"),
                f"With lr = {lr:g} and momentum {momentum:g}, descent on a parabola of curvature "
                f"{share:g} times your limit of {found:.4g} should be one that {goes}, but it is "
                "not. Is your formula that of Nesterov momentum, as `fit` has it?",
            )


def _descent(curvature: float, lr: float, momentum: float) -> float:
    """Return the parameter after 2,000 steps on a parabola, beginning at 1."""
    w, velocity = 1.0, 0.0
    for _ in range(2000):
        gradient = curvature * w
        velocity = momentum * velocity + gradient
        w -= lr * (gradient + momentum * velocity)
        if not abs(w) < 1e6:
            return math.inf
    return abs(w)


def _expect_eigenvalue(matrix: str, found: float, expected: float) -> None:
    expect(
        abs(found - expected) <= 1e-4 * abs(expected),
        f"The eigenvalue of {matrix} with the largest magnitude is {expected:g}; yours is "
        f"{found:.6g}.",
    )
