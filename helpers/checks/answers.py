"""Obtain an answer from a student's function, and make sure that it has the right form."""

import math
import sysconfig
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from helpers.checks.pictures import Picture
from helpers.checks.result import Wrong, described

Array = np.ndarray

# Folders that contain no code of a student's: this package, and installed packages.
_NOT_STUDENTS = (str(Path(__file__).parents[1]), *sysconfig.get_paths().values())


def ask(call: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a student's function.

    Parameters
    ----------
    call
        The call as text for the messages, such as ``"quantize(w, 8)"``.
    function
        The student's function.
    *args, **kwargs
        Arguments of the call.

    Raises
    ------
    Wrong
        If the function raises, with the line in the message, or if `function` is not callable.
    """
    if not callable(function):
        raise Wrong(f"`{call}` needs a function or a class, but this is {kind(function)}.")
    try:
        return function(*args, **kwargs)
    except NotImplementedError:
        raise Wrong(
            f"`{call}` is not written yet: replace the lines below YOUR CODE HERE."
        ) from None
    except Exception as error:
        raise Wrong(f"`{call}` stopped with {described(error)}{_line_of(error)}.") from error


def expect(condition: bool, message: str, picture: Picture | None = None) -> None:
    """Raise `Wrong` with `message`, and with a picture if there is one, unless `condition` holds.

    A picture is drawn only then, so that it costs nothing where the condition holds.
    """
    if not condition:
        raise Wrong(message, picture)


def expect_keys(values: Any, keys: Collection[Any], none: str) -> None:
    """Raise `Wrong` unless `values` is a dictionary that has exactly the given keys.

    Parameters
    ----------
    values
        What a student filled in.
    keys
        The keys that it should have, in the order in which a message names them.
    none
        What is missing where a key is missing, such as ``"no accuracy"`` or ``"nothing"``.
    """
    expect(isinstance(values, Mapping), f"It should be a dict; yours is {kind(values)}.")
    if missing := [str(key) for key in keys if key not in values]:
        raise Wrong(f"There is {none} for {', '.join(missing)} yet.")
    if extra := [repr(key) for key in values if key not in keys]:
        raise Wrong(f"There should be {none} for {', '.join(extra)}.")


def kind(value: Any) -> str:
    """Return the type of a value in words, such as ``"a list"``."""
    names = {"ndarray": "a NumPy array", "NoneType": "None", "Tensor": "a tensor"}
    name = type(value).__name__
    return names.get(name, f"{'an' if name[0] in 'aeiou' else 'a'} {name}")


def shown(values: Array | Tensor) -> str:
    """Format a small array on one line like a Python list, such as ``[-1, 0.25, 2]``."""
    return _listed(values.tolist())


def _listed(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_listed, values))}]"
    return f"{values + 0:.4g}"  # adding 0 turns -0.0 into 0


def near(found: Tensor, expected: Tensor, within: float) -> bool:
    """Return whether every element is within `within` of the expected element."""
    return bool(((found - expected).abs() <= within).all())


def as_array(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Return `value` if it is a NumPy array of finite numbers of this shape, else raise `Wrong`."""
    expect(
        isinstance(value, Array),
        f"{name} should be a NumPy array; yours is {kind(value)}.",
    )
    _expect_shape(name, value.shape, shape)
    _expect_numbers(name, bool(np.isfinite(value).all()))
    return value


def as_tensor(name: str, value: Any, shape: tuple[int, ...]) -> Tensor:
    """Return `value` if it is a tensor of finite numbers of this shape, else raise `Wrong`."""
    expect(isinstance(value, Tensor), f"{name} should be a tensor; yours is {kind(value)}.")
    _expect_shape(name, value.shape, shape)
    _expect_numbers(name, bool(value.isfinite().all()))
    return value


def as_number(name: str, value: Any) -> float:
    """Return `value` if it is a finite number of Python, NumPy or PyTorch, else raise `Wrong`."""
    if isinstance(value, Array | Tensor) and math.prod(value.shape) == 1:
        value = value.item()
    expect(
        isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool),
        f"{name} should be a single number; yours is {kind(value)}.",
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
        f"{name} should be finite, without nan or infinity. Is something divided by zero?",
    )


def _line_of(error: Exception) -> str:
    """Quote the line of the student's code that failed, if it can be found."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.line and not frame.filename.startswith(_NOT_STUDENTS):
            return f"\nin the line `{frame.line}`"
    return ""
