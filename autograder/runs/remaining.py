"""The progress bar of a reference run, and the time that is left for all of its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from autograder.runs.tasks import Task, experiment_of
from autograder.runs.training import length
from helpers.progress import bar

LINE = (
    "{percentage:3.0f}%|{bar}| {n:g}/{total:g} epochs, {elapsed} so far, {remaining} left{postfix}"
)


class TasksBar:
    """A progress bar over tasks of different length; `tasks_bar` makes it."""

    def __init__(self, shown: Any, share: float) -> None:
        self._shown = shown
        self._share = share

    def finished(self, task: Task) -> None:
        """Count a task as done."""
        self._shown.set_postfix_str(task.label, refresh=False)
        self._shown.update(epochs(task, self._share))

    def write(self, text: str) -> None:
        """Print a text above the bar, unless it is empty."""
        if text:
            self._shown.write(text)


@contextmanager
def tasks_bar(tasks: Iterable[Task], left: Iterable[Task], share: float) -> Iterator[TasksBar]:
    """Show a progress bar in the block; it expects that the rest goes on at the pace so far.

    Parameters
    ----------
    tasks
        All tasks of the run.
    left
        Those that are not done yet.
    share
        The share of the epochs of `full` that is trained, above 0 and at most 1.
    """
    total = sum(epochs(task, share) for task in tasks)
    initial = total - sum(epochs(task, share) for task in left)
    # Without smoothing, the pace is the mean over the whole run, not that of the last tasks.
    with bar(total=total, initial=initial, smoothing=0, bar_format=LINE) as shown:
        yield TasksBar(shown, share)


def epochs(task: Task, share: float) -> int:
    """Return the epochs that a task trains; a task that only measures counts as one epoch."""
    if task.kind not in ("train", "frozen"):
        return 1
    return length(experiment_of(task), share).total
