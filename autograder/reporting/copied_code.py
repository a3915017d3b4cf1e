"""Find the students of a class who handed in much the same code.

The method follows Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document
Fingerprinting", SIGMOD 2003 (MOSS). Code is cut into overlapping passages of `PASSAGE` tokens.
Comments, layout and the content of strings are ignored, and so are names, because they are easily
changed in a copy. Only keywords, Python's built-in functions and whatever follows a dot
(``np.linspace``) keep their names; otherwise all calls to a library would look the same. Passages
of the released notebook do not count. Winnowing itself, which keeps only a few passages of each
text so that the index of a large archive stays small, is not needed for a class: all are kept.

Two students *share* the passages that occur in both of their notebooks; the share is measured
relative to the notebook with fewer passages. Short correct answers are naturally alike, and what
half of the class wrote is no sign of copying. So passages are also weighted by how *rare* they are
in this class: by ``log((n + 1) / m)`` if `m` of `n` students have them. This second share is
measured relative to the smaller notebook, or to a typical (median) notebook of the class if that
weighs more; otherwise, whoever wrote nothing unusual would be similar to many others.

Two students are listed if they share nearly all of their code (`MOST`), or if they share at least
half of the rare code (`LEAST`), and much more of it than other pairs of the class do (`FAR`).

The library copydetect (0.5) implements winnowing, too, for files. Two things keep it from being
used here: it replaces the names that follow a dot, so that calls to numpy and torch look alike, and
it weights no passage by its rarity. A class that answers the same short questions needs both.
"""

from __future__ import annotations

import builtins
import keyword
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import sparse

from autograder.reporting.linked import groups

PASSAGE = 12
"""Tokens in a passage: about one short statement, such as ``w = w - rate * slope(X, y, w)``.

We measured 318 pairs of different answers to the same question (the solutions, the alternative
correct answers in ``tests/assignments``, and wrong answers that were collected). Depending on the
assignment, they share 4 % to 18 % of their passages of 12 tokens, 8 % to 26 % of those of 8 tokens,
and 1 % to 9 % of those of 20. The longer the passages, the fewer changes are needed to hide a copy.
"""

FEWEST_PASSAGES = 200
"""Notebooks with fewer passages are not compared, since they may hold only a few short answers.

The solutions of the assignments have between 950 and 1350 passages of their own.
"""

MOST = 0.95
"""Share of all passages, rare or not, above which two notebooks count as the same."""

LEAST = 0.5
"""Share of the rare code above which two students can be listed."""

FAR = 5.0
"""How far above the class's median pair a pair has to be, in robust standard deviations.

If the pairs of honest students were normally distributed, one of the 45,000 pairs of a class of 300
would lie beyond this limit in one class of 80.

We tried it on classes composed of the known answers (see `PASSAGE`): for each question, a student
has an answer of their own with a probability of 15 %, 30 % or 50 %, and any of the known ones
otherwise. In 48 classes each of 5, 8, 30 and 300 students, nobody was listed who had not copied. Of
the copies with a tenth of the answers rewritten, 182 of 192 were listed; with a fifth, 160; with
two fifths, 63. If no student has an answer of their own, the known answers are too few to tell 300
students apart: about three groups per class were listed that had not copied.
"""

LONGEST_CODE = 2**17
"""How many characters of a notebook's code are compared; the course's longest has 57,000."""


@dataclass(frozen=True)
class AlikeCode:
    """Students with much the same code.

    Attributes
    ----------
    students
        Two or more of them, in alphabetical order.
    share, rare
        Each of these students shares at least this part of the code, or of the rare code, with
        another of them; from 0 to 1.
    cells
        The cells that hold most of the shared code, at most three.
    """

    students: tuple[str, ...]
    share: float
    rare: float
    cells: tuple[str, ...]


@dataclass(frozen=True)
class ComparedCode:
    """How similar the code of the students of a class is.

    Attributes
    ----------
    groups
        The groups of students with much the same code, the largest first.
    usual, usual_rare
        The share of the code, and of the rare code, that two students have in common: the median
        over all pairs.
    cut
        The students whose code was too long, so that only its beginning was compared.
    """

    groups: tuple[AlikeCode, ...] = ()
    usual: float = 0.0
    usual_rare: float = 0.0
    cut: tuple[str, ...] = ()


def compare_code(code: Mapping[str, Mapping[str, str]], released: Iterable[str]) -> ComparedCode:
    """Compare the code of all students of a class.

    Parameters
    ----------
    code
        For each student, the source of the cells that students fill in or add, by the cell's name.
    released
        The code that all students were given.
    """
    base = np.unique(np.concatenate([_NONE, *(passages(source) for source in released)]))
    cut = tuple(sorted(s for s, cells in code.items() if _length(cells) > LONGEST_CODE))
    notebooks = {student: _Notebook.of(cells, base) for student, cells in sorted(code.items())}
    students = [s for s, notebook in notebooks.items() if len(notebook.passages) >= FEWEST_PASSAGES]
    if len(students) < 2:
        return ComparedCode(cut=cut)
    compared = [notebooks[student] for student in students]
    share, rare, weights = _shares(compared)
    pairs = np.triu_indices(len(students), k=1)
    usual, usual_rare = float(np.median(share[pairs])), float(np.median(rare[pairs]))
    # For a normal distribution, 1.4826 times the median deviation is the standard deviation.
    spread = 1.4826 * float(np.median(np.abs(rare[pairs] - usual_rare)))
    far = (rare > LEAST) & (rare > usual_rare + FAR * spread)
    found = []
    for group in groups(students, far | (share > MOST)):
        members = [students.index(student) for student in group]
        among = np.ix_(members, members)
        found.append(
            AlikeCode(
                group,
                float(share[among].max(axis=1).min()),
                float(rare[among].max(axis=1).min()),
                _common_cells([compared[member] for member in members], weights[members[0]]),
            )
        )
    found.sort(key=lambda entry: (-len(entry.students), entry.students))
    return ComparedCode(tuple(found), usual, usual_rare, cut)


# ------------------------------------------------------------------------------------------------
# Passages

_NONE = np.empty(0, dtype=np.uint64)
_TOKEN = re.compile(
    r"""(?sx)
    \#[^\n]*
    | (?P<string> \"{3}.*?(?:\"{3}|\Z) | '{3}.*?(?:'{3}|\Z)
        | "(?:[^"\\\n]|\\.)*"? | '(?:[^'\\\n]|\\.)*'? )
    | (?P<name> [^\W\d]\w*)
    | (?P<sign> \d[\w.]* | [^\w\s])
    """
)
# An unclosed string runs to the end of the text or line, so that the search takes linear time.
_KNOWN = frozenset(keyword.kwlist) | frozenset(dir(builtins))
# A passage's number is the sum of its tokens' numbers times these factors: practically unique.
_FACTORS = np.random.default_rng(0).integers(2**64, size=PASSAGE, dtype=np.uint64) | np.uint64(1)


def tokens(source: str) -> Iterator[str]:
    """Yield the tokens of some code, without comments; a name is ``v``, and a string is ``s``."""
    previous = ""
    for match in _TOKEN.finditer(source):
        if match["name"]:
            kept = previous == "." or match["name"] in _KNOWN
            yield match["name"] if kept else "v"
        elif match["string"]:
            yield "s"
        elif match["sign"]:
            yield match["sign"]
        previous = match[0]


def passages(source: str) -> NDArray[np.uint64]:
    """Return a number for each passage of some code; equal passages have equal numbers."""
    numbers = np.array(
        [zlib.crc32(token.encode(errors="replace")) for token in tokens(source)], dtype=np.uint64
    )
    if len(numbers) < PASSAGE:
        return _NONE
    return (sliding_window_view(numbers, PASSAGE) * _FACTORS).sum(axis=1, dtype=np.uint64)


@dataclass(frozen=True)
class _Notebook:
    """The distinct passages that a student wrote, in ascending order, and the cell of each."""

    passages: NDArray[np.uint64]
    cells: tuple[str, ...]
    cell_of: NDArray[np.intp]

    @classmethod
    def of(cls, cells: Mapping[str, str], base: NDArray[np.uint64]) -> _Notebook:
        room = LONGEST_CODE
        parts = [_NONE]
        for source in cells.values():
            parts.append(passages(source[:room]))
            room -= len(source[:room])
        found, first = np.unique(np.concatenate(parts), return_index=True)
        ends = np.cumsum([len(part) for part in parts[1:]])
        own = ~np.isin(found, base)
        return cls(found[own], tuple(cells), np.searchsorted(ends, first[own], side="right"))


def _length(cells: Mapping[str, str]) -> int:
    return sum(map(len, cells.values()))


# ------------------------------------------------------------------------------------------------
# Comparing


def _shares(
    notebooks: Sequence[_Notebook],
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float64]]]:
    """Return each pair's shares of all code and of rare code, and the weights of the passages.

    The share of a notebook with itself is set to zero. The weights are in a list, by notebook.
    """
    count = len(notebooks)
    ends = np.cumsum([0, *(len(notebook.passages) for notebook in notebooks)])
    _, columns = np.unique(
        np.concatenate([notebook.passages for notebook in notebooks]), return_inverse=True
    )
    weights = np.log((count + 1) / np.bincount(columns))
    has = sparse.csr_array((np.ones(len(columns)), columns, ends))
    common = (has @ has.T).toarray()
    rare = (has.multiply(weights) @ has.T).toarray()
    size, weight = np.diag(common).copy(), np.diag(rare).copy()
    np.fill_diagonal(common, 0)
    np.fill_diagonal(rare, 0)
    share = common / np.minimum.outer(size, size)
    rare /= np.maximum(np.minimum.outer(weight, weight), np.median(weight))
    return share, rare, np.split(weights[columns], ends[1:-1])


def _common_cells(group: Sequence[_Notebook], weights: NDArray[np.float64]) -> tuple[str, ...]:
    """Return the cells of the first notebook that have most in common with the others."""
    first, *others = group
    common = np.isin(first.passages, np.concatenate([other.passages for other in others]))
    per_cell = np.bincount(first.cell_of, weights=weights * common, minlength=len(first.cells))
    best = np.argsort(-per_cell, kind="stable")[:3]
    return tuple(first.cells[number] for number in best if per_cell[number] > 0)
