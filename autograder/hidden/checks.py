"""The checks that make up a hidden test. No check raises an exception for what a student did."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autograder.hidden.compare import count_nan, difference, largest, other_type, parts
from autograder.hidden.student import Handle, Stopped, StudentError, noting_changes, value
from autograder.misconceptions import Misconception
from autograder.sandbox.inside.responder import silenced

OTHER_FORM = (TypeError, ValueError, AttributeError, KeyError, IndexError, RuntimeError)
"""What the code of a test raises if an answer has the wrong form, such as a string for an array."""

Ask = Callable[..., Any]
"""Puts one case to an implementation: ``ask(implementation, *case)``."""


SLIP = 0.2
"""The share of a case's credit that a slip costs: right values in another type than the question
asks for, or right values from a call that changes its arguments."""

SAME_MISTAKE = 1e-5
"""How far two programs with the same mistake may differ, as a fraction of the largest number.

Their formulas round differently, even if the right answer is exact: this allows a dozen float32
roundings of 6e-8 each. Two different mistakes differ by far more.
"""


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
    answers
        What the student's function answered, if the check compares it with a reference.
    misconception
        The mistake that explains all answers of the question, if one does; see `score`.
    """

    label: str
    credit: float
    message: str = ""
    weight: float = 1.0
    answers: Answers | None = None
    misconception: Misconception | None = None


@dataclass(frozen=True)
class Answers:
    """What the student's function answered to the cases of a check.

    Attributes
    ----------
    expected
        The reference.
    """

    expected: Callable[..., Any]
    _ask: Ask
    _all: tuple[_Answer, ...]

    def fit(self, candidate: Misconception) -> bool:
        """Whether a known wrong solution gives all of these answers, the right ones included.

        Where the student's function failed, it has to fail as well. An answer that has NaN where
        the right one has a number agrees with nothing, since every mistake can lead to it.
        """
        return all(_gives(candidate, answer, self._ask) for answer in self._all)


@dataclass(frozen=True)
class _Answer:
    case: tuple[Any, ...]
    got: tuple[Any] | None  # None if there was no answer to compare
    allowed: float
    problem: str | None
    credit: float
    spoiled: bool = False  # it has NaN where the right answer has a number


def same(
    answer: Handle,
    expected: Callable[..., Any],
    *,
    on: Sequence[tuple[Any, ...]],
    within: float | Callable[..., float] = 0.0,
    through: Ask | None = None,
    in_place: bool = False,
    label: str | None = None,
    weight: float = 1.0,
) -> Check:
    """Compare the answers of the student's function with those of the reference.

    Parameters
    ----------
    answer
        The student's function or class, such as ``student.quantize``.
    expected
        The reference. If an answer is wrong, its misconceptions answer the same cases.
    on
        The cases: each is a tuple with the arguments of one call.
    within
        Largest absolute difference allowed, or a function that returns it for the arguments of a
        case. By default no difference is allowed.
    through
        ``through(implementation, *case)`` returns what an implementation answers to a case. It is
        needed if a case takes more than one call. By default the implementation is called with
        the case.
    in_place
        Whether a call may change its arguments. By default, changing one is a slip.
    label
        What was checked. By default the name of the reference.
    weight
        Weight of the check among all checks of its question.

    Returns
    -------
    Check
        Its credit is the share of the cases that were answered correctly. A case with a slip counts
        for all but `SLIP`.
    """
    ask: Ask = through or (lambda implementation, *case: implementation(*case))
    names = _parameters(expected) if through is None else _names_of_case(through, expected)
    answers = []
    for case in on:
        allowed = within(*case) if callable(within) else within
        right = ask(expected, *case)
        got: tuple[Any] | None = None
        credit, spoiled = 0.0, False
        try:
            with noting_changes() as changed:
                got = (ask(answer, *case),)
            problem = difference(got[0], right, allowed)
            spoiled = count_nan(got[0]) > count_nan(right)
            if problem is None:
                slip = other_type(got[0], right)
                if slip is None and changed and not in_place:
                    slip = f"the call changes {changed[0]}; work on a copy"
                problem = f"the values are right, but {slip}" if slip else None
                credit = 1 - SLIP if slip else 1.0
        except Stopped as error:
            problem = str(error)
        except StudentError as error:
            answers.append(_Answer(case, None, allowed, str(error), 0.0))
            continue
        except OTHER_FORM:
            got, problem = None, "the answer does not have the form asked for"
        text = f"{_words(names, case)}: {problem}" if problem else None
        answers.append(_Answer(case, got, allowed, text, credit, spoiled))
    return Check(
        label=label or f"`{expected.__name__}`",
        credit=sum(a.credit for a in answers) / len(on),
        message=_summary(answers),
        weight=weight,
        answers=Answers(expected, ask, tuple(answers)),
    )


def _gives(candidate: Misconception, answer: _Answer, ask: Ask) -> bool:
    if answer.spoiled:
        return False
    try:
        with silenced():
            its_answer = ask(candidate.wrong, *answer.case)
    except Exception:
        return answer.got is None
    if answer.got is None:
        return False
    try:
        allowed = max(answer.allowed, SAME_MISTAKE * largest(its_answer))
        return (
            difference(answer.got[0], its_answer, allowed) is None
            and other_type(answer.got[0], its_answer) is None
        )
    except (*OTHER_FORM, OverflowError):
        return False


def _summary(answers: Sequence[_Answer]) -> str:
    """Describe the smallest case that lost credit, and say how many did."""
    lost = [a for a in answers if a.problem]
    if not lost:
        return ""
    first = str(min(lost, key=lambda a: _size(a.case)).problem).removesuffix(".")
    if len({a.problem for a in lost}) == 1:
        return f"{first}."
    wrong = sum(a.credit == 0 for a in lost)
    if wrong == len(answers):
        everything = "Both" if wrong == 2 else f"All {wrong}"
        return f"{first}. {everything} cases are wrong; this is the smallest."
    if wrong:
        are = "case is" if wrong == 1 else "cases are"
        return f"{first}. {wrong} of the {len(answers)} {are} wrong."
    return f"{first}. So it is in {len(lost)} of the {len(answers)} cases."


def _size(value: Any) -> int:
    """Return how many numbers a case holds."""
    if isinstance(value, np.ndarray | torch.Tensor):
        return math.prod(value.shape)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return 1


def _parameters(function: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters that a function accepts by position."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def _names_of_case(through: Ask, expected: Callable[..., Any]) -> list[str]:
    """Return what `through` calls the parts of a case; if it passes them on, the reference does."""
    names = _parameters(through)[1:]
    kinds = {p.kind for p in inspect.signature(through).parameters.values()}
    return names or (_parameters(expected) if inspect.Parameter.VAR_POSITIONAL in kinds else [])


SHOWN = 8
"""The largest array of a case that the feedback shows with its numbers."""


def _numbers(array: Any) -> str:
    plain = array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else array
    text = np.array2string(plain, separator=", ", formatter={"float_kind": "{:.6g}".format})
    return " ".join(text.split())


def _words(names: list[str], case: tuple[Any, ...]) -> str:
    """Describe a case: ``with `w` of shape (3, 4) and `bits=2` ``; a small array is shown.

    What has no name is left out; but if nothing has one, arrays are described without.
    """
    parts = []
    for name, argument in zip(names, case, strict=False):
        if not isinstance(argument, np.ndarray | torch.Tensor):
            text = repr(argument)
            parts.append(f"`{name}={text}`" if len(text) <= 40 else f"`{name}`")
        elif _size(argument) <= SHOWN:
            parts.append(f"`{name}={_numbers(argument)}`")
        else:
            parts.append(f"`{name}` of shape {tuple(argument.shape)}")
    if not parts:
        arrays = [a for a in case if isinstance(a, np.ndarray | torch.Tensor)]
        parts = [f"an array of shape {tuple(a.shape)}" for a in arrays] or ["what was tried"]
    *first, last = parts
    return f"with {', '.join(first)} and {last}" if first else f"with {last}"


def close(
    actual: Any,
    expected: Any,
    within: float,
    *,
    label: str = "measured values",
    weight: float = 1.0,
) -> Check:
    """Compare values that the student measured with those of the grader; each earns its share.

    The feedback does not say how far off they are, as it could be copied into the next hand-in.

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
        entries = [(f"{key!r}", got.get(key, missing), e) for key, e in expected.items()]
        problems = [
            f"there is no entry for {key}"
            if entry is missing
            else difference(entry, e, within, tell=False, what=f"the entry {key}")
            for key, entry, e in entries
        ]
    elif isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        padded = [*got, *[None] * len(expected)]
        problems = [
            difference(padded[i], e, within, tell=False, what=part)
            for i, (e, part) in enumerate(zip(expected, parts(expected), strict=True))
        ]
    else:
        problems = [difference(got, expected, within, tell=False)]
    wrong = [p for p in problems if p]
    return Check(label, 1 - len(wrong) / len(problems), "; ".join(wrong[:3]), weight)


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
