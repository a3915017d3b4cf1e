"""What a student's figure shows, compared as data: the lines, their scale and their names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograder.hidden.checks import Check
from autograder.hidden.compare import difference
from autograder.hidden.student import Handle, StudentError, student, value
from helpers.checks.figures import Panel, log10_line, loss_and_weights, panels_of

NO_FIGURE = "There is no figure with lines: return the figure that you draw (`return figure`)."
TWO_PANELS = "One panel should show the loss (one line), and another all weights (a line for each)."

FLOOR = -20.0
"""log10 of the loss from where on a drawn run is not compared any more.

A residual of 1e-10 is known to about 1e-15 / 1e-10 of itself, and the loss to twice that. Further
down the curve shows rounding errors, which are others in every right implementation.
"""
LOSS_WITHIN = 1e-3
"""In log10: the above is 1e-5 at the floor; a line moved by this is still drawn on itself."""
WEIGHTS_WITHIN = 1e-6


def figure_panels(figures: Any) -> list[Panel]:
    """Read a figure of the student's, or one of ours, and close it.

    Parameters
    ----------
    figures : Handle or Figure, or list or tuple of these

    Raises
    ------
    StudentError
        If it holds no figure, or one without lines.
    """
    try:
        found = panels_of(_plain(figures), value)
    finally:
        with suppress(StudentError):
            # In a notebook an open figure would be shown below the score.
            student.plt.close("all")
    if not found:
        raise StudentError(NO_FIGURE)
    return found


def _plain(figures: Any) -> Any:
    """Return the list or tuple behind a handle to one; anything else as it is."""
    return figures._ask(op="get") if isinstance(figures, Handle) else figures


def shown_run(figures: Any) -> dict[str, np.ndarray]:
    """Return the lines of a figure that shows a run.

    Parameters
    ----------
    figures : Handle or Figure, or list or tuple of these

    Returns
    -------
    dict
        ``"log10 of the loss"``: the points (N, 2) of that line but for its gaps. ``"weights"``: the
        points (d, N, 2) of the other panel's lines, in an order that does not depend on theirs.

    Raises
    ------
    StudentError
        If there are no such two panels.
    """
    found = loss_and_weights(figure_panels(figures))
    if found is None:
        raise StudentError(TWO_PANELS)
    loss, weights = found
    if len({line.shape for line in weights.lines}) != 1:
        raise StudentError("The lines of the weights should all have a point for every step.")
    return {"log10 of the loss": log10_line(loss), "weights": _in_order(weights.lines)}


def _in_order(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Sort lines by their values; two that are equal up to rounding stay equal in the order."""
    ordered: list[np.ndarray] = sorted(lines, key=_values)
    return np.stack(ordered)


def _values(line: np.ndarray) -> list[float]:
    return line[:, 1].round(6).tolist()


def drawn_by(plot: Callable[..., Any], *run: Any) -> dict[str, np.ndarray]:
    """Let an implementation draw a run, and return what it shows: for `same(through=...)`."""
    if isinstance(plot, Handle):
        return shown_run(plot(*run))
    if "matplotlib.pyplot" not in sys.modules:
        # A grader has no screen, or none that a wrong solution should open windows on.
        import matplotlib

        matplotlib.use("Agg")
    from matplotlib import pyplot

    before = set(pyplot.get_fignums())
    try:
        return shown_run(plot(*run))
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
    figures : Handle
        A figure of the student's, or a list or tuple with figures.
    weights : float array (steps + 1, d)
        The run that it should show.
    losses : float array (steps + 1,)
        Its losses; compared down to `FLOOR` only.
    label, weight
        As for the other checks.

    Returns
    -------
    Check
    """
    try:
        shown = shown_run(figures)
    except StudentError as error:
        return Check(label, 0.0, str(error), weight)
    steps = np.arange(len(losses))
    expected = _in_order([np.column_stack([steps, w]) for w in weights.T])
    if found := difference(shown["weights"], expected, WEIGHTS_WITHIN):
        return Check(label, 0.0, f"the lines of the weights: {found}", weight)
    with np.errstate(divide="ignore"):
        above = np.maximum(np.log10(losses), FLOOR)
    # A gap is a loss of zero; a point beside the steps is nowhere on the right curve.
    curve = np.full(len(losses), FLOOR)
    for x, y in shown["log10 of the loss"]:
        if x not in steps:
            return Check(label, 0.0, f"the line of the loss has a point at step {x:g}", weight)
        curve[int(x)] = max(y, FLOOR)
    if found := difference(curve, above, LOSS_WITHIN):
        return Check(label, 0.0, f"the line of log10 L: {found}", weight)
    return Check(label, 1.0, "", weight)
