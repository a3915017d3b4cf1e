"""The figures of `pruning` show the given data, have labels and are not shown twice."""

import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")
from matplotlib import pyplot

from helpers.assignments.pruning import plots
from helpers.training import History

WEIGHTS = torch.linspace(-1, 1, 100)
PRUNED = torch.where(WEIGHTS.abs() > 0.5, WEIGHTS, 0.0)
HISTORY = History([1.0, 0.5], [0.5, 0.75], [0.6, 0.7], [0.1, 0.05], [2.0, 2.5])
LAYERS = {"stem": 0.5, "stage1.0.conv1": 0.75}


def line(axes, label):
    """Return the points of the line with this label."""
    found = {line.get_label(): line for line in axes.get_lines()}[label]
    x, y = found.get_data()
    return list(zip(map(float, x), map(float, y), strict=True))


FIGURES = {
    "histograms": lambda: plots.pruned_histograms(WEIGHTS, {"a": PRUNED, "b": WEIGHTS}),
    "sparsity": lambda: plots.accuracy_over_sparsity({"one": {0.5: 0.9}}, full=0.97),
    "layers": lambda: plots.sparsity_per_layer({"one": LAYERS, "two": LAYERS}),
    "sensitivity": lambda: plots.accuracy_per_layer(LAYERS, full=0.97),
    "methods": lambda: plots.pruning_methods({"one": HISTORY}, {"one": [40, 80]}, full=0.97),
    "revived": lambda: plots.revived_weight({"one": [1.0, 0.0]}, pruned_at=1),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_axis_of_every_figure_is_labelled(name, tmp_path):
    figure = FIGURES[name]()
    figure.savefig(tmp_path / "figure.png")
    assert all(axes.get_xlabel() and axes.get_title() for axes in figure.axes)
    assert any(axes.get_ylabel() for axes in figure.axes)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_closed_and_leaves_the_settings_alone(name):
    before = dict(mpl.rcParams)
    FIGURES[name]()
    assert pyplot.get_fignums() == []
    assert dict(mpl.rcParams) == before


def test_histograms_leave_the_zeros_out_and_state_their_share():
    first, _ = FIGURES["histograms"]().axes
    assert first.get_title() == "a: 50.0% zeros"
    assert sum(bar.get_height() for bar in first.patches[1:]) == pytest.approx(50)


def test_accuracy_over_sparsity_is_drawn_in_the_order_of_sparsity():
    (axes,) = plots.accuracy_over_sparsity({"q": {0.8: 0.1, 0.25: 0.9}}, full=0.97).axes
    assert line(axes, "q") == [(25, 0.9), (80, 0.1)]
    assert line(axes, "not pruned")[0][1] == 0.97


def test_every_layer_has_a_bar_of_its_height_for_every_method():
    (axes,) = plots.sparsity_per_layer({"one": LAYERS, "two": dict.fromkeys(LAYERS, 0.1)}).axes
    assert [bar.get_height() for bar in axes.patches] == [0.5, 0.75, 0.1, 0.1]
    assert [text.get_text() for text in axes.get_xticklabels()] == list(LAYERS)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "two"]


def test_sensitivity_says_that_its_axis_is_cut_off():
    (axes,) = plots.accuracy_per_layer({"a": 0.9, "b": 0.98}).axes
    assert axes.get_ylim()[0] == pytest.approx(0.85)
    assert "cut off" in axes.get_ylabel()
    (axes,) = plots.accuracy_per_layer({"a": 0.02, "b": 0.98}).axes
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylabel() == "accuracy"


def test_methods_show_schedule_and_accuracy():
    pruned, accuracy = FIGURES["methods"]().axes
    assert line(pruned, "one") == [(1, 40), (2, 80)]
    assert line(accuracy, "one") == [(1, 0.6), (2, 0.7)]


def test_the_revived_weight_is_drawn_over_the_steps():
    (axes,) = FIGURES["revived"]().axes
    assert line(axes, "one") == [(0, 1.0), (1, 0.0)]
    assert line(axes, "pruned")[0][0] == 1
