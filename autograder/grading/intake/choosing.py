"""Choose the notebook of a hand-in, or the newest of several hand-ins of a student."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from autograder.grading.intake.known_files import is_made_by_a_tool, is_notebook, stem
from autograder.grading.intake.systems import without_copy_marks

SAME_TIME_SECONDS = 2.0
"""Two times that differ by no more are the same: a zip rounds its times to two seconds."""

MAX_COMPARED = 20
"""With more notebooks than these in a hand-in, none of them is compared with the release."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Choice:
    """The notebook of a hand-in.

    Attributes
    ----------
    notebook
        The notebook that was chosen.
    others
        The other notebooks.
    rivals
        Those among them that might be meant as well: they have the name of the assignment, or none
        has it, and their content is another.
    """

    notebook: Path
    others: list[Path]
    rivals: list[Path]


def notebooks_in(folder: Path) -> list[Path]:
    """Return the notebooks in a folder, without those of tools and those in hidden folders."""
    found = []
    for place, folders, files in os.walk(folder):
        parts = Path(place).relative_to(folder).parts
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        names = [n for n in files if is_notebook(n) and not _is_hidden(n)]
        paths = [folder.joinpath(*parts, name) for name in sorted(names)]
        found += [path for path in paths if path.is_file() and not path.is_symlink()]
    return found


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__")) or is_made_by_a_tool([name])


def choose_notebook(
    folder: Path, assignment: str, is_untouched: Callable[[Path], bool] = lambda path: False
) -> Choice | None:
    """Choose the notebook of a hand-in; None if there is none.

    A notebook that was changed comes before one that was only handed out, one with the name of the
    assignment (or a copy of it) before others, a newer one before an older one, the exact name
    before that of a copy, and one in an outer folder before one further inside.
    """
    found = notebooks_in(folder)
    if not found:
        return None
    likely = found
    if 1 < len(found) <= MAX_COMPARED:
        likely = [path for path in found if not is_untouched(path)] or found
    best = max(_likeness(path, assignment) for path in likely)
    likely = [path for path in likely if _likeness(path, assignment) == best]
    ranked = newest_first(
        likely,
        lambda path: path.stat().st_mtime,
        lambda path: (path.name == f"{assignment}.ipynb", -len(path.parts)),
    )
    notebook = ranked[0]
    others = [path for path in found if path != notebook]
    rivals = [path for path in ranked[1:] if path.read_bytes() != notebook.read_bytes()]
    return Choice(notebook, others, rivals)


def _likeness(path: Path, assignment: str) -> int:
    """Return how much a notebook's name is like that of the assignment."""
    name = _plain(without_copy_marks(stem(path.name))[0])
    return 2 if name == _plain(assignment) else int(_plain(assignment) in name)


def _plain(name: str) -> str:
    return name.casefold().replace("_", " ").replace("-", " ")


def newest_first(
    items: Iterable[Item],
    changed: Callable[[Item], float],
    otherwise: Callable[[Item], tuple],
) -> Sequence[Item]:
    """Sort from the newest to the oldest; `otherwise` decides among those as old as the newest."""
    items = sorted(items, key=changed, reverse=True)
    newest = changed(items[0]) - SAME_TIME_SECONDS if items else 0.0
    as_new = [item for item in items if changed(item) >= newest]
    return [*sorted(as_new, key=otherwise, reverse=True), *items[len(as_new) :]]
