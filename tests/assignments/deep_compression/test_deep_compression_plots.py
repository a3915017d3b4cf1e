import numpy as np
import pytest
from matplotlib import pyplot

from helpers.assignments.deep_compression import plots

WEIGHTS = np.array([0, -1, 0.5, 0, 2, 1, -0.2])


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    assert not pyplot.get_fignums()


def test_starting_points_are_drawn_on_the_distribution_of_kept_weights():
    starts = {"linear": np.array([-1, 2.0]), "density": np.array([0, 1.0])}
    figure = plots.starting_points(WEIGHTS, starts, title="a layer")
    assert [axes.get_title() for axes in figure.axes] == [
        "linear, 2 centroids",
        "density, 2 centroids",
    ]
    curve, points = figure.axes[0].lines
    assert curve.get_xdata().tolist() == [-1, -0.2, 0.5, 1, 2]  # no zeros
    assert curve.get_ydata().tolist() == [0.2, 0.4, 0.6, 0.8, 1]
    assert points.get_ydata().tolist() == [0.2, 1]


def test_word_lengths_are_drawn_beside_the_information_most_frequent_first():
    figure = plots.word_lengths(np.array([1, 2, 0, 1]), np.array([2, 1, 0, 2]))
    shares, bits = figure.axes
    assert [bar.get_height() for bar in shares.patches] == [50, 25, 25]
    assert [bar.get_height() for bar in bits.patches] == [1, 2, 2]
    assert bits.lines[0].get_ydata().tolist() == [1, 2, 2]
    assert [text.get_text() for text in bits.get_xticklabels()] == ["1", "0", "3"]


def test_stages_are_stacked_compared_with_the_first_and_enlarged():
    figure = plots.stage_sizes(
        {"original": {"weights": 4000}, "shared": {"weights": 500, "index": 500}}, enlarged=1
    )
    whole, detail = figure.axes
    assert [text.get_text() for text in whole.texts] == ["4 kB", "1 kB\n4.0× smaller"]
    assert [bar.get_height() for bar in whole.patches] == [4, 0.5, 0, 0.5]
    assert [text.get_text() for text in detail.texts] == ["1 kB\n4.0× smaller"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["index", "weights"]


def test_accuracy_after_training_draws_three_curves_twice_and_enlarges_the_last_two():
    figure = plots.accuracy_after_training({3: 0.8, 2: 0.4}, {2: 0.9}, {2: 0.95, 3: 0.97})
    for axes in figure.axes:
        assert [line.get_ydata().tolist() for line in axes.lines[:3]] == [
            [0.4, 0.8],
            [0.9],
            [0.95, 0.97],
        ]
    whole, enlarged = figure.axes
    assert whole.get_ylim() == (0, 1.02)
    low, high = enlarged.get_ylim()
    assert 0.4 < 0.8 < low < 0.9 < 0.97 < high
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["shared", "batch norm measured anew", "centroids trained", "chance"]


def test_bits_over_sparsity_draws_a_curve_for_each_way_and_a_line_at_one_bit():
    (axes,) = plots.bits_over_sparsity({"one": {0.9: 1.3, 0.5: 2.7}, "other": {0.5: 2.6}}).axes
    one, other, line = axes.lines
    assert one.get_xdata().tolist() == [50, 90]
    assert one.get_ydata().tolist() == [2.7, 1.3]
    assert other.get_ydata().tolist() == [2.6]
    assert set(line.get_ydata()) == {1}
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["one", "other", "1 bit"]


def test_accuracy_over_size_labels_each_network():
    series = {"plain": {"float32": (1_000_000, 0.98)}, "shared": {"4 bits": (100_000, 0.95)}}
    (axes,) = plots.accuracy_over_size(series, full_precision=0.98).axes
    assert [text.get_text() for text in axes.texts] == ["float32", "4 bits"]
    assert [line.get_xdata().tolist() for line in axes.lines[:2]] == [[1000], [100]]
    assert axes.get_xscale() == "log"
    assert 0.9 < axes.get_ylim()[0] < 0.95
