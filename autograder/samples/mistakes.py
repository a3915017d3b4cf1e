"""Samples that hold misconceptions: all of an assignment's, in as few submissions as will do."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

from nbformat import NotebookNode

from autograder.misconceptions import Misconception
from autograder.notebook.source import nbgrader_marks
from autograder.samples.dependencies import Dependencies, used_names


def shared_out(
    misconceptions: Sequence[Misconception], dependencies: Dependencies
) -> list[list[Misconception]]:
    """Share misconceptions out among submissions.

    As students do, one makes several mistakes, but in questions that have nothing to do with each
    other: what a wrong function answers can be recognised only while all that it calls is right.
    """
    shares: list[list[Misconception]] = []
    for misconception in misconceptions:
        for share in shares:
            if all(_apart(misconception, other, dependencies) for other in share):
                share.append(misconception)
                break
        else:
            shares.append([misconception])
    return shares


def _apart(one: Misconception, other: Misconception, dependencies: Dependencies) -> bool:
    def needs(user: Misconception, used: Misconception) -> bool:
        names = {user.of.__name__, *used_names(user.source)}
        return used.of.__name__ in dependencies.below(names)

    return not needs(one, other) and not needs(other, one)


def with_misconceptions(solved: NotebookNode, share: Sequence[Misconception]) -> NotebookNode:
    """Return the solved notebook with some functions replaced by wrong ones.

    A wrong definition follows the right one in the same cell, as when a student tries again.

    Raises
    ------
    LookupError
        If no solution cell defines a function of that name.
    """
    changed = copy.deepcopy(solved)
    for misconception in share:
        name = misconception.of.__name__
        defines = re.compile(rf"(?m)^(def|class) {re.escape(name)}\b")
        cells = [cell for cell in changed.cells if nbgrader_marks(cell).get("solution")]
        cell = next((cell for cell in cells if defines.search(cell.source)), None)
        if cell is None:
            raise LookupError(f"no solution cell defines {name}")
        cell.source += "\n\n\n" + misconception.source
    return changed
