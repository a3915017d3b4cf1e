"""Asking about networks that the student's code changes: they are built where that code runs."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from torch import Tensor

from autograder.hidden.student import Handle, student, value


def home_of(implementation: Any, **modules: Any) -> Any:
    """Return where an implementation finds its modules.

    A network that a student's function changes has to be built on the student's side, and one that
    the reference changes on ours. In a function for ``same(through=...)``, ``home.nn.Linear(4, 3)``
    is right for both.

    Parameters
    ----------
    implementation : Handle or callable
        The student's function or class, or one of ours beside it.
    **modules
        Ours, under the names that they have in the notebook: ``nn=nn``.

    Returns
    -------
    object
        With these modules as attributes: `student`, or a namespace of ours.
    """
    return student if isinstance(implementation, Handle) else SimpleNamespace(**modules)


def parameters_of(model: Any, names: Iterable[str]) -> dict[str, Tensor]:
    """Copy parameters of a network, since those of our own networks go on changing.

    Parameters
    ----------
    model : Handle or Module
    names : iterable of str
        Such as ``"0.weight"``.

    Returns
    -------
    dict from name to tensor

    Raises
    ------
    StudentError
        If the network has no such parameter any more.
    """
    return {name: value(model.get_parameter(name)).detach().clone() for name in names}
