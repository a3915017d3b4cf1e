"""The figures of `sparse_linear` show the given data."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

from helpers.assignments.sparse_linear.plots import (
    loss_curves,
    recovery_over_sparsity,
    threshold_functions,
    weight_traces,
)
from helpers.reference.sparse_linear.sparse_regression import PROBLEM, l1_descent, soft_threshold

LOSSES = np.array([10.0, 0.1, 0.0, 1e-5])


def points(line):
    return np.column_stack(line.get_data())


def test_loss_curves_are_logarithmic_and_have_gaps_at_zero():
    figure = loss_curves({"one": LOSSES, "two": 2 * LOSSES}, title="Losses")
    (axes,) = figure.axes
    assert (axes.get_yscale(), axes.get_title(), axes.get_xlabel()) == ("log", "Losses", "step")
    y = points(axes.get_lines()[0])[:, 1]
    assert np.isnan(y[2])
    assert y[[0, 1, 3]].tolist() == [10, 0.1, 1e-5]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["one", "two"]


def test_weight_traces_show_one_weight_and_a_few_steps():
    runs = {f"strength {s}": l1_descent(*PROBLEM, s) for s in (0.2, 2.0)}
    figure = weight_traces(runs, weight=3, steps=(190, 200), limit=0.06)
    assert [axes.get_title() for axes in figure.axes] == list(runs)
    for axes, (weights, _) in zip(figure.axes, runs.values(), strict=True):
        trace = points(axes.get_lines()[1])
        assert trace[:, 0].tolist() == list(range(190, 201))
        assert trace[:, 1].tolist() == weights[190:, 3].tolist()
        assert axes.get_ylim() == (-0.06, 0.06)


def test_threshold_functions_do_not_join_the_ends_of_a_jump():
    line = np.linspace(-2, 2, 401)
    functions = {
        "soft": lambda w: soft_threshold(w, 0.5),
        "hard": lambda w: np.where(np.abs(w) > 0.5, w, 0.0),
    }
    soft, hard = threshold_functions(functions, line, threshold=0.5).axes
    drawn = {
        axes: [p for p in map(points, axes.get_lines()) if len(p) > 2][1:]  # without the diagonal
        for axes in (soft, hard)
    }
    assert [len(parts) for parts in drawn.values()] == [1, 3]
    assert np.concatenate(drawn[hard])[:, 1].tolist() == functions["hard"](line).tolist()


FOUND = {"one": {1: [True] * 4, 4: [True, False, False, False]}, "two": {1: [False], 4: [True]}}
ERRORS = {"one": {1: [1e-16], 4: [0.1, 0.3, 0.2]}, "two": {1: [0.2], 4: [1.0]}}


def bars(container):
    """Return the ends of the error bars of a curve, one row per point."""
    (lines,) = container.lines[2]
    return np.array([segment[:, 1] for segment in lines.get_segments()])


def test_recovery_is_drawn_in_percent_and_errors_logarithmically():
    share, error = recovery_over_sparsity(FOUND, ERRORS).axes
    drawn = points(share.containers[0].lines[0])
    assert drawn[:, 1].tolist() == [100, 25]
    assert np.abs(drawn[:, 0] - [1, 4]).max() < 0.5
    assert points(error.containers[1].lines[0])[:, 1].tolist() == [0.2, 1.0]
    assert points(error.containers[0].lines[0])[1, 1] == 0.2
    assert (share.get_yscale(), error.get_yscale()) == ("linear", "log")
    assert share.get_xticks().tolist() == [1, 4]


def test_error_bars_are_the_standard_error_of_the_share_and_the_quartiles_of_the_error():
    share, error = recovery_over_sparsity(FOUND, ERRORS).axes
    # sqrt(p (1 - p) / n) with p = 1/4 and n = 4.
    assert bars(share.containers[0]) == pytest.approx(
        np.array([[100, 100], [25 - 21.65, 25 + 21.65]]), abs=0.01
    )
    assert bars(error.containers[0])[1] == pytest.approx([0.15, 0.25])
    assert "standard error" in share.get_title()
    assert "quartiles" in error.get_title()


def test_a_legend_names_every_curve_once():
    share, error = recovery_over_sparsity(FOUND, ERRORS).axes
    assert [t.get_text() for t in error.get_legend().get_texts()] == list(FOUND)
    assert share.get_legend() is None
    assert len(share.containers) == len(error.containers) == len(FOUND)


def test_no_figure_stays_open():
    before = plt.get_fignums()
    loss_curves({"one": LOSSES})
    assert plt.get_fignums() == before
