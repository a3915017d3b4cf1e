"""The figures of `lr_schedules` show what they are given."""

from functools import partial

import matplotlib as mpl
import numpy as np
import pytest

from helpers.assignments.lr_schedules import plots
from helpers.history import History
from helpers.reference.lr_schedules.schedules import cosine, multistep, one_cycle, warm_up
from helpers.reference.lr_schedules.smoothing import moving_average

mpl.use("Agg")

HISTORY = History(
    [1.0, 0.5], [0.5, 0.7], [0.5, 0.7], [0.1, 0.1], [2.0, 2.0], [1.5, 0.5, 0.75, 0.25]
)
SCHEDULES = {
    "warm-up": partial(warm_up, length=20),
    "multistep": partial(multistep, milestones=[10, 20, 30]),
    "cosine": partial(cosine, total=40),
    "one cycle": partial(one_cycle, total=40),
}


def test_losses_of_steps_are_drawn_over_epochs_and_smoothed():
    figure = plots.constant_rates({"0.1": HISTORY, "1.0": HISTORY}, moving_average, 2)
    loss, accuracy = figure.axes
    faint, smooth = loss.lines[:2]
    assert list(faint.get_xdata()) == [0.5, 1, 1.5, 2]
    assert list(faint.get_ydata()) == HISTORY.step_loss
    assert list(smooth.get_ydata()) == [1.5, 1, 0.625, 0.5]
    assert [text.get_text() for text in accuracy.get_legend().get_texts()] == [
        "0.1",
        "1.0",
        "chance",
    ]


def test_the_right_schedules_lie_on_those_of_torch():
    figure = plots.beside_torch(SCHEDULES, [10, 20, 30], 40)
    assert [axes.get_title() for axes in figure.axes] == list(SCHEDULES)
    for axes in figure.axes:
        expected, own = axes.lines
        np.testing.assert_allclose(own.get_ydata(), expected.get_ydata(), atol=1e-9)


def test_a_schedule_that_is_not_written_yet_leaves_torchs_alone():
    def missing(step):
        raise NotImplementedError

    figure = plots.beside_torch(SCHEDULES | {"cosine": missing}, [10, 20, 30], 40)
    assert len(figure.axes[2].lines) == 1
    assert "not written yet" in figure.axes[2].get_title()


def test_the_accuracy_of_the_second_half_fills_its_axis():
    figure = plots.rates_and_curves({"cosine": HISTORY})
    rate, loss, accuracy = figure.axes
    assert (rate.get_yscale(), loss.get_yscale()) == ("log", "log")
    assert accuracy.get_ylim()[0] == pytest.approx(0.68)


def test_a_range_test_has_a_logarithmic_axis():
    figure = plots.range_test([0.01, 0.1, 1.0], [2.0, 1.0, 5.0], [2.0, 1.5, 3.0])
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert axes.get_ylim() == pytest.approx((0, 3))
