"""Checks of results that students write down, accuracies and verdicts. Only the form matters."""

from collections.abc import Collection, Sequence
from typing import Any

from helpers.checks.answers import Array, as_number, expect, expect_keys, kind
from helpers.checks.result import Claims, Wrong, public_check

NEAR = 0.1
"""How far from the untouched network the mildest of several settings may be. Rounding to 8 bits or
pruning a quarter of the weights costs far less; a mistake in the measurement costs more."""


@public_check("accuracies")
def accuracies(
    values: Any, keys: Collection[Any], *, mildest: Any = None, untouched: float | None = None
) -> Claims:
    """Check the form of a dictionary of accuracies and its mildest entry, but no other value.

    Parameters
    ----------
    values
        The student's dictionary, from the number of bits, or the bits per stage, to the accuracy.
    keys
        The keys that the dictionary should have.
    mildest
        The key of a setting that hardly changes the network, such as 8 bits. By default there is
        none.
    untouched
        Accuracy of the network before it is changed, for comparison with the mildest setting.
    """
    yield f"has an accuracy for each of {', '.join(map(str, keys))}"
    expect_keys(values, keys, "no accuracy")

    yield "holds fractions from 0 to 1"
    for key in keys:
        _expect_fraction(f"The accuracy for {key}", values[key])

    if mildest is not None and untouched is not None:
        yield f"has an accuracy for {mildest} that is near that of the untouched network"
        found = float(values[mildest])
        expect(
            abs(found - untouched) <= NEAR,
            f"{mildest} hardly changes the network, whose accuracy is {untouched:.4f}, but yours "
            f"for {mildest} is {found:.4f}. Do you begin with an unchanged copy of the network "
            "each time, and measure that copy?",
        )


@public_check("repeats")
def repeats(values: Any, count: int) -> Claims:
    """Check the form of a list of accuracies, but not whether they are right.

    Parameters
    ----------
    values
        The student's accuracies.
    count
        How many accuracies there should be.
    """
    yield f"has {count} accuracies"
    expect(
        isinstance(values, Sequence | Array) and not isinstance(values, str),
        f"It should be a list; yours is {kind(values)}.",
    )
    expect(len(values) == count, f"There should be {count} accuracies; you have {len(values)}.")

    yield "holds fractions from 0 to 1"
    for i, value in enumerate(values, start=1):
        _expect_fraction(f"Accuracy number {i}", value)


@public_check("verdict")
def verdict(value: Any) -> Claims:
    """Check that a verdict is True or False, but not whether it is right."""
    yield "is True or False (the grader decides which of them is right)"
    expect(value is not None and value is not Ellipsis, "There is no verdict yet.")
    expect(
        isinstance(value, bool),
        f"It should be True or False without quotation marks; yours is {kind(value)}.",
    )


def _expect_fraction(name: str, value: Any) -> None:
    accuracy = as_number(name, value)
    if accuracy > 1:
        raise Wrong(f"{name} is {accuracy:g}. Write it as a fraction: 0.9 for 90 %.")
    expect(accuracy >= 0, f"{name} is {accuracy:g}, but no accuracy is below 0.")
