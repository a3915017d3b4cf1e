"""docs/speed.md says what was measured, and nothing else."""

import pytest

from autograder.assignments import NOTEBOOKS
from autograder.bench import page as module
from autograder.bench.page import (
    COLD,
    OF_CLASSES,
    ONE,
    STOCK,
    TWO,
    UNCHANGED,
    figures,
    marginal,
    measurements,
    page,
    times_fewer,
)


def row(seconds):
    return {
        "submissions": 2,
        "cpu_seconds": seconds,
        "seconds": seconds,
        "first_seconds": seconds,
        "peak_mib": 1000.0,
        "points": 8.0,
    }


@pytest.fixture
def measured():
    versions = {"torch": "2.15.0", "nbgrader": "0.9.6"}
    machine = {"processors": 2, "device": "cpu", "python": "3.11", "versions": versions}
    ways = {STOCK: 40.0, COLD: 20.0, ONE: 10.0, TWO: 6.0, UNCHANGED: 1.0}
    rows = {way: row(seconds) for way, seconds in ways.items()}
    curve = {"1": row(20.0), "4": row(11.0), "16": row(8.0)}
    found = {
        "grading": {
            "sparse_linear": {"own_cpu_seconds": 5.0} | rows,
            "curve": curve,
            "curve, one worker": {"4": row(12.0), "16": row(10.0)},
            "unchanged": {"10": 1.0, "1000": 7.5},
        },
        "checks": {"ways": rows, "curve": curve},
        "otter": {"sparse_linear": row(30.0)},
        "kernels": {
            "started by itself": {"seconds": 2.5, "own_mib": 320.4},
            "forked": {"seconds": 0.084, "own_mib": 29.1},
        },
        "writer": {
            "class": 1000,
            "work_seconds": 3.6,
            "locked_seconds": 0.02,
            "per_hour": {"1": 1000.0, "64": 32000.0},
        },
        "demo": {"seconds": 200.4, "submissions": 57},
    }
    return {part: {"machine": machine, part: figures} for part, figures in found.items()}


def test_one_more_submission_costs_what_two_classes_differ_by():
    assert marginal({"1": row(9.0), "4": row(5.0), "16": row(3.0)}, "seconds") == pytest.approx(
        (16 * 3.0 - 4 * 5.0) / 12
    )


def test_figures_stand_in_the_page(measured):
    text = page(measured)
    assert "| `sparse_linear` | 5.0 | 40.0 (40.0) | 20.0 (20.0) | 10.0 (10.0) |" in text
    assert "4.0 to 4.0 times; if only the student's own code ran, it would be 8.0 to 8.0" in text
    assert "1,000: 7.5 s" in text
    assert "| 64 | 32,000 | 50% |" in text
    assert "83% to 83%, the start included; 67% for one more submission" in text


def test_kernels_stand_beside_what_we_aim_at(measured):
    kernels = "0.08 s and 29 MiB; started by itself, 2.5 s and 320 MiB |"
    assert kernels in page(measured)


def test_otter_stands_beside_ours(measured):
    assert "| `sparse_linear` | 30.0 (30.0) | 10.0 (10.0) |" in page(measured)


def test_the_page_says_where_otter_gave_other_points(measured):
    measured["otter"]["otter"]["sparse_linear"]["points"] = 7.0
    assert "the same points in 0 of 1 assignments" in page(measured)


def test_a_missed_aim_is_not_hidden(measured):
    text = page(measured)
    assert "| 15 times fewer where nothing is computed | 4.0 times in a class of 2;" in text
    assert (
        "| the demo, nine assignments, in under 4 minutes | 3 min 20 s for 57 submissions" in text
    )


def test_the_committed_page_is_the_one_of_the_committed_measurements():
    assert module.PAGE.read_text(encoding="utf-8") == page(measurements())


def test_the_readme_quotes_the_committed_measurements():
    fewer = times_fewer(figures(measurements()))
    readme = " ".join((NOTEBOOKS.parent / "README.md").read_text(encoding="utf-8").split())
    assert f"takes {fewer['nbgrader']} times fewer processor seconds than with nbgrader" in readme
    assert f"and {fewer['otter']} times fewer than with Otter-Grader." in readme
    assert f"one more submission takes {fewer['checks']} times fewer than with nbgrader" in readme


def test_the_committed_measurements_are_of_one_machine():
    machines = [figures["machine"] for figures in measurements().values()]
    same = ("processors", "device", "python")
    assert len({tuple(str(machine[key]) for key in same) for machine in machines}) == 1


def test_all_ways_gave_the_same_points():
    grading = measurements()["grading"]["grading"]
    for name, found in grading.items():
        if name not in OF_CLASSES:
            ways = (STOCK, COLD, ONE, TWO, UNCHANGED)
            assert len({found[way]["points"] for way in ways}) == 1, name
