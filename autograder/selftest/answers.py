"""Answers to questions whose right verdict is known, and the files in which they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.errors import UserError

Kind = Literal["mutant", "misconception", "wrong", "right"]

_HEADER = re.compile(r"#@ (?P<cell>\w+) (?P<label>\S+)( is (?P<name>\w+))?")


@dataclass(frozen=True)
class Answer:
    """An answer to a question, which stands in one solution cell of a notebook.

    Attributes
    ----------
    cell
        Name (nbgrader's ``grade_id``) of the solution cell.
    label
        What is done differently, such as ``"divides_by_n"``; unique within its cell and kind.
    source
        The code.
    kind
        Where the answer comes from. All answers are wrong but those of the kind ``"right"``.
    replaces
        Whether the code stands in place of the solution. Otherwise it runs after the solution and
        may define some of its names anew.
    name
        The misconception that it shows, if it shows a known one.
    """

    cell: str
    label: str
    source: str
    kind: Kind
    replaces: bool = False
    name: str | None = None


def read_answers(path: Path, kind: Kind) -> list[Answer]:
    """Read answers that were written by hand.

    Parameters
    ----------
    path
        The file. Each answer begins with a line ``#@ CELL LABEL``, and its code follows. A wrong
        answer that shows a known misconception begins with ``#@ CELL LABEL is NAME``.
    kind
        The kind of all answers in the file.

    Raises
    ------
    autograder.errors.UserError
        If one of these lines has another form, or there is anything but comments before the first.
    """
    before, *parts = re.split(r"^(?=#@)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if any(line.strip() and not line.startswith("#") for line in before.splitlines()):
        raise UserError(f"{path}: an answer begins with a line `#@ CELL LABEL`.")
    return [_answer(path, part, kind) for part in parts]


def _answer(path: Path, part: str, kind: Kind) -> Answer:
    first, _, code = part.partition("\n")
    header = _HEADER.fullmatch(first.rstrip())
    if header is None:
        raise UserError(f"{path}: write `#@ CELL LABEL` or `#@ CELL LABEL is NAME`, not `{first}`.")
    source = code.strip("\n") + "\n"
    return Answer(header["cell"], header["label"], source, kind, name=header["name"])
