"""A figure is read as data, however it is drawn, both here and through a student's handles."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

from autograder.hidden import StudentError, entry, student
from autograder.hidden.figures import drawn_by, draws, figure_panels, shown_run, titled
from autograder.hidden.student import Submission, asking
from autograder.sandbox.inside.responder import Responder
from helpers.checks.figures import (
    axes_are_named,
    axes_are_swapped,
    lines_are_named,
    loss_and_weights,
    misnamed_weight,
    panels_of,
    weights_alone,
)
from helpers.reference.sparse_linear.sparse_figures import plot_run
from helpers.reference.sparse_linear.sparse_regression import PROBLEM, trimmed_descent

STEPS = 6
WEIGHTS = np.random.default_rng(0).normal(size=(STEPS + 1, 4))
LOSSES = 10.0 ** np.array([2, 1, -3, -9, -15, -19, -24])


def two_panels(weights, losses):
    return plot_run(weights, losses)


def log_axis(weights, losses):
    figure, axes = plt.subplots(2, 1, sharex=True)
    axes[0].semilogy(losses)
    axes[0].set_ylabel("L")
    axes[1].axhline(0)
    axes[1].plot(weights, label=["a", "b", "c", "d"])
    axes[1].set(xlabel="step", ylabel="w")
    figure.legend()
    return figure


def two_figures(weights, losses):
    first, axes = plt.subplots()
    axes.plot(np.log10(losses))
    axes.set(xlabel="step", title="log10 of the loss")
    second, axes = plt.subplots()
    for j in reversed(range(weights.shape[1])):
        axes.plot(range(len(losses)), weights[:, j].tolist(), ".-", label=str(j))
    axes.set(xlabel="step", ylabel="weights")
    axes.legend()
    return first, second


def with_its_axes(weights, losses):
    figure, axes = plt.subplots(1, 2)
    axes[0].plot(weights)
    axes[1].plot(np.log10(losses))
    return figure, axes


RIGHT = [two_panels, log_axis, two_figures, with_its_axes]


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    plt.close("all")


def name(function):
    return function.__name__


def as_student(plot, **names):
    """Let `student` stand for a notebook that defines plot_run, which is asked through handles."""
    return asking(Submission(Responder({"plot_run": plot, "plt": plt, **names}).answer, Path()))


def alike(a, b):
    return all(np.allclose(a[key], b[key], rtol=0, atol=1e-12) for key in b)


@pytest.mark.parametrize("plot", RIGHT, ids=name)
def test_right_figures_are_read_alike_here_and_from_a_student(plot):
    expected = drawn_by(plot_run, WEIGHTS, LOSSES)
    assert expected["log10 of the loss"].shape == (STEPS + 1, 2)
    assert expected["weights"].shape == (4, STEPS + 1, 2)
    assert alike(drawn_by(plot, WEIGHTS, LOSSES), expected)
    with as_student(plot):
        assert alike(drawn_by(student.plot_run, WEIGHTS, LOSSES), expected)
    assert plt.get_fignums() == []


def test_a_loss_of_zero_is_a_gap_on_either_scale():
    losses = LOSSES.copy()
    losses[3] = 0
    expected = drawn_by(plot_run, WEIGHTS, losses)["log10 of the loss"]
    assert expected[:, 0].tolist() == [0, 1, 2, 4, 5, 6]
    assert np.array_equal(drawn_by(log_axis, WEIGHTS, losses)["log10 of the loss"], expected)


@pytest.mark.parametrize("plot", RIGHT[:3], ids=name)
def test_labels_are_read(plot):
    panels = panels_of(plot(WEIGHTS, LOSSES))
    assert axes_are_named(panels)
    assert lines_are_named(loss_and_weights(panels)[1])


def test_missing_labels_are_noticed():
    panels = panels_of(with_its_axes(WEIGHTS, LOSSES))
    assert not axes_are_named(panels)
    assert not lines_are_named(loss_and_weights(panels)[1])


@pytest.mark.parametrize("name", ["there_is_none", "number", "none"])
def test_anything_but_a_figure_is_refused_with_a_message(name):
    with (
        as_student(plot_run, number=3.0, none=None),
        pytest.raises(StudentError, match=r"no `there_is_none`|return the figure"),
    ):
        shown_run(getattr(student, name), WEIGHTS)


def test_a_figure_with_other_panels_is_refused_with_a_message():
    figure, axes = plt.subplots()
    axes.plot(LOSSES)
    with as_student(plot_run, figure=figure), pytest.raises(StudentError, match="One panel"):
        shown_run(student.figure, WEIGHTS)


def test_axes_alone_are_no_figure():
    _, axes = plt.subplots()
    axes.plot(LOSSES)
    with as_student(plot_run, axes=axes), pytest.raises(StudentError, match="return the figure"):
        figure_panels(student.axes)


# ------------------------------------------------------------------------------------------------
# A figure of a known run

RUN = trimmed_descent(*PROBLEM, 2.0)


def judged(figure, run=RUN):
    with as_student(plot_run, figure=figure):
        return draws(student.figure, *run)


@pytest.mark.parametrize("plot", [two_panels, two_figures, with_its_axes], ids=name)
def test_the_right_run_is_recognised(plot):
    assert judged(plot(*RUN)).credit == 1


def test_rounding_errors_at_the_floor_may_differ():
    weights, losses = RUN
    noisy = np.where(losses < 1e-21, 3 * losses, losses)
    noisy[-1] = 0  # an exact zero
    assert judged(two_panels(weights, noisy)).credit == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w, losses: (w + 1e-3, losses), "weights"),
        (lambda w, losses: (w[:-1], losses[:-1]), "weights"),
        (lambda w, losses: (w, 1.1 * losses), "log10 L"),
        (lambda w, losses: (w, losses + 1e-10), "log10 L"),
        (lambda w, losses: (w, np.full_like(losses, np.nan)), "log10 L"),
    ],
)
def test_another_run_is_not_recognised(change, message):
    check = judged(two_panels(*change(*RUN)))
    assert check.credit == 0
    assert message in check.message


def test_a_shifted_line_is_not_recognised():
    figure = two_panels(*RUN)
    for line in figure.axes[0].get_lines():
        line.set_xdata(line.get_xdata() + 0.5)
    assert "0.5" in judged(figure).message


# ------------------------------------------------------------------------------------------------
# What the labels say


def labelled(names, order=None):
    """Return the panel of the weights, drawn with these names in a legend."""
    figure, axes = plt.subplots(1, 2)
    axes[0].plot(np.log10(LOSSES))
    lines = axes[1].plot(WEIGHTS)
    axes[1].plot(np.zeros(STEPS + 1), "k--")  # a level
    order = order or range(len(names))
    axes[1].legend([lines[j] for j in order], [names[j] for j in order])
    return weights_alone(loss_and_weights(panels_of(figure))[1], WEIGHTS)


@pytest.mark.parametrize(
    "names", [["w1", "w2", "w3", "w4"], ["$w_0$", "$w_1$", "$w_2$", "$w_3$"], ["a", "b", "c", "d"]]
)
@pytest.mark.parametrize("order", [None, [3, 1, 0, 2]])
def test_a_label_is_found_by_the_look_of_its_line(names, order):
    panel = labelled(names, order)
    assert panel.labels == tuple(names)
    assert misnamed_weight(panel, WEIGHTS) is None


@pytest.mark.parametrize(
    "names",
    [["w2", "w1", "w3", "w4"], ["$w_{-1}$", "$w_0$", "$w_1$", "$w_2$"], ["w₄", "w₃", "w₂", "w₁"]],
)
def test_a_label_at_the_line_of_another_weight_is_found(names):
    assert misnamed_weight(labelled(names), WEIGHTS) == names[0]


@pytest.mark.parametrize(
    ("x_label", "y_label", "swapped"),
    [
        ("step", "log10 of the loss", False),
        ("k", "L", False),
        ("weight updates", "w", False),
        ("iteration", "loss at step k", False),
        ("log10 of the loss", "step", True),
        ("weight", "w", True),
        ("x", "iterations", True),
    ],
)
def test_swapped_axes_are_found(x_label, y_label, swapped):
    figure, axes = plt.subplots()
    axes.plot(LOSSES)
    axes.set(xlabel=x_label, ylabel=y_label)
    assert axes_are_swapped(panels_of(figure)[0]) == swapped


def test_the_weights_are_not_read_from_a_logarithmic_axis():
    figure = plot_run(WEIGHTS, LOSSES)
    figure.axes[1].set_yscale("log")
    with (
        as_student(plot_run, figure=figure),
        pytest.raises(StudentError, match="ordinary y axis"),
    ):
        shown_run(student.figure, WEIGHTS)


def test_a_title_names_its_number_in_any_notation():
    first, second = plot_run(WEIGHTS, LOSSES), plot_run(WEIGHTS, LOSSES)
    first.suptitle(r"$\lambda = 0.20$")
    second.axes[0].set_title("strength 10")
    with as_student(plot_run, figures={0.2: first, 1.0: second}):
        check = titled({number: entry(student.figures, number) for number in (0.2, 1.0)})
    assert check.credit == 0.5
    assert check.message == "There is no title with the number 1."
