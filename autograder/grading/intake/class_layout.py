"""How hand-ins are laid out: the folders around a class, or the hand-in of one student."""

from __future__ import annotations

from collections.abc import Collection

from autograder.grading.intake.known_files import Parts, is_archive, is_made_by_a_tool, is_notebook
from autograder.grading.intake.systems import METADATA, plain_sender, system_of

MAX_WRAPPERS = 3
"""How many folders or archives may lie around a class."""


def folders_around_class(files: Collection[Parts], assignment: str) -> Parts:
    """Return the folders, from the outermost, that lie around the hand-ins of the whole class.

    Such a folder is the only entry, has no notebook of its own, and holds at least two hand-ins, or
    what a learning management system has named (perhaps in one more folder), or one in a folder
    named after the assignment, or it is itself named after the assignment and holds folders.

    Parameters
    ----------
    files
        The paths of all files that were handed in.
    assignment
        The name of the assignment.
    """
    around: Parts = ()
    paths = [path for path in files if not is_made_by_a_tool(path)]
    while len(around) < MAX_WRAPPERS and (folder := _folder_around_class(paths, assignment)):
        around = (*around, folder)
        paths = [path[1:] for path in paths]
    return around


def _folder_around_class(paths: list[Parts], assignment: str) -> str | None:
    around = {path[0] for path in paths}
    inner = [path[1:] for path in paths]
    if len(around) != 1 or any(not path for path in inner):
        return None
    (folder,) = around
    if system_of(around):
        return None  # the hand-in of one student, as a system has named it
    below = {path[0] for path in inner}
    if system_of(below) or (len(below) == 1 and system_of(p[1] for p in inner if p[1:])):
        return folder
    if _is_of_one_student(inner, assignment):
        return None
    hand_ins = _hand_ins(inner)
    named = any(path[1:2] == (assignment,) and path[2:] for path in inner)
    if len(hand_ins) > 1 or (hand_ins and (named or folder == assignment)):
        return folder
    return None


def is_class(files: Collection[Parts], assignment: str) -> bool:
    """Whether these are the files of a class, and not those of a single student."""
    paths = [path for path in files if not is_made_by_a_tool(path)]
    if is_one_hand_in(paths, assignment):
        return False
    if folders_around_class(paths, assignment) or system_of({path[0] for path in paths}):
        return True
    return len(_hand_ins(paths)) > 1 and not _is_of_one_student(paths, assignment)


def is_one_hand_in(files: Collection[Parts], assignment: str) -> bool:
    """Whether these are the files of a single student: the only notebook outside is the one asked.

    Parameters
    ----------
    files
        The paths of all files that were handed in.
    assignment
        The name of the assignment.
    """
    outside = [path[0] for path in files if not path[1:] and is_notebook(path[0])]
    if (METADATA,) in files or system_of(path[0] for path in files):
        return False
    return len(outside) == 1 and not plain_sender(outside[0], assignment).name


def _hand_ins(paths: list[Parts]) -> set[str]:
    """Return the entries that may each be the hand-in of a student."""
    return {path[0] for path in paths if is_notebook(path[-1]) or is_archive(path[-1])}


def _is_of_one_student(paths: list[Parts], assignment: str) -> bool:
    """Whether there is a notebook outside of folders, or anything with the assignment's name."""
    return any(
        path[0] == assignment
        if path[1:]
        else is_notebook(path[0])
        or (is_archive(path[0]) and not plain_sender(path[0], assignment).name)
        for path in paths
    )
