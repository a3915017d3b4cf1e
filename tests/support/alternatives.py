"""Alternative answers, defined as functions of a test file and judged by the hidden tests.

A test file defines correct answers that differ from the reference: ``prune_by_std_1`` and
``prune_by_std_2`` are two answers to the question about ``prune_by_std``.
"""

import re

import pytest
from source_notebook import cells, defined, judged, marks

__all__ = ["each_alternative", "judged_alternative", "question_about", "with_alternatives"]

ALTERNATIVE = re.compile(r"(\w+)_\d")


def with_alternatives(namespace):
    """Return the names for which a test file defines alternatives, once each."""
    found = map(ALTERNATIVE.fullmatch, namespace)
    return list(dict.fromkeys(match[1] for match in found if match))


def each_alternative(namespace):
    """Run a test for each alternative in the ``globals()`` of a test file, given at its end."""
    found = [thing for name, thing in namespace.items() if ALTERNATIVE.fullmatch(name)]
    assert found
    return pytest.mark.parametrize("alternative", found, ids=lambda thing: thing.__name__)


def question_about(assignment, name):
    """Return the question whose solution defines `name`."""
    (question,) = [
        marks(cell)["grade_id"].removesuffix("_solution")
        for cell in cells(assignment)
        if marks(cell).get("solution") and name in defined(cell)
    ]
    return question


def judged_alternative(assignment, alternative, beside):
    """Judge an alternative by the hidden test of its question.

    Parameters
    ----------
    assignment : str
    alternative : callable
    beside : dict from name to object
        The names that the hidden test needs besides the answer itself.

    Returns
    -------
    Score
        The result of the hidden test.
    """
    name = ALTERNATIVE.fullmatch(alternative.__name__)[1]
    return judged(assignment, question_about(assignment, name), beside | {name: alternative})
