"""The form of a hostile submission, and the corpus to which modules add their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hostile_course import Assignment
from nbformat import NotebookNode

from autograder.grading.intake.names import safe_name


@dataclass(frozen=True)
class HandIn:
    """The hand-in of one student.

    Attributes
    ----------
    notebook
        The notebook; as bytes, any content of its file; None if there is no file.
    files
        Further files, by their path in the hand-in.
    arrange
        A function that is called at the end, with the folder of the hand-in, to change it.
    """

    notebook: NotebookNode | bytes | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    arrange: Callable[[Path], None] = lambda folder: None


@dataclass(frozen=True)
class Hostile:
    """An entry of the corpus.

    Attributes
    ----------
    name
        The name of the attack, in words.
    hand_in
        A function that makes the hand-in.
    earns
        The questions for which the answers of the notebook honestly earn points.
    flag
        A pattern of the flags that a person must see; empty if there need be none.
    says
        A pattern of what the cells print if the attack was carried out as intended.
    folder
        The name of the folder that is handed in.
    """

    name: str
    hand_in: Callable[[Assignment], HandIn | NotebookNode]
    earns: frozenset[str]
    flag: str
    says: str
    folder: str

    @property
    def student(self) -> str:
        """The name of its student in the course."""
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
