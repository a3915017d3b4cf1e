"""Misconceptions: wrong solutions that students really write, with a TA's explanation of each."""

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
    name
        Name of the mistake, such as ``"power_of_two_steps"``; unique within its assignment.
    of
        The reference, a function or class.
    wrong
        The wrong solution; it takes the same arguments as the reference.
    explanation
        What the student reads: what is wrong, and a hint at the right idea.
    """

    name: str
    of: Callable[..., Any]
    wrong: Callable[..., Any]
    explanation: str

    @property
    def assignment(self) -> str:
        """The assignment that it belongs to: the folder of the module that defines it."""
        return self.wrong.__module__.removesuffix(".misconceptions").rpartition(".")[2]

    @property
    def source(self) -> str:
        """The source of a student's cell with this wrong solution.

        The solution has the name that the question asks for, and no docstring. The cell runs in the
        notebook, after the notebook's imports and earlier cells.
        """
        text = textwrap.dedent(inspect.getsource(self.wrong))
        definition = ast.parse(text).body[0]
        assert isinstance(definition, ast.FunctionDef | ast.ClassDef)
        docstring = definition.body[0]
        assert docstring.end_lineno is not None
        lines = text.splitlines()
        # A definition begins with its `def` or `class`, so the decorator above it is left out.
        header = lines[definition.lineno - 1 : docstring.lineno - 1]
        body = "\n".join(lines[docstring.end_lineno :]).strip("\n")
        header[0] = header[0].replace(f" {self.name}", f" {self.of.__name__}", 1)
        return "\n".join([*header, body]) + "\n"


# In order of definition. The keys are module and name: a reloaded module replaces its own entries.
_registered: dict[tuple[str, str], Misconception] = {}


def misconception(of: Callable[..., Any]) -> Callable[[Wrong], Wrong]:
    """Register the decorated function or class as a wrong solution.

    Parameters
    ----------
    of
        The reference, a function or class. The wrong solution takes the same arguments, and its
        docstring is the explanation. It may use the notebook's imports (``np``, ``torch``, ``nn``,
        ``F``) and, by name, whatever other questions of the notebook define.

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
    """Return the known wrong solutions of this function or class, in order of definition."""
    return [m for m in _registered.values() if m.of is reference]


def misconceptions_in(assignment: str) -> list[Misconception]:
    """Return the known wrong solutions of an assignment's questions, in order of definition."""
    return [m for m in _registered.values() if m.assignment == assignment]


# Importing a module registers its wrong solutions. The modules import what is defined above.
for _name in assignments():
    part(_name, "misconceptions")
