"""The name of a line is the one that its legend shows for its colour and its marks."""

import matplotlib
import pytest

from autograder.hidden import names_of_lines

matplotlib.use("Agg")

from matplotlib import pyplot as plt


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def named(axes):
    return {name: points[0, 1] for name, points in names_of_lines(axes.figure)}


def test_labels_belong_to_their_lines(axes):
    for height, label in ((1, "one"), (2, "two")):
        axes.plot([height] * 3, label=label)
    axes.axhline(3, label="a line of two points")
    axes.legend()
    assert named(axes) == {"one": 1, "two": 2}


def test_a_legend_may_name_lines_in_another_order(axes):
    lines = [axes.plot([height] * 3)[0] for height in (1, 2)]
    axes.legend(lines[::-1], ["two", "one"])
    assert named(axes) == {"one": 1, "two": 2}


def test_a_legend_of_the_figure_counts(axes):
    axes.plot([1] * 3, "k--", label="one")
    axes.plot([2] * 3, "k-", label="two")
    axes.fill_between(range(3), 0, 1, label="a band")
    axes.figure.legend()
    assert named(axes) == {"one": 1, "two": 2}


def test_lines_that_look_alike_have_the_name_that_they_were_drawn_with(axes):
    for height, label in ((1, "one"), (2, "two")):
        axes.plot([height] * 3, "k-", label=label)
    axes.legend()
    assert named(axes) == {"one": 1, "two": 2}


@pytest.mark.parametrize("figure", [None, "a figure", 3])
def test_what_is_no_figure_has_no_names(figure):
    assert names_of_lines(figure) == []


def test_without_a_legend_nothing_is_named(axes):
    axes.plot([1] * 3, label="one")
    assert names_of_lines(axes.figure) == []
