"""The figures of `quantization` show the given data, have labels and are not shown twice."""

import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")
from matplotlib import pyplot

from helpers.assignments.quantization.plots import (
    accuracy_over_bits,
    accuracy_over_precision,
    learning_curves,
    level_moves,
    nearest_and_random,
)
from helpers.training import History

PRECISION = {(4, 4, 2): 2.5988, (4, 2, 4): 3.7328, (2, 4, 4): 4.0087}
BEFORE = dict(zip(PRECISION, (0.3, 0.2, 0.1), strict=True))
CONTROL = dict.fromkeys(PRECISION, 0.7)
AFTER = dict.fromkeys(PRECISION, 0.9)
HISTORY = History([0.5, 0.4], [0.8, 0.9], [0.88, 0.9], [0.01, 0.005], [1.0, 1.0])
LEVELS = torch.tensor([[-1.0, 0.0], [0.0, 2.0]])


def line(axes, label):
    """Return the points of the line with this label."""
    found = {line.get_label(): line for line in axes.get_lines()}[label]
    x, y = found.get_data()
    return list(zip(map(float, x), map(float, y), strict=True))


FIGURES = {
    "bits": lambda: accuracy_over_bits({4: 0.9, 2: 0.1}, {4: 0.95, 2: 0.8}, full_precision=0.97),
    "precision": lambda: accuracy_over_precision(PRECISION, dict.fromkeys(PRECISION, 0.3)),
    "after": lambda: accuracy_over_precision(PRECISION, BEFORE, AFTER, control=CONTROL),
    "random": lambda: nearest_and_random({4: 0.8, 3: 0.5}, {4: [0.7, 0.8], 3: [0.4, 0.6]}),
    "curves": lambda: learning_curves({"2 bits": HISTORY}),
    "moves": lambda: level_moves(LEVELS, LEVELS.flip(0), 2, "moves"),
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


def test_accuracy_over_bits_draws_all_curves_in_the_order_of_bits():
    figure = accuracy_over_bits(
        {4: 0.9, 2: 0.1}, {2: 0.8}, control={4: 0.9, 2: 0.5}, full_precision=0.97
    )
    for axes in figure.axes:
        assert line(axes, "quantized") == [(2, 0.1), (4, 0.9)]
        assert line(axes, "batch norm measured anew") == [(2, 0.5), (4, 0.9)]
        assert line(axes, "fine-tuned") == [(2, 0.8)]
        assert line(axes, "float32")[0][1] == 0.97
        assert axes.get_xticks().tolist() == [2, 4]


def test_the_second_panel_is_enlarged_around_the_accuracies_after_fine_tuning():
    whole, enlarged = accuracy_over_bits({2: 0.1}, {2: 0.8}, full_precision=0.9).axes
    assert whole.get_ylim() == (0, 1.02)
    low, high = enlarged.get_ylim()
    assert 0.7 < low < 0.8
    assert 0.9 < high < 1


def test_accuracy_over_bits_can_be_drawn_without_fine_tuning():
    (axes,) = accuracy_over_bits({4: 0.9}).axes
    assert {found.get_label() for found in axes.get_lines()} == {"quantized", "chance"}


def test_accuracy_over_precision_labels_each_scheme_in_both_panels():
    for axes in accuracy_over_precision(PRECISION, BEFORE, AFTER, control=CONTROL).axes:
        assert [text.get_text() for text in axes.texts] == ["4, 4, 2", "4, 2, 4", "2, 4, 4"]
        assert line(axes, "quantized") == [(2.5988, 0.3), (3.7328, 0.2), (4.0087, 0.1)]
        assert [y for _, y in line(axes, "batch norm measured anew")] == [0.7] * 3
        assert [y for _, y in line(axes, "fine-tuned")] == [0.9] * 3


def test_random_rounding_is_drawn_as_mean_and_standard_deviation():
    (axes,) = nearest_and_random({3: 0.5}, {3: [0.4, 0.6]}).axes
    assert line(axes, "to nearest") == [(2.88, 0.5)]
    (bar,) = axes.containers
    ((_, low), (_, high)) = bar.lines[2][0].get_segments()[0]
    assert high - low == pytest.approx(2 * 0.02**0.5)


def test_level_moves_counts_weights_by_level_before_and_after():
    # From the levels 0, 1, 1 and 3 to 0, 1, 3 and 3: level 2 is never taken, but has its row.
    (axes,) = level_moves(LEVELS, torch.tensor([[-1.0, 0.0], [2.0, 2.0]]), 2).axes
    fields = [text.get_text() for text in axes.texts]
    moved = {divmod(i, 4): field for i, field in enumerate(fields) if field != "0.0 %"}
    assert moved == dict.fromkeys([(0, 0), (1, 1), (1, 3), (3, 3)], "25.0 %")


def test_the_legend_of_the_learning_curves_names_the_curves_that_are_shown():
    accuracy = learning_curves({"2 bits": HISTORY, "3 bits": HISTORY}).axes[-1]
    names = [text.get_text() for text in accuracy.get_legend().get_texts()]
    assert names == [line.get_label() for line in accuracy.get_lines()] == ["2 bits", "3 bits"]
