"""Check networks that the student's code changes: they are built where that code runs."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from torch import Tensor

from autograder.hidden.student import Handle, student, value


def home_of(implementation: Any, **modules: Any) -> Any:
    """Return the object through which an implementation finds its modules.

    A network that the student's function changes has to be built on the student's side, and a
    network that the reference changes on the grader's side. In a function for
    ``same(through=...)``, ``home.nn.Linear(4, 3)`` is right for both.

    Parameters
    ----------
    implementation
        The student's function or class, or the grader's.
    **modules
        The grader's modules under the names that they have in the notebook, such as ``nn=nn``.

    Returns
    -------
    object
        An object with these modules as attributes: `student`, or a namespace with `modules`.
    """
    return student if isinstance(implementation, Handle) else SimpleNamespace(**modules)


def parameters_of(model: Any, names: Iterable[str]) -> dict[str, Tensor]:
    """Copy parameters of a network, since the network itself may change later.

    Parameters
    ----------
    model
        The network, or a handle to it.
    names
        Names of the parameters, such as ``"0.weight"``.

    Returns
    -------
    dict
        The copies by the names of the parameters.

    Raises
    ------
    StudentError
        If the network no longer has a parameter of that name.
    """
    return {name: value(model.get_parameter(name)).detach().clone() for name in names}
