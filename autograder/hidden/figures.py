"""Compare as data what a student's figure shows: its lines, their scale and their names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograder.hidden.checks import Check
from autograder.hidden.compare import difference
from autograder.hidden.student import Handle, StudentError, student, value
from helpers.checks.figures import (
    Panel,
    log10_line,
    loss_and_weights,
    names_number,
    panels_of,
    titles_of,
    weights_alone,
)

NO_FIGURE = "There is no figure with lines: return the figure that you draw (`return figure`)."
TWO_PANELS = "One panel should show the loss (one line), and another all weights (one line each)."

FLOOR = -20.0
"""The log10 of the loss below which drawn runs are not compared.

A residual of 1e-10 is known with a relative error of about 1e-15 / 1e-10, and the loss with twice
that. Further down the curve shows rounding errors, which differ between right implementations.
"""
LOSS_WITHIN = 1e-3
"""Largest difference allowed in log10.

The error above is 1e-5 at the floor, and a line that is moved by this difference looks the same.
"""
WEIGHTS_WITHIN = 1e-6


def figure_panels(figures: Any) -> list[Panel]:
    """Read the panels of one or more figures, and close the student's figures.

    Parameters
    ----------
    figures
        A figure, a handle to one, or a list or tuple of these.

    Raises
    ------
    StudentError
        If there is no figure, or none of them has lines.
    """
    try:
        found = panels_of(_plain(figures), value)
    finally:
        with suppress(StudentError):
            # In a notebook, an open figure would be shown below the score.
            student.plt.close("all")
    if not found:
        raise StudentError(NO_FIGURE)
    return found


def _plain(figures: Any) -> Any:
    """Return the list or tuple behind a handle, and anything else unchanged."""
    return figures._ask(op="get") if isinstance(figures, Handle) else figures


def shown_run(figures: Any, run: np.ndarray) -> dict[str, np.ndarray]:
    """Return the lines of a figure that shows a run.

    Parameters
    ----------
    figures
        A figure, a handle to one, or a list or tuple of these.
    run
        The weights ``(steps + 1, d)`` that the figure should show; see `weights_alone`.

    Returns
    -------
    dict
        ``"log10 of the loss"`` holds the points ``(N, 2)`` of that line without its gaps, and
        ``"weights"`` the points ``(d, N, 2)`` of the lines in the other panel. They are sorted, so
        that their order in the figure does not matter.

    Raises
    ------
    StudentError
        If the figure has no panel for the loss, or none for the weights.
    """
    found = loss_and_weights(figure_panels(figures))
    if found is None:
        raise StudentError(TWO_PANELS)
    loss, weights = found[0], weights_alone(found[1], run)
    if weights.log_scale:
        raise StudentError(
            "The weights need an ordinary y axis: a logarithmic one has no place for zero or for "
            "negative weights."
        )
    if loss.log_steps or weights.log_steps:
        raise StudentError(
            "The steps need an ordinary x axis: a logarithmic one has no place for step 0."
        )
    if len({line.shape for line in weights.lines}) != 1:
        raise StudentError("Every line of the weights should have a point for every step.")
    return {"log10 of the loss": log10_line(loss), "weights": _in_order(weights.lines)}


def _in_order(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Sort lines by their rounded values: rounding errors do not change the order."""
    ordered: list[np.ndarray] = sorted(lines, key=_values)
    return np.stack(ordered)


def _values(line: np.ndarray) -> list[float]:
    return line[:, 1].round(6).tolist()


def drawn_by(plot: Callable[..., Any], *run: Any) -> dict[str, np.ndarray]:
    """Let an implementation draw a run, and return the lines that it shows.

    This is for ``same(through=...)``.
    """
    if isinstance(plot, Handle):
        return shown_run(plot(*run), run[0])
    if "matplotlib.pyplot" not in sys.modules:
        # The grader may have no screen, and a wrong solution should not open windows on it.
        import matplotlib

        matplotlib.use("Agg")
    from matplotlib import pyplot

    before = set(pyplot.get_fignums())
    try:
        return shown_run(plot(*run), run[0])
    finally:
        for number in set(pyplot.get_fignums()) - before:
            pyplot.close(number)


def draws(
    figures: Any,
    weights: np.ndarray,
    losses: np.ndarray,
    *,
    label: str = "figure",
    weight: float = 1.0,
) -> Check:
    """Check that a figure shows a run.

    Parameters
    ----------
    figures
        A handle to a figure, or to a list or tuple of figures.
    weights
        The weights ``(steps + 1, d)`` of the run that the figure should show.
    losses
        The losses ``(steps + 1,)`` of the run; they are compared only down to `FLOOR`.
    label
        What was checked.
    weight
        Weight of the check among all checks of its question.
    """
    try:
        shown = shown_run(figures, weights)
    except StudentError as error:
        return Check(label, 0.0, str(error), weight)
    steps = np.arange(len(losses))
    expected = _in_order([np.column_stack([steps, w]) for w in weights.T])
    if found := difference(
        shown["weights"], expected, WEIGHTS_WITHIN, what="the lines of the weights"
    ):
        return Check(label, 0.0, found, weight)
    with np.errstate(divide="ignore"):
        above = np.maximum(np.log10(losses), FLOOR)
    # A gap stands for a loss of zero; a point that is not at a step cannot be on the right curve.
    curve = np.full(len(losses), FLOOR)
    for x, y in shown["log10 of the loss"]:
        if x not in steps:
            return Check(label, 0.0, f"the line of the loss has a point at step {x:g}", weight)
        curve[int(x)] = max(y, FLOOR)
    if found := difference(curve, above, LOSS_WITHIN, what="the line of log10 L"):
        return Check(label, 0.0, found, weight)
    return Check(label, 1.0, "", weight)


def titled(figures: Mapping[float, Any], *, label: str = "titles", weight: float = 1.0) -> Check:
    """Check that each figure has a title with a number, such as the strength of a penalty.

    Parameters
    ----------
    figures
        From each number to a handle to its figure, or to a list or tuple of figures.
    label
        What was checked.
    weight
        Weight of the check among all checks of its question.

    Returns
    -------
    Check
        Its credit is the share of the figures whose title names their number.
    """
    without = []
    for number, figure in figures.items():
        try:
            titles = titles_of(_plain(figure), value)
        except StudentError:
            titles = []
        if not names_number(titles, number):
            without.append(f"{number:g}")
    message = f"There is no title with the number {', '.join(without)}." if without else ""
    return Check(label, 1 - len(without) / len(figures), message, weight)
