import matplotlib as mpl
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

from helpers.assignments.sparse_linear import checks
from helpers.reference.sparse_linear import sparse_figures
from helpers.reference.sparse_linear.sparse_regression import (
    PROBLEM,
    gradient_descent,
    l1_descent,
    projected_descent,
    proximal_descent,
    trimmed_descent,
)

RUN = gradient_descent(*PROBLEM)
FIRST_TWO = (PROBLEM[0][:2], PROBLEM[1][:2])
SETTINGS = {"l1": 0.5, "proximal": 0.5, "trimmed": 5.0}
RUNS = {
    "projected": projected_descent(*FIRST_TWO),
    "l1": l1_descent(*FIRST_TWO, 0.5),
    "proximal": proximal_descent(*FIRST_TWO, 0.5),
    "trimmed": trimmed_descent(*FIRST_TWO, 5.0),
}


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    plt.close("all")


def test_plot_run_leaves_no_figure_open():
    checks.plot_run(sparse_figures.plot_run)
    assert plt.get_fignums() == []


def test_plot_run_requires_a_legend_and_labels():
    def unnamed(weights, losses):
        figure = sparse_figures.plot_run(weights, losses)
        figure.axes[1].get_legend().remove()
        return figure

    assert "legend" in checks.plot_run(unnamed).problem

    def unlabelled(weights, losses):
        figure = sparse_figures.plot_run(weights, losses)
        for axes in figure.axes:
            axes.set(xlabel="")
        return figure

    assert "label" in checks.plot_run(unlabelled).problem


def test_a_figure_is_compared_with_its_run():
    figure = sparse_figures.plot_run(*RUN)
    assert checks.run_figure(figure, *RUN), checks.run_figure(figure, *RUN)
    assert not checks.run_figure(figure, *projected_descent(*PROBLEM))
    assert not checks.run_figure(None, *RUN)


def test_a_figure_is_required_for_each_strength():
    runs = {s: l1_descent(*PROBLEM, s) for s in (0.2, 0.5)}
    figures = {s: sparse_figures.plot_run(*run) for s, run in runs.items()}
    assert "0.2" in checks.run_figures(figures, runs).problem  # there are no titles yet
    for s, figure in figures.items():
        figure.suptitle(f"strength {s}")
    assert checks.run_figures(figures, runs), checks.run_figures(figures, runs)
    assert "0.5" in checks.run_figures({0.2: figures[0.2]}, runs).problem
    assert "for 0.2" in checks.run_figures({0.2: figures[0.5], 0.5: figures[0.5]}, runs).failed
    assert not checks.run_figures([], runs)


def test_the_form_of_the_bonus_runs_is_checked():
    assert checks.two_point_runs(RUNS, SETTINGS), checks.two_point_runs(RUNS, SETTINGS)
    assert "'l1'" in checks.two_point_runs(RUNS, {}).problem
    assert "from 0.01 to 10" in checks.two_point_runs(RUNS, SETTINGS | {"l1": 0.0}).problem
    assert "'projected'" in checks.two_point_runs({}, SETTINGS).problem
    short = RUNS | {"l1": l1_descent(*FIRST_TWO, 0.5, steps=100)}
    assert "(201, 5)" in checks.two_point_runs(short, SETTINGS).problem
