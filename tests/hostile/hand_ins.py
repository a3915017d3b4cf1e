"""What a hostile submission is, and the list of them that modules add theirs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hostile_course import Assignment
from nbformat import NotebookNode

from autograder.grading.intake.names import safe_name


@dataclass(frozen=True)
class HandIn:
    """What comes from one student.

    Attributes
    ----------
    notebook : NotebookNode, bytes or None
        In bytes, whatever lies in its place.
    files : mapping of str to bytes
        Further files, by their place.
    arrange : callable
        Gets the folder when all this is in it, to do what is left to do.
    """

    notebook: NotebookNode | bytes | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    arrange: Callable[[Path], None] = lambda folder: None


@dataclass(frozen=True)
class Hostile:
    """An entry of the corpus.

    Attributes
    ----------
    name : str
        Says in words what it is.
    hand_in : callable
        Makes it.
    earns : frozenset of str
        The questions that the same notebook would honestly get its points for.
    flag : str
        Pattern of what a person must be told; empty where there is nothing to tell.
    says : str
        Pattern of what its cells print when the attack was carried out as it was meant.
    folder : str
        The name that it comes with.
    """

    name: str
    hand_in: Callable[[Assignment], HandIn | NotebookNode]
    earns: frozenset[str]
    flag: str
    says: str
    folder: str

    @property
    def student(self) -> str:
        """The name that it has in the course."""
        return safe_name(self.folder)


CORPUS: dict[str, Hostile] = {}

Attack = Callable[[Assignment], HandIn | NotebookNode]


def hostile(
    *earns: str, flag: str = "", says: str = "", folder: str | None = None
) -> Callable[[Attack], Attack]:
    """Put the decorated function into the corpus; its docstring says what the submission tries."""

    def enter(attack: Attack) -> Attack:
        name = attack.__name__.replace("_", "-")
        assert attack.__doc__
        assert name not in CORPUS
        CORPUS[name] = Hostile(name, attack, frozenset(earns), flag, says, folder or name)
        return attack

    return enter
