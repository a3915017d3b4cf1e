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
    "sensitivity": lambda: plots.accuracy_per_layer({"80 %": LAYERS}, full=0.97),
    "before and after": lambda: plots.before_and_after(
        {"s = 1": (0.2, 0.8, 0.9), "q = 75": (0.1, 0.7, 0.89)}, untouched=0.91, trained=0.92
    ),
    "times": lambda: plots.times({"one": [1.0, 2.0, 30.0], "two": [4.0, 4.0, 5.0]}),
    "methods": lambda: plots.pruning_methods(
        {"one": HISTORY}, {"one": [40, 80]}, full=0.97, controls={"each": 0.55}
    ),
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


def test_sensitivity_has_marks_for_each_sparsity_on_an_axis_that_is_cut_off():
    curves = {"50 %": {"a": 0.95, "b": 0.98}, "95 %": {"a": 0.9, "b": 0.5}}
    (axes,) = plots.accuracy_per_layer(curves, full=0.98).axes
    assert line(axes, "50 %") == [(0, 0.95), (1, 0.98)]
    assert line(axes, "95 %") == [(0, 0.9), (1, 0.5)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "50 %",
        "95 %",
        "nothing pruned",
    ]
    assert 0.4 < axes.get_ylim()[0] < 0.5
    assert "cut off" in axes.get_ylabel()


def test_before_and_after_shows_the_trained_networks_closer():
    whole, zoomed = FIGURES["before and after"]().axes
    assert line(whole, "batch norm measured anew") == [(0, 0.8), (1, 0.7)]
    assert line(zoomed, "trained") == [(0, 0.9), (1, 0.89)]
    assert line(zoomed, "not pruned, trained")[0][1] == 0.92
    assert whole.get_ylim() == (0, 1.02)
    assert zoomed.get_ylim()[0] > 0.8


def test_times_are_medians_with_the_middle_half():
    (axes,) = FIGURES["times"]().axes
    assert [bar.get_height() for bar in axes.patches] == [2, 4]


def test_methods_show_schedule_and_accuracy():
    pruned, accuracy = FIGURES["methods"]().axes
    assert line(pruned, "one") == [(1, 40), (2, 80)]
    assert line(accuracy, "one") == [(1, 0.6), (2, 0.7)]


def test_the_revived_weight_is_drawn_over_the_steps():
    (axes,) = FIGURES["revived"]().axes
    assert line(axes, "one") == [(0, 1.0), (1, 0.0)]
    assert line(axes, "pruned")[0][0] == 1
