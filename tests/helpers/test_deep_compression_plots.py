import numpy as np
import pytest
from matplotlib import pyplot

from helpers import plots

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


def test_word_lengths_stand_beside_the_information():
    figure = plots.word_lengths(np.array([2, 1, 0, 1]), np.array([1, 2, 0, 2]))
    shares, bits = figure.axes
    assert [bar.get_height() for bar in shares.patches] == [50, 25, 0, 25]
    assert [bar.get_height() for bar in bits.patches] == [1, 2, 0, 2]
    assert bits.lines[0].get_xdata().tolist() == [0, 1, 3]
    assert bits.lines[0].get_ydata().tolist() == [1, 2, 2]


def test_stages_are_stacked_and_compared_with_the_first():
    figure = plots.stage_sizes(
        {"original": {"weights": 4000}, "shared": {"weights": 500, "index": 500}}
    )
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["4 kB", "1 kB\n4.0× smaller"]
    assert [bar.get_height() for bar in axes.patches] == [4, 0.5, 0, 0.5]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["weights", "index"]


def test_accuracy_over_size_labels_each_network():
    networks = {"float32": (1_000_000, 0.98), "4 bits": (100_000, 0.95)}
    (axes,) = plots.accuracy_over_size(networks, full_precision=0.98).axes
    assert [text.get_text() for text in axes.texts] == ["4 bits", "float32"]
    assert axes.lines[0].get_xdata().tolist() == [1000, 100]
    assert axes.get_xscale() == "log"
