"""Compare measured accuracies so that whoever changed nothing in the network earns nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from autograder.hidden.checks import Check, close


def beyond_untouched(
    answers: Sequence[Any],
    expected: Sequence[Mapping[Any, float]],
    within: float,
    *,
    untouched: float,
    label: str,
    weight: float = 1.0,
) -> Check:
    """Compare accuracies of changed networks with those of the grader.

    A mild change, such as rounding to 8 bits, leaves the accuracy as it was. So the accuracy of the
    untouched network, written down everywhere, would be right in many places. Its share of right
    values earns nothing, and the points are spread over the rest.

    Parameters
    ----------
    answers
        Dicts of accuracies, or handles to them.
    expected
        The same dicts, measured by the grader.
    within
        Largest absolute difference allowed.
    untouched
        Accuracy of the network that nothing was done to.
    label
        What was measured.
    weight
        Weight of the check among all checks of its question.

    Returns
    -------
    Check
        Its credit is 1 if all values are right, and 0 if no more of them are right than the
        untouched network has right.
    """
    values = [value for accuracies in expected for value in accuracies.values()]
    free = sum(abs(value - untouched) <= within for value in values) / len(values)
    compared = [
        close(answer, dict(right), within, label=label, weight=weight)
        for answer, right in zip(answers, expected, strict=True)
    ]
    right = sum(c.credit * len(e) for c, e in zip(compared, expected, strict=True)) / len(values)
    # If nothing changes anywhere, there is nothing to spread the points over.
    credit = right if free == 1 else max(0.0, right - free) / (1 - free)
    message = "; ".join(c.message for c in compared if c.message)
    return replace(compared[0], credit=credit, message=message)
