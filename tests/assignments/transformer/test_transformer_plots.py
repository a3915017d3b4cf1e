"""The figures of `transformer` show the given data, have labels and are not shown twice."""

import math

import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")
from matplotlib import pyplot

from helpers.assignments.transformer import plots
from helpers.reference.transformer.counting import multiplications
from helpers.reference.transformer.inputs import sinusoidal_positions
from helpers.training import History

SIZES = {"d": 8, "heads": 2, "layers": 2, "hidden": 16, "vocabulary": 9}
NGRAMS = {"unigrams": 4.5, "bigrams": 3.4, "trigrams": 2.6}
HISTORY = History([2.0, 1.0], [0.3, 0.4], [0.3, 0.4], [0.01, 0.005], [1.0, 1.0])


def line(axes, label):
    (found,) = [line for line in axes.get_lines() if line.get_label() == label]
    return found.get_xdata(), found.get_ydata()


@pytest.fixture(autouse=True)
def nothing_stays_open():
    yield
    assert pyplot.get_fignums() == []


def test_positions_show_the_table_and_the_products():
    p = sinusoidal_positions(10, 8)
    table, products, *_ = plots.positions(p).axes
    assert table.images[0].get_array().shape == (10, 8)
    assert products.get_lines()[0].get_ydata()[0] == pytest.approx(4)


def test_sight_leaves_fields_of_zero_empty():
    values = torch.tensor([[1.0, 0.0], [0.5, 2.0]])
    changes, gradients, *_ = plots.sight(values, 2 * values, "a ").axes
    assert changes.images[0].get_array().mask.tolist() == [[False, True], [False, False]]
    assert gradients.images[0].get_array().max() == 4
    assert [t.get_text() for t in changes.get_yticklabels()] == ["a", "·"]


def test_work_over_length_has_both_kinds_of_products():
    (axes,) = plots.work_over_length(multiplications, dropout=0.1, **SIZES).axes
    lengths, heads = line(axes, "scores and weighted values")
    found = multiplications(int(lengths[0]), **SIZES)
    assert heads[0] == found["scores"] + found["weighted values"]
    assert line(axes, "linear layers")[1][0] + heads[0] == sum(found.values())
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_losses_are_drawn_in_bits():
    figure = plots.losses_in_bits({"one": HISTORY}, {"one": 2.2}, NGRAMS)
    curves, bars = figure.axes
    assert list(line(curves, "one")[1]) == pytest.approx([2 / math.log(2), 1 / math.log(2)])
    assert [bar.get_width() for bar in bars.patches] == [4.5, 3.4, 2.6, 2.2]
    assert list(line(curves, "bigrams")[1]) == [3.4, 3.4]


def test_maps_have_a_row_for_each_layer_and_the_letters_at_the_axes():
    weights = torch.eye(4).expand(3, 4, 4)
    axes = plots.attention_maps([weights, weights], "a b\n").axes
    assert [a.get_title() for a in axes][:6:3] == ["first layer, head 0", "last layer, head 0"]
    assert [t.get_text() for t in axes[0].get_xticklabels()] == ["a", "·", "b", "↵"]


def test_generation_counts_what_the_model_would_do():
    times = {"anew": [1.0, 2.0], "with a cache": [1.0, 1.5]}
    work, seconds = plots.generation((1, 3), times, multiplications, **SIZES).axes
    anew, cached = (line(work, label)[1] for label in times)
    one = multiplications(1, **SIZES)
    assert anew[0] == cached[0] == sum(one.values())
    assert anew[1] == sum(sum(multiplications(t, **SIZES).values()) for t in (1, 2, 3))
    heads = one["scores"] + one["weighted values"]
    assert cached[1] == 3 * (sum(one.values()) - heads) + 6 * heads
    assert list(line(seconds, "with a cache")[1]) == [1.0, 1.5]


def test_the_loss_over_bits_is_in_order():
    (axes,) = plots.loss_over_bits({8: 2.2, 2: 5.0, 4: 2.5}, 2.2, NGRAMS).axes
    assert [list(values) for values in line(axes, "rounded")] == [[2, 4, 8], [5.0, 2.5, 2.2]]
