"""The figures of `structured_pruning` show the given data, have labels and are not shown twice."""

import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")
from matplotlib import pyplot

from helpers.assignments.structured_pruning import plots
from helpers.training import History

HISTORY = History([1.0, 0.5], [0.5, 0.75], [0.6, 0.7], [0.1, 0.05], [2.0, 2.5])

FIGURES = {
    "channels": lambda: plots.constant_channel({"a": torch.rand(4, 4), "b": torch.rand(4, 4)}),
    "norms": lambda: plots.ranked_norms({"one": torch.rand(8), "two": torch.rand(4)}, 50),
    "curves": lambda: plots.pruning_curves(
        {"one": HISTORY, "two": HISTORY}, [1], controls={"control": 0.3}
    ),
    "percentages": lambda: plots.accuracy_over_percentage({"one": {10: 0.9}}, untouched=0.95),
    "masks": lambda: plots.masks({"one": torch.rand(4, 2, 3, 3) - 0.5}),
    "costs": lambda: plots.costs({"weights": {"dense": 4, "small": 1}}),
    "times": lambda: plots.times({"one": [1.0, 2.0, 30.0], "two": [4.0, 4.0, 5.0]}),
}


def line(axes, label):
    """Return the points of the line with this label."""
    found = {line.get_label(): line for line in axes.get_lines()}[label]
    x, y = found.get_data()
    return list(zip(map(float, x), map(float, y), strict=True))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_has_titles_and_is_closed(name, tmp_path):
    figure = FIGURES[name]()
    figure.savefig(tmp_path / "figure.png")
    assert any(axes.get_title() for axes in figure.axes)
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize("name", sorted(FIGURES.keys() - {"channels"}))
def test_every_axis_is_labelled(name):
    figure = FIGURES[name]()
    assert all(axes.get_title() for axes in figure.axes)
    assert any(axes.get_ylabel() for axes in figure.axes)


def test_the_curves_are_those_of_the_histories_and_the_prunings_stand_before_their_epochs():
    figure = FIGURES["curves"]()
    for axes in figure.axes:
        assert line(axes, "two") == [(1, 0.6), (2, 0.7)]
        assert {x for x, _ in line(axes, "10 % more pruned")} == {1.5}
        assert {y for _, y in line(axes, "control")} == {0.3}


def test_the_norms_are_in_ascending_order_and_the_border_lies_behind_those_that_are_pruned():
    norms = torch.tensor([3.0, 1.0, 2.0, 5.0])
    (axes,) = plots.ranked_norms({"one": norms}, 50).axes
    assert [bar.get_height() for bar in axes.patches] == [1, 2, 3, 5]
    (border,) = axes.get_lines()
    assert set(border.get_xdata()) == {1.5}


def test_costs_are_parts_of_the_dense_network():
    (axes,) = FIGURES["costs"]().axes
    assert [bar.get_height() for bar in axes.patches] == [100, 25]
    assert [text.get_text() for text in axes.texts] == ["100 %", "25 %"]


def test_a_mask_shows_what_is_not_zero_and_its_share():
    mask = torch.zeros(4, 2, 1, 1)
    mask[:2] = 0.7
    (axes,) = plots.masks({"one": mask}).axes
    assert axes.images[0].get_array().tolist() == [[True, True]] * 2 + [[False, False]] * 2
    assert axes.get_title() == "one: 50% kept"
