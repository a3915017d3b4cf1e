"""Join pairs of students that have something in common into groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components


def groups(students: Sequence[str], linked: NDArray) -> list[tuple[str, ...]]:
    """Return the groups of two or more students that are linked, directly or through others.

    Parameters
    ----------
    students
        The names of the n students.
    linked
        Array of truth values, (n, n): whether two of the students have something in common.
    """
    if not students:
        return []
    _, numbers = connected_components(linked, directed=False)
    found: dict[int, list[str]] = defaultdict(list)
    for student, number in zip(students, numbers.tolist(), strict=True):
        found[number].append(student)
    return [tuple(group) for group in found.values() if len(group) > 1]
