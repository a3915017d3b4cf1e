"""Show the curves of a training while it runs: a picture in a notebook, a few lines elsewhere."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from helpers import progress
from helpers.course_runs import CourseRuns
from helpers.curve import headline, html, table_text
from helpers.history import History
from helpers.kernel import ipython_shell, is_graded

__all__ = ["LiveCurve", "live_curve"]

SECONDS = 1.0
"""The least time between two pictures, however short an epoch is."""


class LiveCurve:
    """The curves of a training, which a notebook shows and replaces after each epoch.

    Parameters
    ----------
    history
        The history, to which the training appends.
    epochs
        How many epochs the training has in all.
    course
        How the course's own trainings ended, if that is known.
    """

    def __init__(self, history: History, epochs: int, course: CourseRuns | None) -> None:
        self._history, self._epochs, self._course = history, epochs, course
        self._shell = _notebook()
        self._name = uuid.uuid4().hex
        self._there = False
        self._drawn = -float("inf")

    def update(self) -> None:
        """Show what the history holds now; in a terminal, the progress bar shows it already."""
        now = time.monotonic()
        if self._shell is not None and len(self._history) and now - self._drawn >= SECONDS:
            self._publish(finished=False)
            self._drawn = now

    def finish(self) -> None:
        """Leave a picture of all that was trained, which stays in the notebook."""
        if not len(self._history):
            return
        if self._shell is not None:
            self._publish(finished=True)
        elif self._course is not None:
            print(self._course)

    def _publish(self, *, finished: bool) -> None:
        picture = html(self._history, self._epochs, self._course, finished=finished)
        words = [headline(self._history, self._epochs), table_text(self._history)]
        words += [str(self._course)] if self._course else []
        # `display` of IPython does the same. It is not imported, because students' packages can do
        # without IPython.
        self._shell.display_pub.publish(
            data={"text/html": picture, "text/plain": "\n".join(words)},
            metadata={},
            transient={"display_id": self._name},
            update=self._there,
        )
        self._there = True


@contextmanager
def live_curve(
    history: History, epochs: int, course: CourseRuns | None, *, disable: bool
) -> Iterator[LiveCurve | None]:
    """Show curves during the block, and leave a picture when it ends, however it ends.

    Parameters
    ----------
    history, epochs, course
        As for `LiveCurve`.
    disable
        Whether to show nothing, as also while a submission is graded or within `progress.quiet`.
    """
    if disable or progress.is_quiet() or is_graded():
        yield None
        return
    curve = LiveCurve(history, epochs, course)
    curve.update()  # an interrupted training has epochs already
    try:
        yield curve
    finally:
        curve.finish()


def _notebook() -> Any:
    """Return the IPython shell if it belongs to the kernel of a notebook; otherwise None."""
    shell = ipython_shell()
    return shell if hasattr(shell, "kernel") else None
