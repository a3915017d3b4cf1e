"""The figures of `quantization` show the given data, have labels and are not shown twice."""

import matplotlib as mpl
import pytest

mpl.use("Agg")
from matplotlib import pyplot

from helpers.assignments.quantization.plots import accuracy_over_bits, accuracy_over_precision

PRECISION = {(4, 4, 2): 2.5988, (4, 2, 4): 3.7328, (2, 4, 4): 4.0087}


def line(axes, label):
    """Return the points of the line with this label."""
    found = {line.get_label(): line for line in axes.get_lines()}[label]
    x, y = found.get_data()
    return list(zip(map(float, x), map(float, y), strict=True))


FIGURES = {
    "bits": lambda: accuracy_over_bits({4: 0.9, 2: 0.1}, {4: 0.95, 2: 0.8}, full_precision=0.97),
    "precision": lambda: accuracy_over_precision(PRECISION, dict.fromkeys(PRECISION, 0.3)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_axis_is_labelled_and_no_figure_stays_open(name, tmp_path):
    before = dict(mpl.rcParams)
    figure = FIGURES[name]()
    figure.savefig(tmp_path / "figure.png")
    assert all(axes.get_xlabel() for axes in figure.axes if axes.xaxis.get_visible())
    assert any(axes.get_ylabel() for axes in figure.axes)
    assert pyplot.get_fignums() == []
    assert dict(mpl.rcParams) == before


def test_accuracy_over_bits_draws_both_curves_in_the_order_of_bits():
    (axes,) = accuracy_over_bits({4: 0.9, 2: 0.1}, {2: 0.8}, full_precision=0.97).axes
    assert line(axes, "quantized") == [(2, 0.1), (4, 0.9)]
    assert line(axes, "quantized, then fine-tuned") == [(2, 0.8)]
    assert line(axes, "float32")[0][1] == 0.97
    assert axes.get_xticks().tolist() == [2, 4]


def test_accuracy_over_bits_can_be_drawn_without_fine_tuning():
    (axes,) = accuracy_over_bits({4: 0.9}).axes
    assert {found.get_label() for found in axes.get_lines()} == {"quantized", "chance"}


def test_accuracy_over_precision_labels_each_scheme():
    before = dict(zip(PRECISION, (0.3, 0.2, 0.1), strict=True))
    after = dict.fromkeys(PRECISION, 0.9)
    (axes,) = accuracy_over_precision(PRECISION, before, after).axes
    assert {text.get_text() for text in axes.texts} == {"4, 4, 2", "4, 2, 4", "2, 4, 4", ""}
    assert line(axes, "before fine-tuning") == [(2.5988, 0.3), (3.7328, 0.2), (4.0087, 0.1)]
    assert [y for _, y in line(axes, "after fine-tuning")] == [0.9] * 3
