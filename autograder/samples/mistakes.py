"""Samples with misconceptions: all misconceptions of an assignment, in few submissions."""

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
    """Distribute misconceptions over submissions.

    Like a real student, a sample makes several mistakes, but in questions that do not depend on
    each other: a wrong function can be recognised by its answers only if all that it calls is
    correct.
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

    The wrong definition follows the correct one in the same cell, as if a student had tried again.

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
