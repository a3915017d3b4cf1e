"""Compare two answers, as plain data, and describe the difference in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

WHOLE = "the result"
CLEARLY_OFF = 1000
"""How many times the allowed difference may be exceeded until it is no longer worth a word."""

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


def difference(
    actual: Any, expected: Any, within: float = 0.0, *, tell: bool = True, what: str = WHOLE
) -> str | None:
    """Say how the values of `actual` differ from those of `expected`.

    Numbers may differ by `within`; truth values, strings, keys and sizes may not. What holds the
    numbers does not matter: lists, tuples, arrays and tensors count as the same, an array of one
    number counts as that number, and so do numbers of any type. `other_type` compares types.

    Parameters
    ----------
    actual, expected
        The two answers, as plain data.
    within
        Largest absolute difference allowed between two numbers. By default 0.
    tell
        Whether the text may say what was expected, or how far off a number is. By default it may:
        a function is asked about other inputs in the next hand-in. A value that was measured once
        could be corrected by it.
    what
        What is compared, as the text calls it.

    Returns
    -------
    str or None
        What is different, in words for the student; None if the answers agree.
    """
    if isinstance(expected, np.ndarray | torch.Tensor):
        return _array_difference(actual, expected, within, tell, what)
    if expected is None or isinstance(expected, bool | str):
        actual = _single(actual)
        if isinstance(actual, type(expected)) and actual == expected:
            return None
        return f"{what} is {_brief(actual)}{f' instead of {expected!r}' if tell else ''}"
    if isinstance(expected, int | float):
        return _number_difference(actual, expected, within, tell, what)
    if isinstance(expected, list | tuple):
        if isinstance(actual, np.ndarray | torch.Tensor) and len(actual.shape) > 0:
            actual = list(actual)
        if not isinstance(actual, list | tuple):
            return f"{what} is {_brief(actual)} instead of {_values(len(expected))}"
        if len(actual) != len(expected):
            return f"{what} has {_values(len(actual))} instead of {len(expected)}"
        found = (
            difference(a, e, within, tell=tell, what=part)
            for a, e, part in zip(actual, expected, parts(expected, what), strict=True)
        )
        return next((text for text in found if text), None)
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return f"{what} is {_brief(actual)} instead of a dict"
        if missing := [k for k in expected if k not in actual]:
            return f"{what} has no entry for {missing[0]!r}"
        if extra := [k for k in actual if k not in expected]:
            return f"{what} has an entry for {extra[0]!r}, which is not asked for"
        found = (
            difference(actual[k], e, within, tell=tell, what=_part(f"the entry {k!r}", what))
            for k, e in expected.items()
        )
        return next((text for text in found if text), None)
    raise TypeError(f"a reference answer of type {type(expected).__name__} cannot be compared")


def parts(expected: Sequence[Any], what: str = WHOLE) -> list[str]:
    """Say what each value of a list or tuple is called: ``the second of the three results``.

    Parameters
    ----------
    expected
        The right values.
    what
        What holds them, as the text calls it.
    """
    count = len(expected)
    if isinstance(expected, tuple) and what == WHOLE:
        noun = "result"  # the function returns several
    elif all(isinstance(each, np.ndarray | torch.Tensor) for each in expected):
        noun = "array"
    else:
        noun = "value"
    if count == 1:
        return [_part(f"the only {noun}", what)]
    many = f"{_NUMBERS.get(count, count)} {noun}s"
    return [_part(f"the {_ordinal(place)} of the {many}", what) for place in range(1, count + 1)]


def _part(part: str, whole: str) -> str:
    return part if whole == WHOLE else f"{part} in {whole}"


def _ordinal(place: int) -> str:
    if place <= len(_ORDINALS):
        return _ORDINALS[place - 1]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{'th' if place % 100 in (11, 12, 13) else ending}"


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"


def other_type(actual: Any, expected: Any) -> str | None:
    """Say in which type integers or truth values are, if it is another than the question asks for.

    The width of integers and the truth values of a mask are part of a question; how many digits a
    fraction has is not. A list has no type, so it is never of another one.

    Parameters
    ----------
    actual, expected
        The two answers, as plain data. Their values agree.
    """
    if isinstance(expected, dict):
        found = (other_type(actual[key], e) for key, e in expected.items())
        return next((text for text in found if text), None)
    if isinstance(expected, list | tuple):
        found = (other_type(a, e) for a, e in zip(actual, expected, strict=True))
        return next((text for text in found if text), None)
    arrays = np.ndarray | torch.Tensor
    if not isinstance(actual, arrays) or not isinstance(expected, arrays):
        return None
    a, e = _numpy(actual), _numpy(expected)
    if e.dtype.kind in "biu" and a.dtype != e.dtype:
        return f"the type is {a.dtype} instead of {e.dtype}"
    return None


def _single(value: Any) -> Any:
    """Return the only element of an array or tensor that has one, and anything else unchanged."""
    if isinstance(value, np.ndarray | torch.Tensor) and math.prod(value.shape) == 1:
        return value.item()
    return value


def _number_difference(
    actual: Any, expected: float, within: float, tell: bool, what: str
) -> str | None:
    actual = _single(actual)
    if isinstance(actual, bool) or not isinstance(actual, int | float):
        return f"{what} is {_brief(actual)} instead of a number"
    try:
        gap = abs(actual - expected)
        if actual == expected or gap <= within:
            return None
        if isinstance(expected, float) and math.isnan(expected) and math.isnan(actual):
            return None
        if not tell:
            allowed = f" by more than the {within:.2g} allowed" if within else ""
            return f"{what} is {actual:.6g}, which is off{allowed}"
        if not math.isfinite(gap) or (isinstance(expected, int) and not within):
            return f"{what} is {actual:.6g} instead of {expected:.6g}"
        return f"{what} is {actual:.6g}, which is off by {_few_digits(gap)}{_allowed(gap, within)}"
    except OverflowError:
        return f"{what} is a whole number that is too large to compare"


def _few_digits(number: float) -> str:
    return f"{number:.0f}" if 10 <= number < 1e6 else f"{number:.2g}"


def _allowed(gap: float, within: float) -> str:
    """Say what is allowed, unless `gap` is so large that nobody would ask."""
    return f" ({within:.2g} is allowed)" if gap <= CLEARLY_OFF * within else ""


def _array_difference(
    actual: Any, expected: Any, within: float, tell: bool, what: str
) -> str | None:
    a, e = _as_array(actual), _numpy(expected)
    if a is None:
        return f"{what} is {_brief(actual)} instead of an array of shape {tuple(e.shape)}"
    if a.shape != e.shape:
        return f"{what} has the shape {a.shape} instead of {e.shape}"
    if a.dtype.kind not in "biuf":
        return f"{what} does not consist of numbers, but of {a.dtype}"
    with np.errstate(invalid="ignore"):  # equal infinities have a difference of NaN
        gap = np.abs(a.astype(np.float64) - e.astype(np.float64))
    # Compared in this way, NaN is wrong unless NaN is expected.
    wrong = ~((gap <= within) | (a == e) | (np.isnan(a) & np.isnan(e)))
    if not wrong.any():
        return None
    if np.isnan(a[wrong]).any():
        return f"{what} contains NaN, as 0 / 0 or an infinite number minus another gives it"
    count = int(wrong.sum())
    share = f"{'all' if count == wrong.size else f'{count} of the'} {wrong.size} elements"
    share = "the only element" if wrong.size == 1 else share
    share += " of " + what if what != WHOLE else ""
    share += " is off" if count == 1 else " are off"
    if not tell:
        return f"{share} by more than the {within:.2g} allowed"
    most = float(gap[wrong].max())
    if not math.isfinite(most):
        at = np.argmax(wrong & ~np.isfinite(gap))
        one = "it" if count == 1 else "one"
        return f"{share}: {one} is {a.flat[at]:.6g} instead of {e.flat[at]:.6g}"
    by = "by" if count == 1 else "by up to"
    return f"{share} {by} {_few_digits(most)}{_allowed(most, within)}"


def _as_array(value: Any) -> np.ndarray | None:
    """Return an array with the numbers of an answer, or None if it is not made of numbers."""
    if isinstance(value, np.ndarray | torch.Tensor):
        return _numpy(value)
    if not isinstance(value, int | float | list | tuple):
        return None
    try:
        found = np.asarray(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.dtype.kind in "biuf" else None


def largest(answer: Any) -> float:
    """Return the largest finite magnitude in plain data; 0 if there is no number.

    Single integers, truth values and strings do not count, because they are compared exactly.
    """
    magnitudes = [np.abs(np.asarray(array, dtype=np.float64)) for array in _arrays(answer)]
    return max(
        (float(np.max(m, initial=0.0, where=np.isfinite(m))) for m in magnitudes), default=0.0
    )


def count_nan(answer: Any) -> int:
    """Return how many numbers of plain data are NaN."""
    return sum(int(np.isnan(array).sum()) for array in _arrays(answer))


def _arrays(answer: Any) -> Iterator[np.ndarray]:
    """Yield the arrays in plain data, and each single fraction as an array."""
    if isinstance(answer, dict):
        for item in answer.values():
            yield from _arrays(item)
    elif isinstance(answer, list | tuple):
        for item in answer:
            yield from _arrays(item)
    elif isinstance(answer, np.ndarray | torch.Tensor | float):
        yield np.asarray(_numpy(answer))


def _numpy(array: Any) -> np.ndarray:
    return array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else array


def _brief(value: Any) -> str:
    """Describe a wrong value briefly: by its text if that is short, or else by its type."""
    if isinstance(value, np.ndarray | torch.Tensor):
        return f"an array of shape {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
