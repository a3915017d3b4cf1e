"""The checks that make up a hidden test. No check raises an exception for what a student did."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autograder.hidden.compare import difference, largest
from autograder.hidden.student import Handle, StudentError, value
from autograder.misconceptions import Misconception, misconceptions_of
from autograder.sandbox.inside.responder import silenced

OTHER_FORM = (TypeError, ValueError, AttributeError, KeyError, IndexError, RuntimeError)
"""What the code of a test raises if an answer has the wrong form, such as a string for an array."""

Ask = Callable[..., Any]
"""Puts one case to an implementation: ``ask(implementation, *case)``."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes
    ----------
    label
        What was checked, in a few words.
    credit
        The share that was right, from 0 to 1.
    message
        What went wrong; empty if nothing did.
    weight
        Weight of the check among all checks of its question.
    fitting
        The known wrong solutions that give the same wrong answers, in the order of their
        definition.
    """

    label: str
    credit: float
    message: str = ""
    weight: float = 1.0
    fitting: tuple[Misconception, ...] = ()

    @property
    def misconception(self) -> Misconception | None:
        """The misconception whose explanation the student reads; None if no known one fits."""
        return self.fitting[0] if self.fitting else None


def same(
    answer: Handle,
    expected: Callable[..., Any],
    *,
    on: Sequence[tuple[Any, ...]],
    within: float | Callable[..., float] = 0.0,
    through: Ask | None = None,
    label: str | None = None,
    weight: float = 1.0,
) -> Check:
    """Compare the answers of the student's function with those of the reference.

    Parameters
    ----------
    answer
        The student's function or class, such as ``student.quantize``.
    expected
        The reference. If an answer is wrong, the reference's misconceptions answer the same cases:
        the feedback explains one of those that give all of the student's answers.
    on
        The cases: each is a tuple with the arguments of one call.
    within
        Largest absolute difference allowed, or a function that returns it for the arguments of a
        case. By default no difference is allowed.
    through
        ``through(implementation, *case)`` returns what an implementation answers to a case. It is
        needed if a case takes more than one call. By default the implementation is called with
        the case.
    label
        What was checked. By default the name of the reference.
    weight
        Weight of the check among all checks of its question.

    Returns
    -------
    Check
        Its credit is the share of the cases that were answered correctly.
    """
    ask: Ask = through or (lambda implementation, *case: implementation(*case))
    names = _parameters(expected) if through is None else []
    answers = []
    for case in on:
        allowed = within(*case) if callable(within) else within
        right = ask(expected, *case)
        try:
            got = ask(answer, *case)
            found = difference(got, right, allowed)
            problem = f"{_words(names, case)}: {found}" if found else None
            answers.append(_Answer(case, (got,), allowed, problem))
        except StudentError as error:
            answers.append(_Answer(case, None, allowed, str(error)))
        except OTHER_FORM:
            problem = f"{_words(names, case)}: the answer does not have the form asked for"
            answers.append(_Answer(case, None, allowed, problem))
    problems = [a.problem for a in answers if a.problem]
    return Check(
        label=label or f"`{expected.__name__}`",
        credit=1 - len(problems) / len(on),
        message=_summary(problems, len(on)),
        weight=weight,
        fitting=_recognise(expected, answers, ask) if problems else (),
    )


@dataclass(frozen=True)
class _Answer:
    case: tuple[Any, ...]
    got: tuple[Any] | None  # None if there was no answer to compare
    allowed: float
    problem: str | None


def _recognise(
    expected: Callable[..., Any], answers: list[_Answer], ask: Ask
) -> tuple[Misconception, ...]:
    """Return the misconceptions that give all of the answers, the right ones included."""
    given = [a for a in answers if a.got is not None]
    if all(a.problem is None for a in given):
        return ()
    return tuple(
        candidate
        for candidate in misconceptions_of(expected)
        if all(_gives(candidate, a, ask) for a in given)
    )


SAME_MISTAKE = 1e-5
"""How far two programs with the same mistake may differ, as a fraction of the largest number.

Their formulas round differently, even if the right answer is exact: this allows a dozen float32
roundings of 6e-8 each. Two different mistakes differ by far more.
"""


def _gives(candidate: Misconception, answer: _Answer, ask: Ask) -> bool:
    assert answer.got is not None
    try:
        with silenced():
            its_answer = ask(candidate.wrong, *answer.case)
        allowed = max(answer.allowed, SAME_MISTAKE * largest(its_answer))
        return difference(answer.got[0], its_answer, allowed) is None
    except Exception:
        # A wrong solution may well fail on a case; the answer is then not that of this solution.
        return False


def _summary(problems: list[str], cases: int) -> str:
    if not problems:
        return ""
    if len(set(problems)) == 1:
        return problems[0]
    return f"{problems[0]} ({len(problems)} of {cases} cases are wrong)"


def _parameters(function: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters that a function accepts by position."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def _words(names: list[str], case: tuple[Any, ...]) -> str:
    """Describe a case: ``with w of shape (3, 4), bits=2``."""
    parts = []
    for position, argument in enumerate(case):
        name = names[position] if position < len(names) else None
        if isinstance(argument, np.ndarray | torch.Tensor):
            parts.append(f"{name or 'an array'} of shape {tuple(argument.shape)}")
        elif len(text := repr(argument)) <= 40:
            parts.append(f"{name}={text}" if name else text)
        elif name:
            parts.append(name)
    return f"with {', '.join(parts)}"


def close(
    actual: Any,
    expected: Any,
    within: float,
    *,
    label: str = "measured values",
    weight: float = 1.0,
) -> Check:
    """Compare values that the student measured with those of the grader; each earns its share.

    Parameters
    ----------
    actual
        A number, a list or a dict, or a handle to one of these.
    expected
        The same values, measured by the grader.
    within
        Largest absolute difference allowed.
    label
        What was measured.
    weight
        Weight of the check among all checks of its question.
    """
    try:
        got = value(actual)
    except StudentError as error:
        return Check(label, 0.0, str(error), weight)
    if isinstance(expected, dict) and isinstance(got, dict):
        missing = object()
        entries = [(f"{key!r}: ", got.get(key, missing), e) for key, e in expected.items()]
        problems = [
            f"no entry for {prefix[:-2]}"
            if entry is missing
            else _prefixed(prefix, entry, e, within)
            for prefix, entry, e in entries
        ]
    elif isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        padded = [*got, *[None] * len(expected)]
        problems = [
            _prefixed(f"value {i + 1}: ", padded[i], e, within) for i, e in enumerate(expected)
        ]
    else:
        problems = [difference(got, expected, within)]
    wrong = [p for p in problems if p]
    return Check(label, 1 - len(wrong) / len(problems), "; ".join(wrong[:3]), weight)


def _prefixed(prefix: str, actual: Any, expected: Any, within: float) -> str | None:
    found = difference(actual, expected, within)
    return prefix + found if found else None


def holds(
    condition: bool | Callable[[], bool],
    message: str,
    *,
    label: str = "property",
    weight: float = 1.0,
) -> Check:
    """Check a property.

    Parameters
    ----------
    condition
        What must be true, or a callable that returns it. A callable may ask the student's code; if
        that fails, the property does not hold.
    message
        The feedback if the property does not hold.
    label
        What was checked.
    weight
        Weight of the check among all checks of its question.
    """
    try:
        fulfilled = condition() if callable(condition) else condition
    except StudentError as error:
        return Check(label, 0.0, str(error), weight)
    except OTHER_FORM:
        return Check(label, 0.0, f"{message} (The answer has the wrong form.)", weight)
    return Check(label, 1.0, "", weight) if fulfilled else Check(label, 0.0, message, weight)
