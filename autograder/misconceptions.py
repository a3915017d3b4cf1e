"""A misconception: a wrong solution that students really write, and what a TA says about it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from autograder.assignments import assignments, part

Wrong = TypeVar("Wrong", bound=Callable[..., Any])


@dataclass(frozen=True)
class Misconception:
    """A known wrong solution of a question.

    Attributes
    ----------
    name : str
        What the mistake is called, like ``"power_of_two_steps"``; unique in its assignment.
    of : function or class
        The reference that it should have been.
    wrong : function or class
        The wrong solution, called like the reference.
    explanation : str
        For the student: what is wrong, and a hint to the right idea.
    """

    name: str
    of: Callable[..., Any]
    wrong: Callable[..., Any]
    explanation: str

    @property
    def assignment(self) -> str:
        """The assignment it belongs to: the folder of the module that it is written in."""
        return self.wrong.__module__.removesuffix(".misconceptions").rpartition(".")[2]

    @property
    def source(self) -> str:
        """The wrong solution as a student's cell: under the name asked for, without comment.

        It runs in the notebook, after its imports and the cells before it.
        """
        text = textwrap.dedent(inspect.getsource(self.wrong))
        definition = ast.parse(text).body[0]
        assert isinstance(definition, ast.FunctionDef | ast.ClassDef)
        docstring = definition.body[0]
        assert docstring.end_lineno is not None
        lines = text.splitlines()
        # A definition's line is that of its `def` or `class`: the decorator above it goes.
        header = lines[definition.lineno - 1 : docstring.lineno - 1]
        body = "\n".join(lines[docstring.end_lineno :]).strip("\n")
        header[0] = header[0].replace(f" {self.name}", f" {self.of.__name__}", 1)
        return "\n".join([*header, body]) + "\n"


# In order of definition. By module and name, so that a module that is reloaded replaces its own.
_registered: dict[tuple[str, str], Misconception] = {}


def misconception(of: Callable[..., Any]) -> Callable[[Wrong], Wrong]:
    """Register the decorated function or class as a wrong solution.

    Parameters
    ----------
    of : function or class
        The reference. The wrong solution takes the same arguments; its docstring is the
        explanation. Beside the notebook's imports (``np``, ``torch``, ``nn``, ``F``) it may use
        what other questions of the notebook define, by their names.

    Raises
    ------
    ValueError
        If there is no docstring to explain the mistake.
    """

    def register(wrong: Wrong) -> Wrong:
        # Not inspect.getdoc: that would take over the docstring of a base class.
        if not wrong.__doc__:
            raise ValueError(f"{wrong.__name__} needs a docstring: it is what the student reads.")
        explanation = " ".join(wrong.__doc__.split())
        found = Misconception(wrong.__name__, of, wrong, explanation)
        _registered[wrong.__module__, wrong.__name__] = found
        return wrong

    return register


def misconceptions_of(reference: Callable[..., Any]) -> list[Misconception]:
    """Return the known wrong solutions of this very function or class, in order of definition."""
    return [m for m in _registered.values() if m.of is reference]


def misconceptions_in(assignment: str) -> list[Misconception]:
    """Return the known wrong solutions of an assignment's questions, in order of definition."""
    return [m for m in _registered.values() if m.assignment == assignment]


# A wrong solution is registered when its module is imported, which needs all that stands above.
for _name in assignments():
    part(_name, "misconceptions")
