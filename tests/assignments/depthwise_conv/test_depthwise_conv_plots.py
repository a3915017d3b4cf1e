"""The figures of `depthwise_conv` show the given data, have labels and are not shown twice."""

import matplotlib as mpl
import pytest

mpl.use("Agg")
from matplotlib import pyplot

from helpers.assignments.depthwise_conv import plots

TIMES = {"dense": {8: [0.001, 0.002, 0.003], 16: [0.004] * 3}, "own": {8: [0.002], 16: [0.003]}}
POINTS = {"dense": {16: (36.0, 3e10)}, "depthwise": {16: (2.2, 5e9), 64: (2.2, 6e9)}}
FIGURES = {
    "patterns": lambda: plots.kernel_patterns(4, 6, 3),
    "factors": lambda: plots.reduction_factors({3: {1: 0.9, 8: 4.2}, 5: {1: 0.96, 8: 6.1}}),
    "cost": lambda: plots.cost_per_block(
        {f"block {n}": {"dense": 900, "depthwise": 100, "pointwise": 200} for n in (1, 2)}
    ),
    "times": lambda: plots.running_times(TIMES),
    "roofline": lambda: plots.roofline(POINTS, peak=5e10, bandwidth=1e10),
    "curves": lambda: plots.error_and_accuracy({"dense": ([0.5, 0.2], [0.4, 0.7])}),
    "left over": lambda: plots.left_over_shares({"trained": {"block 1": 0.5, "block 2": 0.7}}),
}


def line(axes, label):
    """Return the points of the line with this label."""
    found = {line.get_label(): line for line in axes.get_lines()}[label]
    x, y = found.get_data()
    return list(zip(map(float, x), map(float, y), strict=True))


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


def test_the_patterns_count_the_weights():
    titles = [axes.get_title() for axes in FIGURES["patterns"]().axes]
    assert titles == [
        "dense: 216 weights",
        "depthwise step: 36 weights",
        "pointwise step: 24 weights",
    ]


def test_times_are_medians_in_milliseconds_on_logarithmic_axes():
    (axes,) = FIGURES["times"]().axes
    assert line(axes, "dense") == [(8, 2), (16, 4)]
    assert axes.get_xscale() == axes.get_yscale() == "log"


def test_the_roof_is_slanted_up_to_the_ridge_and_level_from_there_on():
    (axes,) = FIGURES["roofline"]().axes
    for intensity, performance in line(axes, "roof"):
        assert performance == pytest.approx(min(50, 10 * intensity))
    assert line(axes, "ridge")[0][0] == 5
    assert line(axes, "depthwise") == [(2.2, 5), (2.2, 6)]


def test_the_curves_are_errors_and_accuracies():
    error, accuracy = FIGURES["curves"]().axes
    assert line(error, "dense") == [(1, 0.5), (2, 0.2)]
    assert line(accuracy, "dense") == [(1, 0.4), (2, 0.7)]
    assert error.get_yscale() == "log"
