"""What `docs/accuracy/index.md` says of the references of `full` is what their manifests say."""

import re
from collections import defaultdict

import pytest
from shell_blocks import PROJECT

from autograder.references import runs
from autograder.runs.table import experiments

TEXT = " ".join((PROJECT / "docs/accuracy/index.md").read_text(encoding="utf-8").split())
FULL = runs("full")


@pytest.fixture
def on_device():
    """Return the names of the runs by the beginning of their device's name."""
    found = defaultdict(set)
    for name, run in FULL.items():
        found["CPU" if run["run_on"]["device"].startswith("CPU") else "H100"].add(name)
    return found


def test_the_accuracy_of_the_starting_network_is_that_of_the_frozen_one():
    quoted = re.search(r"start from classifies (0\.\d+) of the test images", TEXT)[1]
    assert quoted == f"{FULL['resnet20']['accuracies'][0]:.4f}"


def test_the_networks_that_were_trained_on_a_cpu_are_named(on_device):
    constant_rate_1 = {"rate_large", "rate_large_warm"}
    assert on_device["CPU"] == {"char_itself", *constant_rate_1}
    assert "Three were trained on a CPU, with two seeds" in TEXT
    assert "`char_itself`, and the two networks of `lr_schedules` at the rate 1.0" in TEXT
    assert {len(FULL[name]["seeds"]) for name in on_device["CPU"]} == {2}
    assert all("H100" in FULL[name]["run_on"]["device"] for name in on_device["H100"])


def test_the_numbers_of_seeds_are_those_of_the_runs():
    assert "two or three seeds each (one for the wide starting network)" in TEXT
    seeds = {name: len(run["seeds"]) for name, run in FULL.items()}
    assert seeds.pop("resnet20_wide") == 1
    assert set(seeds.values()) == {2, 3}


def test_all_were_trained_in_bfloat16_for_all_epochs_but_one_assignment():
    assert "for all of their epochs" in TEXT
    assert "in bfloat16, but for `depthwise_conv`, which asks for float32" in TEXT
    in_float32 = {name for name, run in FULL.items() if run["precision"] == "float32"}
    assert in_float32 == {e.name for e in experiments() if e.assignment == "depthwise_conv"}
    assert {run["share"] for run in FULL.values()} == {1.0}


def test_the_assignment_without_runs_is_named():
    trained = {e.assignment for e in experiments() if e.name in FULL}
    asked = {e.assignment for e in experiments() if e.only_in != "quick"}
    assert asked - trained == {"lora_transfer"}
    assert "Those of `lora_transfer` have not been run yet." in TEXT
