"""Public checks of the assignment `sparse_linear`.

Every check takes the student's answer and returns a `CheckResult`. Two examples recur, because they
can be worked out by hand. `ONE_WEIGHT` has one weight and two data points, with x = 1 for both and
y = 0 and 1; at a learning rate of 0.1, each step closes 40 % of the gap to the optimum 0.5.
`SEPARATE` has one data point for each weight, so that the weights move independently; each step
closes 20 % of their gaps.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from helpers.checks.answers import Array, as_array, as_number, ask, expect, kind, shown
from helpers.checks.figures import (
    axes_are_named,
    axes_are_swapped,
    log10_line,
    loss_and_weights,
    misnamed_weight,
    names_number,
    panels_of,
    titles_of,
    weights_alone,
)
from helpers.checks.hints import Hints
from helpers.checks.pictures import graph
from helpers.checks.result import Claims, Wrong, public_check
from helpers.checks.values import verdict

__all__ = [
    "cut_small",
    "gradient_descent",
    "gradient_step",
    "hint",
    "keep_largest",
    "l1_descent",
    "lasso_alpha",
    "log10_loss",
    "loss",
    "plot_run",
    "projected_descent",
    "proximal_descent",
    "run_figure",
    "run_figures",
    "soft_threshold",
    "trimmed_descent",
    "trimmed_threshold",
    "two_point_runs",
    "verdict",
]

hint = Hints(Path(__file__).with_name("hints.json"))

WITHIN = 1e-9
"""Rounding in double precision causes errors of about 1e-15 in the examples."""

ONE_WEIGHT = np.array([[1.0], [1.0]]), np.array([0.0, 1.0])
SEPARATE = np.eye(4), np.array([1.0, -3.0, 2.0, -0.5])
TURNING = np.array([[0.0, 2.0], [1.0, 2.0]]), np.array([3.0, -1.0])
EXAMPLE = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0]]), np.array([1.0, 2.0, -2.0])

# ------------------------------------------------------------------------------------------------
# The loss and one step


@public_check("loss")
def loss(loss: Callable[..., Any]) -> Claims:
    """Check the student's ``loss(X, y, w)``."""
    call = "loss(X, y, w)"
    X, y = EXAMPLE
    yield "is the sum of the squared residuals in an example"
    found = as_number(f"`{call}`", ask(call, loss, X, y, np.array([1.0, 1.0])))
    expect(
        abs(found - 21) <= WITHIN,
        "For `X = [[1, 2], [0, 1], [3, -1]]`, `y = [1, 2, -2]` and `w = [1, 1]` the residuals are "
        f"2, -1 and 4. Their squares add up to 21; you found {found:.6g}.",
    )
    yield "is zero for a perfect fit"
    found = as_number(f"`{call}`", ask(call, loss, np.eye(2), X[2].copy(), X[2].copy()))
    expect(abs(found) <= WITHIN, f"All residuals are 0, but you found {found:.6g}.")


@public_check("gradient_step")
def gradient_step(gradient_step: Callable[..., Any]) -> Claims:
    """Check the student's ``gradient_step(X, y, w, rate)``."""
    call = "gradient_step(X, y, w, 0.1)"
    X, y = EXAMPLE
    yield "moves against the gradient of the sum of squares in an example"
    w = np.array([1.0, 1.0])
    found = as_array(f"`{call}`", ask(call, gradient_step, X, y, w, 0.1), (2,))
    # Residuals (2, -1, 4); gradient 2 * (2*[1,2] - 1*[0,1] + 4*[3,-1]) = [28, -2].
    expect(
        bool(np.abs(found - [-1.8, 1.2]).max() <= WITHIN),
        "For `X = [[1, 2], [0, 1], [3, -1]]`, `y = [1, 2, -2]` and `w = [1, 1]` the residuals are "
        "2, -1 and 4, and the loss has the gradient [28, -2]. A step with rate 0.1 leads to "
        f"[-1.8, 1.2]; yours leads to {shown(found)}.",
    )
    yield "stays where the gradient is zero"
    X, y = ONE_WEIGHT
    found = as_array(f"`{call}`", ask(call, gradient_step, X, y, np.array([0.5]), 0.1), (1,))
    expect(
        abs(float(found[0]) - 0.5) <= WITHIN,
        "Two data points pull one weight equally strongly to 0 and to 1. At 0.5 the pulls cancel, "
        f"but your step leads to {found[0]:.4g}.",
    )
    yield "leaves `w` as it was"
    expect(w.tolist() == [1, 1], "`w` itself has changed: make a new array.")


# ------------------------------------------------------------------------------------------------
# Runs


def _run(call: str, answer: Any, steps: int, d: int) -> tuple[Array, Array]:
    """Return the weights and losses of a run if they have the right form, else raise `Wrong`."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong(
            f"`{call}` should return two arrays, `weights, losses`; yours is {kind(answer)}."
        )
    weights = as_array(f"The weights of `{call}`", answer[0], (steps + 1, d))
    losses = as_array(f"The losses of `{call}`", answer[1], (steps + 1,))
    return weights, losses


def _form(function: Callable[..., Any], call: str, *strength: float) -> Claims:
    """Make the claims that are common to all methods."""
    X, y = SEPARATE
    steps = 4
    text = f"{call}, rate=0.1, steps={steps})"
    yield "returns the weights and the losses of the start and of every step"
    answer = ask(text, function, X.copy(), y.copy(), *strength, rate=0.1, steps=steps)
    weights, losses = _run(text, answer, steps, 4)
    expect(
        not weights[0].any(),
        f"Row 0 is the start, where all weights are 0; yours are {shown(weights[0])}.",
    )
    expect(
        abs(losses[0] - 14.25) <= WITHIN,
        f"At the start all weights are 0, and the loss is the sum of y squared, 14.25; yours is "
        f"{losses[0]:.5g}.",
    )
    yield "records the loss L of each row of weights"
    for k in range(steps + 1):
        right = float(((weights[k] - y) ** 2).sum())
        expect(
            abs(losses[k] - right) <= WITHIN,
            f"After {k} steps your weights are {shown(weights[k])}. Their sum of squared residuals "
            f"is {right:.5g}, but you recorded {losses[k]:.5g}.",
        )
    yield "takes 200 steps with rate 0.02 by default"
    text = f"{call})"
    weights, _ = _run(text, ask(text, function, *ONE_WEIGHT, *strength), 200, 1)
    again = ask(text, function, *ONE_WEIGHT, *strength, rate=0.02, steps=200)
    expect(
        np.array_equal(weights, _run(text, again, 200, 1)[0]),
        f"`{text}` gives different weights with and without `rate=0.02, steps=200`.",
    )


def _follows(
    function: Callable[..., Any],
    call: str,
    example: tuple[Array, Array],
    rows: list[list[float]],
    why: str,
    *strength: float,
) -> None:
    """Compare the weights with rows that were worked out by hand; report the first difference."""
    X, y = example
    steps = len(rows) - 1
    text = f"{call}, rate=0.1, steps={steps})"
    answer = ask(text, function, X.copy(), y.copy(), *strength, rate=0.1, steps=steps)
    weights, _ = _run(text, answer, steps, X.shape[1])
    for k, row in enumerate(rows):
        if np.abs(weights[k] - row).max() > WITHIN:
            raise Wrong(
                f"`X = {shown(X)}`, `y = {shown(y)}`: {why}\nAfter {k} "
                f"step{'s' if k != 1 else ''} the weights should be {shown(np.array(row))}; yours "
                f"are {shown(weights[k])}."
            )


@public_check("gradient_descent")
def gradient_descent(gradient_descent: Callable[..., Any]) -> Claims:
    """Check the student's ``gradient_descent(X, y, rate, steps)``."""
    call = "gradient_descent(X, y"
    yield from _form(gradient_descent, call)
    yield "uses all data points together in every step"
    why = "together, the two data points pull to 0.5, and each step closes 40 % of the gap."
    _follows(gradient_descent, call, ONE_WEIGHT, [[0.0], [0.2], [0.32], [0.392]], why)


@public_check("projected_descent")
def projected_descent(projected_descent: Callable[..., Any]) -> Claims:
    """Check the student's ``projected_descent(X, y, rate, steps, count)``."""
    call = "projected_descent(X, y"
    yield from _form(projected_descent, call)
    yield "follows the gradient over all data points"
    why = "there is only one weight, and it is kept."
    _follows(projected_descent, call, ONE_WEIGHT, [[0.0], [0.2], [0.32]], why)
    yield "keeps the two largest weights after every step"
    why = "each step closes 20 % of the gap to y, then the two smallest weights are set to 0."
    rows = [[0.0] * 4, [0, -0.6, 0.4, 0], [0, -1.08, 0.72, 0], [0, -1.464, 0.976, 0]]
    _follows(projected_descent, call, SEPARATE, rows, why)
    yield "selects the largest weights anew after every step"
    X, y = TURNING
    text = "projected_descent(X, y, rate=0.1, steps=3, count=1)"
    answer = ask(text, projected_descent, X.copy(), y.copy(), rate=0.1, steps=3, count=1)
    weights, _ = _run(text, answer, 3, 2)
    # Gradients [2, -8] at (0, 0), [5.2, 4.8] at (0, 0.8), [0.96, -10.08] at (-0.52, 0).
    right = np.array([[0, 0], [0, 0.8], [-0.52, 0], [0, 1.008]])
    expect(
        bool(np.abs(weights - right).max() <= WITHIN),
        f"`X = {shown(X)}`, `y = {shown(y)}`: the larger weight is the second after one step, the "
        f"first after two steps, and the second after three. `{text}` should give the rows "
        f"{shown(right)}; yours are {shown(weights)}.",
    )


@public_check("l1_descent")
def l1_descent(l1_descent: Callable[..., Any]) -> Claims:
    """Check the student's ``l1_descent(X, y, strength, rate, steps)``."""
    call = "l1_descent(X, y, 2.0"
    yield from _form(l1_descent, call, 2.0)
    yield "follows the gradient over all data points if there is no penalty"
    why = "with strength 0 this is plain gradient descent."
    rows = [[0.0], [0.2], [0.32]]
    _follows(l1_descent, "l1_descent(X, y, 0.0", ONE_WEIGHT, rows, why, 0.0)
    yield "pulls every weight towards zero by rate times strength, with sign(0) = 0"
    why = (
        "each step closes 20 % of the gap to y, and also moves every weight that was not 0 before "
        "the step by 0.1 * 2 towards 0."
    )
    rows = [[0.0] * 4, [0.2, -0.6, 0.4, -0.1], [0.16, -0.88, 0.52, 0.02]]
    rows += [[0.128, -1.104, 0.616, -0.284]]
    _follows(l1_descent, call, SEPARATE, rows, why, 2.0)


@public_check("proximal_descent")
def proximal_descent(proximal_descent: Callable[..., Any]) -> Claims:
    """Check the student's ``proximal_descent(X, y, strength, rate, steps)``."""
    call = "proximal_descent(X, y, 2.0"
    yield from _form(proximal_descent, call, 2.0)
    yield "follows the gradient over all data points if there is no penalty"
    why = "with strength 0 this is plain gradient descent."
    rows = [[0.0], [0.2], [0.32]]
    _follows(proximal_descent, "proximal_descent(X, y, 0.0", ONE_WEIGHT, rows, why, 0.0)
    yield "soft-thresholds by rate times strength after every step"
    why = "each step closes 20 % of the gap to y, then every weight moves by 0.1 * 2 towards 0."
    rows = [[0.0] * 4, [0, -0.4, 0.2, 0], [0, -0.72, 0.36, 0], [0, -0.976, 0.488, 0]]
    _follows(proximal_descent, call, SEPARATE, rows, why, 2.0)


@public_check("trimmed_descent")
def trimmed_descent(trimmed_descent: Callable[..., Any]) -> Claims:
    """Check the student's ``trimmed_descent(X, y, strength, rate, steps, free)``."""
    call = "trimmed_descent(X, y, 1.5"
    yield from _form(trimmed_descent, call, 1.5)
    yield "follows the gradient over all data points"
    why = "there is only one weight, and it has no penalty."
    _follows(trimmed_descent, call, ONE_WEIGHT, [[0.0], [0.2], [0.32]], why, 1.5)
    yield "soft-thresholds the two smallest of four weights by rate times strength"
    why = (
        "each step closes 20 % of the gap to y, then the two smallest weights move by 0.1 * 1.5 "
        "towards 0."
    )
    rows = [[0.0] * 4, [0.05, -0.6, 0.4, 0], [0.09, -1.08, 0.72, 0], [0.122, -1.464, 0.976, 0]]
    _follows(trimmed_descent, call, SEPARATE, rows, why, 1.5)


# ------------------------------------------------------------------------------------------------
# Thresholds


@public_check("keep_largest")
def keep_largest(keep_largest: Callable[..., Any]) -> Claims:
    """Check the student's ``keep_largest(w, count)``."""
    w = np.array([0.5, -3.0, 0.1, 2.0, -1.0])
    for count, right in (
        (2, [0, -3, 0, 2, 0]),
        (1, [0, -3, 0, 0, 0]),
        (4, [0.5, -3, 0, 2, -1]),
        (5, w.tolist()),
    ):
        yield (
            f"keeps the largest {count} of five weights in their places"
            if count > 1
            else "keeps only the largest of five weights"
        )
        call = f"keep_largest(w, {count})"
        found = as_array(f"`{call}`", ask(call, keep_largest, w.copy(), count), (5,))
        expect(
            found.tolist() == right,
            f"For `w = {shown(w)}`, `{call}` should be {shown(np.array(right))}; yours is "
            f"{shown(found)}.",
        )
    yield "keeps two of three weights of equal magnitude, if two are asked for"
    equal = np.array([1.0, -1.0, 1.0])
    found = as_array(
        "`keep_largest(w, 2)`", ask("keep_largest(w, 2)", keep_largest, equal, 2), (3,)
    )
    expect(
        np.count_nonzero(found) == 2,
        f"For `w = [1, -1, 1]` any two weights may stay; yours is {shown(found)}.",
    )
    yield "keeps two weights by default, and leaves `w` as it was"
    given = w.copy()
    found = as_array("`keep_largest(w)`", ask("keep_largest(w)", keep_largest, given), (5,))
    expect(
        np.count_nonzero(found) == 2,
        f"`keep_largest(w)` should keep two weights; yours is {shown(found)}.",
    )
    expect(np.array_equal(given, w), "`w` itself has changed: make a new array.")


@public_check("cut_small")
def cut_small(cut_small: Callable[..., Any]) -> Claims:
    """Check the student's ``cut_small(w, threshold)``."""
    yield from _thresholded(
        cut_small,
        "cut_small(w, 0.5)",
        "sets the weights near zero to zero, and leaves the others as they are",
        np.array([2.0, -1.5, 0.3, -0.2, 0.0]),
        [2.0, -1.5, 0, 0, 0],
        "the magnitudes of 0.3 and -0.2 are at most 0.5; those of 2 and -1.5 are larger.",
        0.5,
    )
    yield "cuts a weight whose magnitude is the threshold itself"
    call = "cut_small(w, 0.5)"
    w = np.array([0.5, -2.0, -0.5])
    found = as_array(f"`{call}`", ask(call, cut_small, w, 0.5), (3,))
    expect(
        found.tolist() == [0, -2, 0],
        f"For `w = {shown(w)}` only -2 is larger than 0.5; yours is {shown(found)}.",
    )
    yield "gives exact zeros"
    call = "cut_small(w, 0.1)"
    w = np.array([[0.09, -3.0], [-1e-12, 0.2]])
    found = as_array(f"`{call}`", ask(call, cut_small, w, 0.1), (2, 2))
    expect(
        found.tolist() == [[0, -3], [0, 0.2]],
        f"For `w = {shown(w)}` two weights should stay; yours is {shown(found)}.",
    )


@public_check("soft_threshold")
def soft_threshold(soft_threshold: Callable[..., Any]) -> Claims:
    """Check the student's ``soft_threshold(w, threshold)``."""
    yield from _thresholded(
        soft_threshold,
        "soft_threshold(w, 0.5)",
        "moves large weights by the threshold and sets small ones to zero",
        np.array([2.0, -1.5, 0.3, -0.2, 0.0]),
        [1.5, -1.0, 0, 0, 0],
        "each weight moves by 0.5 towards 0, but not beyond 0.",
        0.5,
    )
    yield "leaves all weights as they are if the threshold is zero"
    w = np.array([0.7, -0.4])
    call = "soft_threshold(w, 0.0)"
    found = as_array(f"`{call}`", ask(call, soft_threshold, w, 0.0), (2,))
    expect(np.array_equal(found, w), f"`w = {shown(w)}` has become {shown(found)}.")


@public_check("trimmed_threshold")
def trimmed_threshold(trimmed_threshold: Callable[..., Any]) -> Claims:
    """Check the student's ``trimmed_threshold(w, threshold, free)``."""
    yield from _thresholded(
        trimmed_threshold,
        "trimmed_threshold(w, 0.5)",
        "soft-thresholds the three smallest of five weights",
        np.array([0.8, -3.0, 0.3, 2.0, -1.0]),
        [0.3, -3.0, 0, 2.0, -0.5],
        "-3 and 2 are the largest and stay; each of the other weights moves by 0.5 towards 0.",
        0.5,
    )
    yield from _thresholded(
        trimmed_threshold,
        "trimmed_threshold(w, 0.5, free=1)",
        "exempts as many weights as `free` says",
        np.array([0.8, -3.0, 2.0]),
        [0.3, -3.0, 1.5],
        "-3 is the largest and stays; each of the other weights moves by 0.5 towards 0.",
        0.5,
        free=1,
    )
    yield "exempts two of three weights of equal magnitude, if `free` is 2"
    call = "trimmed_threshold(w, 0.5)"
    found = as_array(
        f"`{call}`", ask(call, trimmed_threshold, np.array([1.0, -1.0, 1.0]), 0.5), (3,)
    )
    expect(
        bool(np.abs(np.sort(np.abs(found)) - [0.5, 1, 1]).max() <= WITHIN),
        f"For `w = [1, -1, 1]` two weights, whichever, should stay, and the other one should move "
        f"by 0.5 towards 0; yours is {shown(found)}.",
    )


def _thresholded(
    function: Callable[..., Any],
    call: str,
    claim: str,
    w: Array,
    right: list[float],
    why: str,
    *args: Any,
    **kwargs: Any,
) -> Claims:
    yield claim
    given = w.copy()
    found = as_array(f"`{call}`", ask(call, function, given, *args, **kwargs), w.shape)
    expect(
        bool(np.abs(found - right).max() <= WITHIN),
        f"`w = {shown(w)}`: {why}\nThat gives {shown(np.array(right))}; yours is {shown(found)}.",
        graph(w, found, right, ("weight", "new weight")),
    )
    expect(
        np.array_equal(found == 0, np.array(right) == 0),
        f"`w = {shown(w)}`: a weight that becomes zero should be exactly 0, and no other weight.",
    )
    expect(np.array_equal(given, w), "`w` itself has changed: make a new array.")


# ------------------------------------------------------------------------------------------------
# Figures


TWO_PANELS = "is a figure with a panel for the loss and one for the weights"


@public_check("log10_loss")
def log10_loss(log10_loss: Callable[..., Any]) -> Claims:
    """Check the student's ``log10_loss(losses)``."""
    call = "log10_loss(losses)"
    yield "takes the decimal logarithm"
    losses = np.array([100.0, 1.0, 0.001, 1e-28])
    found = as_array(f"`{call}`", ask(call, log10_loss, losses), (4,))
    expect(
        bool(np.abs(found - [2, 0, -3, -28]).max() <= WITHIN),
        f"For `losses = [100, 1, 0.001, 1e-28]` it should be [2, 0, -3, -28]; yours is "
        f"{shown(found)}.",
    )
    yield "is nan, without a warning, where a loss is exactly zero"
    with np.errstate(divide="raise"):
        found = ask(call, log10_loss, np.array([10.0, 0.0]))
    expect(
        isinstance(found, Array) and found.shape == (2,),
        f"`{call}` should be an array of the same shape as the losses.",
    )
    expect(
        bool(np.isnan(found[1])) and abs(found[0] - 1) <= WITHIN,
        f"For `losses = [10, 0]` it should be [1, nan]; yours is {shown(found)}.",
    )
    yield "keeps the shape of an array with two dimensions"
    as_array(f"`{call}`", ask(call, log10_loss, np.ones((2, 3))), (2, 3))


@public_check("plot_run")
def plot_run(plot_run: Callable[..., Any]) -> Claims:
    """Check the student's ``plot_run(weights, losses)``."""
    from matplotlib import pyplot

    yield TWO_PANELS
    weights = np.array([[0, 0, 0], [1, -1, 0.5], [2, -1, 0.7], [3, -1, 0.6], [3, -2, 0.5]], float)
    losses = np.array([100, 10, 1, 0.1, 0.01])
    before = set(pyplot.get_fignums())
    try:
        figure = ask("plot_run(weights, losses)", plot_run, weights.copy(), losses.copy())
    finally:
        # The notebook would otherwise show the figure of the check as if it were a result.
        for number in set(pyplot.get_fignums()) - before:
            pyplot.close(number)
    yield from _shows(figure, weights, losses)
    loss, lines = loss_and_weights(panels_of(figure)) or (None, None)
    assert loss is not None
    assert lines is not None
    yield "names the axes"
    expect(axes_are_named([loss, lines]), "Give both panels a label on the x and on the y axis.")
    expect(
        not axes_are_swapped(loss) and not axes_are_swapped(lines),
        "The x axis shows the steps, and the y axis the loss or the weights: your labels say "
        "something else.",
    )
    yield "names every weight"
    lines = weights_alone(lines, weights)
    expect(
        all(lines.labels) and len(set(lines.labels)) == len(lines.labels),
        "A legend should name each weight: give each line a `label` of its own, then call "
        "`legend()`.",
    )
    wrong = misnamed_weight(lines, weights)
    expect(
        wrong is None,
        f"The line with the label `{wrong}` shows another weight than its label says. Number the "
        "weights from 0 or from 1.",
    )


def _shows(figure: Any, weights: Array, losses: Array) -> Claims:
    """Check the two panels of a figure of a run, then make claims about their content."""
    panels = panels_of(figure)
    expect(bool(panels), f"There should be a figure with lines, but this is {kind(figure)}.")
    found = loss_and_weights(panels)
    counts = ", ".join(str(len(panel.lines)) for panel in panels)
    if found is None:
        raise Wrong(
            "There should be one panel with one line, the loss, and one with a line for each "
            f"weight. The numbers of lines in your panels are: {counts}."
        )
    loss_panel, weight_panel = found[0], weights_alone(found[1], weights)
    count = len(losses)
    yield "draws log10 of the loss over the steps, from step 0"
    # Values below that are rounding errors, and a loss of zero has no logarithm.
    drawn = {x: y for x, y in log10_line(loss_panel) if y > -20}
    right = {k: float(np.log10(value)) for k, value in enumerate(losses) if value > 1e-20}
    if drawn.keys() != right.keys() or any(abs(drawn[k] - right[k]) > 1e-3 for k in right):
        few = np.array(list(right.values())[:3])
        mine = log10_line(loss_panel)[:3]
        raise Wrong(
            f"The line should start with log10 of the loss, {shown(few)}, at the steps 0, 1, 2. "
            f"Yours shows {shown(mine[:, 1])} at {shown(mine[:, 0])}."
        )
    yield "draws every weight over the steps, from step 0"
    expect(
        not weight_panel.log_scale,
        "The weights need an ordinary y axis: a logarithmic one has no place for zero or for "
        "negative weights.",
    )
    expect(
        not weight_panel.log_steps and not loss_panel.log_steps,
        "The steps need an ordinary x axis: a logarithmic one has no place for step 0.",
    )
    expect(
        len(weight_panel.lines) == weights.shape[1],
        f"{weights.shape[1]} weights make {weights.shape[1]} lines; you drew "
        f"{len(weight_panel.lines)}.",
    )
    for j, w in enumerate(weights.T):
        line = np.column_stack([np.arange(count), w])
        expect(
            any(
                each.shape == line.shape and np.abs(each - line).max() <= 1e-6
                for each in weight_panel.lines
            ),
            f"No line shows weight {j + 1}: it should start with {shown(w[:3])} at the steps "
            "0, 1, 2.",
        )


@public_check("figure")
def run_figure(figure: Any, weights: Any, losses: Any) -> Claims:
    """Check that a student's figure shows the student's run."""
    yield TWO_PANELS
    yield from _shows(figure, np.asarray(weights), np.asarray(losses))


@public_check("figures")
def run_figures(figures: Any, runs: dict[float, Any]) -> Claims:
    """Check that each of a student's figures shows the student's run with the same key.

    Where the keys are strengths, a title has to name the strength.
    """
    yield f"is a dict with a figure for each of {', '.join(map(str, runs))}"
    expect(isinstance(figures, dict), f"It should be a dict; yours is {kind(figures)}.")
    missing = [str(key) for key in runs if key not in figures]
    expect(not missing, f"There is no figure for {', '.join(missing)} yet.")
    for key, (weights, losses) in runs.items():
        yield f"for {key}: {TWO_PANELS}"
        for claim in _shows(figures[key], np.asarray(weights), np.asarray(losses)):
            yield f"for {key}: {claim}"
        if isinstance(key, float):
            yield f"for {key}: has a title with the strength"
            expect(
                names_number(titles_of(figures[key]), key),
                f"No title of this figure contains the number {key:g}.",
            )


# ------------------------------------------------------------------------------------------------
# Beyond the small problem


@public_check("lasso_alpha")
def lasso_alpha(lasso_alpha: Callable[..., Any]) -> Claims:
    """Check the student's ``lasso_alpha(strength, points)``."""
    for strength, points, right in ((6.0, 3, 1.0), (2.0, 4, 0.25)):
        call = f"lasso_alpha({strength}, {points})"
        yield f"is right for {points} data points and a strength of {strength:g}"
        found = as_number(f"`{call}`", ask(call, lasso_alpha, strength, points))
        expect(
            abs(found - right) <= WITHIN,
            f"scikit-learn divides the sum of squares by {2 * points}, so the penalty must be "
            f"divided by the same number, which gives {right:g}. You found {found:.6g}.",
        )


@public_check("two_point_runs")
def two_point_runs(runs: Any, settings: Any) -> Claims:
    """Check the form of the bonus runs, but not whether they are right."""
    methods = ("projected", "l1", "proximal", "trimmed")
    yield "has a strength for `l1`, `proximal` and `trimmed`"
    expect(
        isinstance(settings, dict), f"The strengths should be a dict; yours is {kind(settings)}."
    )
    for method in methods[1:]:
        expect(method in settings, f"There is no strength for {method!r} yet.")
        strength = as_number(f"The strength for {method!r}", settings[method])
        expect(
            0.01 <= strength <= 10,
            f"The strength for {method!r} should be from 0.01 to 10; yours is {strength:g}.",
        )
    yield "has a run of 200 steps for each of the four methods"
    expect(isinstance(runs, dict), f"The runs should be a dict; yours is {kind(runs)}.")
    for method in methods:
        expect(method in runs, f"There is no run for {method!r} yet.")
        _run(f"two_point_runs[{method!r}]", runs[method], 200, 5)
