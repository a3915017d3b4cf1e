"""Getting an answer from a student's function, and making sure that it has the right form."""

import math
import sysconfig
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from helpers.checks.result import Wrong, described

Array = np.ndarray

# Where no line of a student's is: these checks, and what is installed.
_NOT_STUDENTS = (str(Path(__file__).parents[1]), *sysconfig.get_paths().values())


def ask(call: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a student's function.

    Parameters
    ----------
    call : str
        The call in words, for the message: ``"quantize(w, 8)"``.
    function : callable
        The student's function.
    *args, **kwargs
        What it is called with.

    Raises
    ------
    Wrong
        If the function raises, naming its line; or if there is nothing to call.
    """
    if not callable(function):
        raise Wrong(f"`{call}` needs a function or a class, and this is {kind(function)}.")
    try:
        return function(*args, **kwargs)
    except NotImplementedError:
        raise Wrong(
            f"`{call}` is not written yet: replace the lines below YOUR CODE HERE."
        ) from None
    except Exception as error:
        raise Wrong(f"`{call}` stopped with {described(error)}{_line_of(error)}.") from error


def expect(condition: bool, message: str) -> None:
    """Raise `Wrong` with the message unless the condition holds."""
    if not condition:
        raise Wrong(message)


def kind(value: Any) -> str:
    """Name the type of a value as a person would: ``"a list"``."""
    names = {"ndarray": "a NumPy array", "NoneType": "None", "Tensor": "a tensor"}
    name = type(value).__name__
    return names.get(name, f"{'an' if name[0] in 'aeiou' else 'a'} {name}")


def shown(values: Array | Tensor) -> str:
    """Write a small array on one line, as Python writes a list: ``[-1, 0.25, 2]``."""
    return _listed(values.tolist())


def _listed(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_listed, values))}]"
    return f"{values + 0:.4g}"  # adding 0 makes a 0 of -0.0


def near(found: Tensor, expected: Tensor, within: float) -> bool:
    """Say whether no element is further than `within` from the expected one."""
    return bool(((found - expected).abs() <= within).all())


def as_array(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Return the value if it is a NumPy array of finite numbers in this shape."""
    expect(
        isinstance(value, Array),
        f"{name} should be a NumPy array; yours is {kind(value)}.",
    )
    _expect_shape(name, value.shape, shape)
    _expect_numbers(name, bool(np.isfinite(value).all()))
    return value


def as_tensor(name: str, value: Any, shape: tuple[int, ...]) -> Tensor:
    """Return the value if it is a tensor of finite numbers in this shape."""
    expect(isinstance(value, Tensor), f"{name} should be a tensor; yours is {kind(value)}.")
    _expect_shape(name, value.shape, shape)
    _expect_numbers(name, bool(value.isfinite().all()))
    return value


def as_number(name: str, value: Any) -> float:
    """Return the value if it is one finite number, of Python, NumPy or PyTorch."""
    if isinstance(value, Array | Tensor) and math.prod(value.shape) == 1:
        value = value.item()
    expect(
        isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool),
        f"{name} should be one number; yours is {kind(value)}.",
    )
    _expect_numbers(name, math.isfinite(value))
    return float(value)


def _expect_shape(name: str, found: Sequence[int], expected: Sequence[int]) -> None:
    expect(
        tuple(found) == tuple(expected),
        f"{name} should have the shape {tuple(expected)}; yours has {tuple(found)}.",
    )


def _expect_numbers(name: str, finite: bool) -> None:
    expect(
        finite,
        f"{name} is nan or infinite, at least in part. Is something divided by zero?",
    )


def _line_of(error: Exception) -> str:
    """Quote the last line of the student's that was running, if it can be found."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.line and not frame.filename.startswith(_NOT_STUDENTS):
            return f"\nin the line `{frame.line}`"
    return ""
