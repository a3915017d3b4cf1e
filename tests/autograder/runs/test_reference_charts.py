"""The charts of the results page draw what the assignments declare."""

from pathlib import Path

import pytest
from matplotlib import pyplot

from autograder import references
from autograder.assignments import Assignment, assignment, assignments
from autograder.runs import charts
from autograder.runs.lines import Line
from autograder.runs.table import experiments, sweeps

RUNS = {
    "one": {"mean": 0.9, "details": {"sparsity": 0.5, "size ratio": 0.25}},
    "two": {"mean": 0.8, "details": {"sparsity": 0.25, "size ratio": 0.5}},
}


@pytest.fixture
def declare(monkeypatch):
    """Let a single assignment, without a notebook, declare lines; runs and sweeps are made up."""
    monkeypatch.setenv("COURSE_PROFILE", "quick")

    def declared(*lines):
        monkeypatch.setattr(Assignment, "chart_lines", lines)
        monkeypatch.setattr(charts, "in_course_order", lambda: [Assignment("tiny", Path())])

    monkeypatch.setattr(charts, "runs", lambda profile: RUNS)
    swept = {"swept": {"figures": {"4 bits": 0.7, "2 bits": 0.6}}}
    monkeypatch.setattr(charts, "measured", lambda profile: swept)
    yield declared
    pyplot.close("all")


def drawn(figure, label):
    """Return the points of the line with this label."""
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == label]
    return list(zip(*line.get_data(), strict=True))


def test_a_sweep_is_drawn_at_the_numbers_of_its_labels(declare):
    declare(Line(chart="bits", label="rounded", sweep="swept"))
    assert drawn(charts._over_bits("quick"), "rounded") == [(4, 0.7), (2, 0.6)]


def test_networks_are_drawn_at_the_numbers_that_the_line_gives(declare):
    declare(Line(chart="bits", label="tuned", networks={"one": 4, "two": 2}))
    assert drawn(charts._over_bits("quick"), "tuned") == [(4, 0.9), (2, 0.8)]


def test_over_sparsity_networks_are_drawn_in_the_order_of_their_sparsity(declare):
    declare(Line(chart="sparsity", label="pruned", networks=["one", "two"]))
    assert drawn(charts._over_sparsity("quick"), "pruned") == [(25, 0.8), (50, 0.9)]


def test_over_size_networks_are_drawn_at_their_size_ratio(declare):
    declare(Line(chart="size", label="small", networks=["one", "two"]))
    assert drawn(charts._over_size("quick"), "small") == [(0.25, 0.9), (0.5, 0.8)]


def test_a_network_that_was_not_run_is_left_out(declare):
    declare(Line(chart="size", label="small", networks=["one", "three"]))
    assert drawn(charts._over_size("quick"), "small") == [(0.25, 0.9)]


def test_the_lines_of_a_chart_are_those_declared_for_it(declare):
    bits, size = (Line(chart=chart, label="", networks=["one"]) for chart in ("bits", "size"))
    declare(size, bits)
    assert charts.lines("bits") == [bits]


def test_learning_curves_are_empty_if_no_history_is_frozen(monkeypatch, tmp_path):
    monkeypatch.setattr(charts, "FROZEN", tmp_path)
    assert [len(axes.lines) for axes in charts._learning_curves("quick").axes] == [0, 0]


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_learning_curves_are_large_enough_and_their_legends_cover_nothing(profile, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    figure = charts._learning_curves(profile)
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    for axes in figure.axes:
        assert axes.bbox.width > 0.2 * width
        assert axes.bbox.height > 100
        if (legend := axes.get_legend()) is not None:
            around = legend.get_window_extent()
            assert not any(around.overlaps(other.bbox) for other in figure.axes)
            assert 0 <= around.y0 < around.y1 <= height


def test_looks_differ_where_there_are_more_lines_than_colours():
    looks = [str(sorted(charts._look(place).items())) for place in range(2 * len(charts.LINES))]
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("name", assignments())
def test_lines_name_experiments_and_sweeps_that_exist(name, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    trained, swept = {row.name for row in experiments()}, {row.name for row in sweeps()}
    for line in assignment(name).chart_lines:
        assert set(line.networks) <= trained, line.label
        assert not line.sweep or line.sweep in swept, line.label


def test_over_size_networks_without_zeros_are_on_other_lines_than_pruned_ones():
    found = references.runs("quick").items()
    zeros = {name: run["details"].get("sparsity", 0) > 0 for name, run in found}
    dense, pruned = (
        {zeros[name] for name in line.networks if name in zeros}
        for line in charts.lines("size")
        if line.label in ("few bits", "pruned, few bits")
    )
    assert (dense, pruned) == ({False}, {True})
