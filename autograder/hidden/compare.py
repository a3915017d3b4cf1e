"""Compare two answers, as plain data, and describe the difference in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch


def difference(actual: Any, expected: Any, within: float = 0.0) -> str | None:
    """Say how `actual` differs from `expected`.

    Numbers may differ by `within`; truth values, strings, keys and sizes may not. Lists and tuples
    count as the same, and so do arrays and tensors. If an array of integers is expected, the answer
    must have the same type, because the width of the integers is part of the question.

    Parameters
    ----------
    actual, expected
        The two answers, as plain data.
    within
        Largest absolute difference allowed between two numbers. By default 0.

    Returns
    -------
    str or None
        What is different, in words for the student; None if the answers agree.
    """
    if isinstance(expected, np.ndarray | torch.Tensor):
        return _array_difference(actual, expected, within)
    if expected is None or isinstance(expected, bool | str):
        same = actual == expected and isinstance(actual, type(expected))
        return None if same else f"expected {expected!r}, got {_brief(actual)}"
    if isinstance(expected, int | float):
        return _number_difference(actual, expected, within)
    if isinstance(expected, list | tuple):
        if not isinstance(actual, list | tuple):
            return f"expected {len(expected)} values, got {_brief(actual)}"
        if len(actual) != len(expected):
            return f"expected {len(expected)} values, got {len(actual)}"
        found = (difference(a, e, within) for a, e in zip(actual, expected, strict=True))
        return next((f"value {i + 1}: {d}" for i, d in enumerate(found) if d), None)
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return f"expected a dict, got {_brief(actual)}"
        if missing := [k for k in expected if k not in actual]:
            return f"no entry for {missing[0]!r}"
        if extra := [k for k in actual if k not in expected]:
            return f"an entry for {extra[0]!r} is not asked for"
        found_by_key = ((k, difference(actual[k], e, within)) for k, e in expected.items())
        return next((f"{k!r}: {d}" for k, d in found_by_key if d), None)
    raise TypeError(f"a reference answer of type {type(expected).__name__} cannot be compared")


def _number_difference(actual: Any, expected: float, within: float) -> str | None:
    if isinstance(actual, np.ndarray | torch.Tensor) and math.prod(actual.shape) == 1:
        actual = actual.item()
    if isinstance(actual, bool) or not isinstance(actual, int | float):
        return f"expected a number, got {_brief(actual)}"
    try:
        gap = abs(actual - expected)
        if actual == expected or gap <= within:
            return None
        return f"got {actual:.6g}, which is {gap:.2g} off (allowed: {within:.2g})"
    except OverflowError:
        return "got a whole number that is too large to compare"


def _array_difference(actual: Any, expected: Any, within: float) -> str | None:
    if not isinstance(actual, np.ndarray | torch.Tensor):
        return f"expected an array of shape {tuple(expected.shape)}, got {_brief(actual)}"
    a, e = _numpy(actual), _numpy(expected)
    if a.shape != e.shape:
        return f"expected shape {e.shape}, got {a.shape}"
    if e.dtype.kind in "biu" and a.dtype != e.dtype:
        return f"expected type {e.dtype}, got {a.dtype}"
    if a.dtype.kind not in "biuf":
        return f"expected numbers, got {a.dtype}"
    with np.errstate(invalid="ignore"):  # equal infinities have a difference of NaN
        gap = np.abs(a.astype(np.float64) - e.astype(np.float64))
    # Compared in this way, NaN is wrong unless a misconception gives NaN in the same place.
    wrong = ~((gap <= within) | (a == e) | (np.isnan(gap) & np.isnan(e) & np.isnan(a)))
    if not wrong.any():
        return None
    if np.isnan(a[wrong]).any():
        return "the result contains NaN"
    return (
        f"{wrong.mean():.0%} of the elements are off, by up to {gap[wrong].max():.2g} "
        f"(allowed: {within:.2g})"
    )


def largest(answer: Any) -> float:
    """Return the largest finite magnitude in plain data; 0 if there is no number.

    Single integers, truth values and strings do not count, because they are compared exactly.
    """
    if isinstance(answer, dict):
        return max(map(largest, answer.values()), default=0.0)
    if isinstance(answer, list | tuple):
        return max(map(largest, answer), default=0.0)
    if not isinstance(answer, np.ndarray | torch.Tensor | float):
        return 0.0
    magnitudes = np.abs(np.asarray(_numpy(answer), dtype=np.float64))
    return float(np.max(magnitudes, initial=0.0, where=np.isfinite(magnitudes)))


def _numpy(array: Any) -> np.ndarray:
    return array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else array


def _brief(value: Any) -> str:
    """Describe a wrong value briefly: by its text if that is short, or else by its type."""
    if isinstance(value, np.ndarray | torch.Tensor):
        return f"an array of shape {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
