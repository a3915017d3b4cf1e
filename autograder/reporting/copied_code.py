"""Which students of a class handed in much the same code.

After Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting",
SIGMOD 2003 (MOSS). Code is cut into overlapping passages of `PASSAGE` tokens. Comments, layout and
the words of strings do not count, nor do names, for a copy is soon renamed; only keywords, Python's
built-in functions and what follows a dot (``np.linspace``) keep theirs, or all calls of a library
would be alike. Passages of the released notebook are nobody's. Winnowing itself, which keeps a few
passages of each text so that the index of a large archive stays small, is not needed for a class:
all are kept.

Two students *share* the passages that stand in both notebooks, measured against the notebook with
fewer of them. Short right answers are alike by nature, and what half of the class wrote is no sign
of copying. So passages are also weighted by how *rare* they are in this class, ``log((n + 1) / m)``
if `m` of `n` students have one; this share is measured against a usual notebook of the class where
the smaller one weighs less than that, or whoever wrote nothing unusual would be like many.

Two students are listed if nearly all of the code is shared (`MOST`), or if at least half of what is
rare is shared (`LEAST`) and much more than other pairs of the class share (`FAR`).
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
"""Tokens of a passage: about a short statement, such as ``w = w - rate * slope(X, y, w)``.

Measured on 318 pairs of different answers to one question (the solutions, the right answers of
another kind in ``tests/notebooks``, and wrong ones that were collected): they share 4 % to 18 % of
their passages of 12 tokens, depending on the assignment, 8 % to 26 % of 8, and 1 % to 9 % of 20.
The longer the passages, the fewer changes hide a copy.
"""

FEWEST_PASSAGES = 200
"""Of a notebook with fewer passages nothing is said, since it may hold nothing but a few short
answers. The solutions of the assignments have between 950 and 1350 of their own."""

MOST = 0.95
"""Share of all passages, rare or not, from which two notebooks are one."""

LEAST = 0.5
"""Share of what is rare."""

FAR = 5.0
"""Robust standard deviations above the median pair of the class. If the pairs of honest students
were normally distributed, one of the 45,000 of a class of 300 would lie beyond in one class of 80.

Tried on classes put together from the known answers (see `PASSAGE`), where each student has any of
them to each question, or an answer of their own with a chance of 15 %, 30 % or 50 %. In 48 classes
each of 5, 8, 30 and 300 students nobody was listed who had not copied. Of the copies with a tenth
of the answers rewritten, 182 of 192 were listed, with a fifth 160, with two fifths 63. Where nobody
has an answer of their own, the known ones do not tell 300 students apart: of those who had not
copied, about three groups a class were listed.
"""

LONGEST_CODE = 2**17
"""Characters of code that are compared, of one notebook. The longest of our own has 57,000."""


@dataclass(frozen=True)
class AlikeCode:
    """Students with much the same code.

    Attributes
    ----------
    students : tuple of str
    share, rare : float
        So much of the code of each, and of what is rare in it, at least, stands in the code of
        another of them; from 0 to 1.
    cells : tuple of str
        Where most of it stands, at most three.
    """

    students: tuple[str, ...]
    share: float
    rare: float
    cells: tuple[str, ...]


@dataclass(frozen=True)
class ComparedCode:
    """How alike the code of a class is.

    Attributes
    ----------
    groups : tuple of AlikeCode
        The largest first.
    usual, usual_rare : float
        What two students share: the median over all pairs.
    cut : tuple of str
        The students of whose code the beginning alone was compared.
    """

    groups: tuple[AlikeCode, ...] = ()
    usual: float = 0.0
    usual_rare: float = 0.0
    cut: tuple[str, ...] = ()


def compare_code(code: Mapping[str, Mapping[str, str]], released: Iterable[str]) -> ComparedCode:
    """Compare the code of all students of a class.

    Parameters
    ----------
    code : mapping
        Per student, what stands in each cell that students fill in or add, by the cell's name.
    released : iterable of str
        The code that all students were given.

    Returns
    -------
    ComparedCode
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
    # 1.4826 times the median deviation is the standard deviation, if the pairs are normal.
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
# An end that is missing is not looked for again from the next quotation mark: linear in any text.
_KNOWN = frozenset(keyword.kwlist) | frozenset(dir(builtins))
# A passage's number is the sum of its tokens' numbers, times these: as good as unique.
_FACTORS = np.random.default_rng(0).integers(2**64, size=PASSAGE, dtype=np.uint64) | np.uint64(1)


def tokens(source: str) -> Iterator[str]:
    """Yield what counts of a code: for a name ``v``, for a string ``s``, for a comment nothing."""
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
    """Return a number for each passage of a code; equal passages have equal numbers."""
    numbers = np.array(
        [zlib.crc32(token.encode(errors="replace")) for token in tokens(source)], dtype=np.uint64
    )
    if len(numbers) < PASSAGE:
        return _NONE
    return (sliding_window_view(numbers, PASSAGE) * _FACTORS).sum(axis=1, dtype=np.uint64)


@dataclass(frozen=True)
class _Notebook:
    """The passages that a student wrote, each once and ascending, and the cell of each."""

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
    """Return what any two share, of all and of what is rare, and the weights of the passages.

    Nobody shares anything with themselves.
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
