"""Fingerprints of secrets: which lines give a secret away, and where they occur in a text.

A line such as ``return w`` is in every program; a leak is something that would hardly be there by
chance. So secrets are compared by their *fingerprints*: for each line of a secret, the shortest run
of lines starting there that has `CODE_WORDS` words of code or `PROSE_WORDS` words of prose. A long
line is a fingerprint by itself, and a short line only together with the lines that follow. Imports,
signatures and ``super().__init__`` are not fingerprints, because they reveal no answer.

The comparison ignores what an author may easily change: white space and line breaks, the kind of
quotation marks, and comments (in code) or punctuation and capitals (in prose).
"""

from __future__ import annotations

import ast
import keyword
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from typing import NamedTuple

CODE_WORDS = 5
"""How many names and numbers (keywords aside) a run of code lines needs to be a fingerprint.

Idioms have fewer: ``model.eval()``, ``loss.backward()``, ``with torch.no_grad():``,
``for bits in (8, 4, 2):``. Formulas have more: ``scale = (high - low) / (2**bits - 1)``.
"""

PROSE_WORDS = 8
"""How many words a run of prose lines needs: in comments, docstrings and written answers.

The fixed phrases of documentation have fewer, such as "w : float tensor of any shape".
"""


class Kind(Enum):
    """The kind of a text, which decides how it is compared."""

    CODE = "code"
    PROSE = "prose"


class Origin(NamedTuple):
    """Where a secret comes from, for messages."""

    kind: str
    name: str


@dataclass(frozen=True)
class Secret:
    """Consecutive lines that students must not see.

    Attributes
    ----------
    kind
        Whether the lines are code or prose.
    origin
        Where the secret comes from.
    lines
        The lines; code is without its comments.
    """

    kind: Kind
    origin: Origin
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Fingerprint:
    """A run of lines that gives a secret away.

    Attributes
    ----------
    words
        Its normal form: words and signs, each between two spaces.
    kind
        The kind of the secret.
    origin
        The origin of the secret.
    text
        Its first line, for messages.
    """

    words: str
    kind: Kind
    origin: Origin
    text: str


class Fingerprints:
    """The fingerprints of many secrets, to be searched for in many texts.

    Parameters
    ----------
    secrets
        The secrets.
    public
        Text that everybody may see; fingerprints that occur in it are left out. By default there is
        none.
    """

    def __init__(self, secrets: Iterable[Secret], public: str = "") -> None:
        self._all: dict[tuple[Kind, str], list[Fingerprint]] = defaultdict(list)
        for secret in secrets:
            for fingerprint in fingerprints(secret):
                self._all[fingerprint.kind, fingerprint.words.split()[0]].append(fingerprint)
        known = {id(fingerprint) for _, fingerprint in self.find(public)}
        for start, group in self._all.items():
            self._all[start] = [one for one in group if id(one) not in known]

    def find(self, text: str) -> list[tuple[int, Fingerprint]]:
        """Return the fingerprints in a text, each with the line (from 1) where it first occurs."""
        streams = _streams(text)
        vocabulary = {(kind, word) for kind in Kind for s in streams[kind] for word in s.words}
        found = []
        for start in vocabulary & self._all.keys():
            for fingerprint in self._all[start]:
                places = [stream.find(fingerprint.words) for stream in streams[fingerprint.kind]]
                if line := min((place for place in places if place), default=None):
                    found.append((line, fingerprint))
        return sorted(found, key=lambda place: (place[0], place[1].words))


def _streams(text: str) -> dict[Kind, list[_Stream]]:
    lines = text.split("\n")
    code = _Stream(lines, lambda line: _code_words(_without_comment(line)))
    # Code in a comment gives an answer away as well.
    commented = _Stream(lines, lambda line: _code_words(line.replace("#", " ")))
    return {Kind.CODE: [code, commented], Kind.PROSE: [_Stream(lines, _prose_words)]}


class _Stream:
    """The words of a text in order, and the line of each."""

    def __init__(self, lines: Iterable[str], words: Callable[[str], list[str]]) -> None:
        parts = [_joined(words(line)) for line in lines]
        self._text = " " + "".join(parts)
        self._ends = list(accumulate(len(part) for part in parts))

    @property
    def words(self) -> set[str]:
        return set(self._text.split())

    def find(self, words: str) -> int | None:
        """Return the number of the line where a run of words begins; None if it does not occur."""
        place = self._text.find(words)
        return None if place < 0 else bisect_right(self._ends, place) + 1


def fingerprints(secret: Secret) -> Iterator[Fingerprint]:
    """Yield a fingerprint for each line of a secret that begins a long enough run."""
    code = secret.kind is Kind.CODE
    words = [_code_words(line) if code else _prose_words(line) for line in secret.lines]
    telling = [_telling_words(line) if code else len(line) for line in words]
    enough = CODE_WORDS if code else PROSE_WORDS
    for start, text in enumerate(secret.lines):
        counts = accumulate(telling[start:])
        length = next((n for n, count in enumerate(counts, start=1) if count >= enough), None)
        if words[start] and length:
            run = _joined(word for line in words[start : start + length] for word in line)
            yield Fingerprint(f" {run}", secret.kind, secret.origin, text.strip())


def code_secrets(source: str, numbers: Iterable[int], origin: Origin) -> list[Secret]:
    """Return lines of a Python source as secrets: runs of code, of comments and of docstrings.

    Parameters
    ----------
    source
        The whole source.
    numbers
        The numbers of its secret lines, counted from 1, in ascending order.
    origin
        Where the secret comes from.
    """
    texts = source.split("\n")
    interface, docstrings = _structure(source)
    secrets: list[Secret] = []
    code: list[str] = []
    prose: list[str] = []

    def end(kind: Kind, run: list[str]) -> None:
        if run:
            secrets.append(Secret(kind, origin, tuple(run)))
            run.clear()

    previous = 0
    for number in numbers:
        statement = _without_comment(texts[number - 1])
        comment = texts[number - 1][len(statement) :]
        if number != previous + 1 or number in interface:
            end(Kind.CODE, code)
        if number != previous + 1 or (statement.strip() and number not in docstrings):
            end(Kind.PROSE, prose)
        if number in docstrings:
            prose.append(texts[number - 1])
        else:
            if comment:
                prose.append(comment)
            if statement.strip() and number not in interface:
                code.append(statement)
        previous = number
    end(Kind.CODE, code)
    end(Kind.PROSE, prose)
    return secrets


def prose_secret(texts: Iterable[str], origin: Origin) -> Secret:
    """Return a text as a secret with one sentence per line."""
    sentences = [part for text in texts for part in re.split(r"(?<=[.!?:;])\s+", text)]
    return Secret(Kind.PROSE, origin, tuple(sentences))


def _joined(words: Iterable[str]) -> str:
    return "".join(f"{word} " for word in words)


def _without_comment(line: str) -> str:
    # A # in a string cuts the line too, which does no harm: both sides are cut in the same way.
    return line.partition("#")[0]


def _code_words(line: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", line.replace("'", '"'))


def _prose_words(line: str) -> list[str]:
    return re.findall(r"\w+", line.casefold())


def _telling_words(words: Iterable[str]) -> int:
    return sum(
        word[0].isalnum() or word[0] == "_"
        for word in words
        if not keyword.iskeyword(word) and word != "self"
    )


def _structure(source: str) -> tuple[set[int], set[int]]:
    """Return the numbers of the lines that belong to interfaces, and of those in docstrings.

    Both sets are empty if the text is not valid Python (a cell with a magic command, say).
    """
    interface: set[int] = set()
    docstrings: set[int] = set()
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return interface, docstrings
    for node in ast.walk(tree):
        match node:
            case ast.Import() | ast.ImportFrom():
                interface |= _span(node)
            case ast.FunctionDef() | ast.ClassDef():
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                interface |= set(range(first, max(node.lineno + 1, node.body[0].lineno)))
            case ast.Expr(value=ast.Constant(value=str())):
                docstrings |= _span(node)
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="__init__"))):
                interface |= _span(node)
    return interface, docstrings


def _span(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
