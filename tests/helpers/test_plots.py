"""The figures show the given data, have labels and are not shown twice."""

import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")
from matplotlib import pyplot

from helpers.plots import (
    learning_curves,
    weight_histograms,
)
from helpers.plots.style import panels
from helpers.training import History

HISTORY = History([1.0, 0.5], [0.5, 0.75], [0.6, 0.7], [0.1, 0.05], [2.0, 2.5])


def line(axes, label):
    """Return the points of the line with this label."""
    found = {line.get_label(): line for line in axes.get_lines()}[label]
    x, y = found.get_data()
    return list(zip(map(float, x), map(float, y), strict=True))


def figures():
    weights = {"a": torch.linspace(-1, 1, 100), "b": torch.zeros(10)}
    return {
        "histograms": weight_histograms(weights, {k: w.sign() for k, w in weights.items()}),
        "curves": learning_curves({"one": HISTORY, "two": HISTORY}),
    }


@pytest.mark.parametrize("name", ["histograms", "curves"])
def test_every_axis_of_every_figure_is_labelled(name, tmp_path):
    figure = figures()[name]
    figure.savefig(tmp_path / "figure.png")
    assert all(axes.get_xlabel() for axes in figure.axes if axes.xaxis.get_visible())
    assert any(axes.get_ylabel() for axes in figure.axes)
    assert all(axes.get_title() for axes in figure.axes if axes.get_lines() and axes.patches)


def test_no_figure_stays_open_to_be_shown_a_second_time():
    figures()
    assert pyplot.get_fignums() == []


def test_a_figure_leaves_the_settings_of_matplotlib_alone():
    before = dict(mpl.rcParams)
    figures()
    assert dict(mpl.rcParams) == before


def test_a_backend_that_is_loaded_for_a_figure_stays_interactive():
    """Otherwise Jupyter shows no figure that is drawn with pyplot afterwards."""
    was = mpl.is_interactive()
    try:
        mpl.interactive(False)
        with panels(1, (2, 2)):
            mpl.interactive(True)  # as Jupyter's backend does when the first figure loads it
        assert mpl.is_interactive()
    finally:
        mpl.interactive(was)


def test_weight_histograms_count_the_values_and_add_up_to_100_percent():
    weights = {"layer": torch.linspace(-1, 1, 1000)}
    axes, twin = weight_histograms(weights, {"layer": weights["layer"].round()}).axes
    assert "3 values" in axes.get_title()
    assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(100)
    assert [x for x, _ in zip(*twin.get_lines()[0].get_data(), strict=True)] == [-1, 0, 1]
    assert sum(twin.get_lines()[0].get_ydata()) == pytest.approx(100)


def test_weight_histograms_take_arrays_of_any_shape_and_several_rows():
    weights = {name: torch.rand(2, 3, 4).numpy() for name in "abcd"}
    figure = weight_histograms(weights, weights)
    assert len(figure.axes) == 2 * 4


def test_learning_curves_take_one_history_or_several():
    loss, accuracy = learning_curves(HISTORY).axes
    assert [y for _, y in zip(*loss.get_lines()[0].get_data(), strict=True)] == [1.0, 0.5]
    assert accuracy.get_legend() is None
    _, accuracy = learning_curves({"one": HISTORY, "two": HISTORY}).axes
    assert line(accuracy, "two") == [(1, 0.6), (2, 0.7)]
