"""Checks of what a student writes down: accuracies and verdicts. They look at the form alone."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from helpers.checks.answers import Array, as_number, expect, kind
from helpers.checks.result import Claims, Wrong, public_check


@public_check("accuracies")
def accuracies(values: Any, keys: Collection[Any]) -> Claims:
    """Check the form of a dictionary of accuracies, not whether they are right.

    Parameters
    ----------
    values : dict
        The student's: from number of bits, or from bits per stage, to accuracy.
    keys : collection
        The keys that it should have.
    """
    yield f"has an accuracy for each of {', '.join(map(str, keys))}"
    expect(isinstance(values, Mapping), f"It should be a dict; yours is {kind(values)}.")
    if missing := [str(key) for key in keys if key not in values]:
        raise Wrong(f"There is no accuracy for {', '.join(missing)} yet.")
    if extra := [repr(key) for key in values if key not in keys]:
        raise Wrong(f"Nobody asked for {', '.join(extra)}.")

    yield "holds fractions of 1"
    for key in keys:
        _expect_fraction(f"The accuracy for {key}", values[key])


@public_check("repeats")
def repeats(values: Any, count: int) -> Claims:
    """Check the form of a list of accuracies, not whether they are right.

    Parameters
    ----------
    values : list
        The student's accuracies.
    count : int
        How many there should be.
    """
    yield f"has {count} accuracies"
    expect(
        isinstance(values, Sequence | Array) and not isinstance(values, str),
        f"It should be a list; yours is {kind(values)}.",
    )
    expect(len(values) == count, f"There should be {count} accuracies; yours are {len(values)}.")

    yield "holds fractions of 1"
    for i, value in enumerate(values, start=1):
        _expect_fraction(f"Accuracy number {i}", value)


@public_check("verdict")
def verdict(value: Any) -> Claims:
    """Check that a verdict is True or False, not whether it is right."""
    yield "is True or False (which one is right, the grader will say)"
    expect(value is not None and value is not Ellipsis, "There is no verdict yet.")
    expect(
        isinstance(value, bool),
        f"It should be True or False without quotation marks; yours is {kind(value)}.",
    )


def _expect_fraction(name: str, value: Any) -> None:
    accuracy = as_number(name, value)
    if accuracy > 1:
        raise Wrong(f"{name} is {accuracy:g}. Write it as a fraction: 0.9 for 90 %.")
    expect(accuracy >= 0, f"{name} is {accuracy:g}, and no accuracy is below 0.")
