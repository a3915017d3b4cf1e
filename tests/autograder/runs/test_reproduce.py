"""A row that is run again is compared with what is frozen, and nothing frozen changes."""

import json
from functools import partial

import pytest
import tiny_rows
from tiny_rows import put_in_place, swept

from autograder.errors import UserError
from autograder.references import pooled
from autograder.runs import reproduce as reproducing
from autograder.runs import run as reference_run
from autograder.runs.reproduce import reproduce
from autograder.runs.run import plan, run

trained = partial(tiny_rows.trained, from_scratch=True, has_controls=False)


@pytest.fixture
def table(monkeypatch):
    """Return the experiments and sweeps, for a test to change; the data are 32 random images."""
    monkeypatch.setenv("COURSE_PROFILE", "full")
    rows = [trained()]
    sweeps = [swept({"4 bits": 0.5})]
    put_in_place(rows, sweeps, [reference_run, reproducing], monkeypatch)
    return rows, sweeps


@pytest.fixture
def frozen(table, tmp_path):
    """Return the folder of the references, which hold half of the epochs with two seeds."""
    folder = tmp_path / "frozen"
    run([], plan(seeds=2, share=0.5, device="cpu", jobs=1), tmp_path / "work", frozen=folder)
    return folder


@pytest.fixture
def again(frozen, tmp_path):
    def reproduced(name="small", seeds=1):
        how = plan(seeds=seeds, device="cpu", jobs=1)
        return reproduce(name, how, tmp_path / "scratch", frozen=frozen)

    return reproduced


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def change(frozen, kind, name, **fields):
    file = frozen / "full" / "tiny.json"
    manifest = json.loads(file.read_text())
    manifest[kind][name] |= fields
    file.write_text(json.dumps(manifest))


def test_the_same_training_gives_the_same_figure(again):
    found = again(seeds=2)
    assert found.agrees
    assert "+0.0000" in found.table
    assert found.verdict.startswith("Reproduced")


def test_it_has_as_many_epochs_as_the_frozen_run(again, tmp_path):
    assert "2 epochs from 0.01" in again().table
    (history,) = (tmp_path / "scratch").rglob("small_seed0.json")
    assert len(json.loads(history.read_text())["test_accuracy"]) == 2


def test_nothing_that_is_frozen_or_ships_changes(table, frozen, again, tmp_path):
    ships = tmp_path / "ships.safetensors"
    table[0][:] = [trained(ships_as=lambda profile: ships)]
    before = contents(frozen)
    again()
    assert contents(frozen) == before
    assert not ships.exists()


def test_the_table_has_seeds_and_devices_of_both(again):
    _, _, heading, _, there, here, _ = again().table.splitlines()
    assert heading.split() == ["test", "accuracy", "seeds", "device"]
    assert there.startswith("frozen")
    assert " 2  CPU (" in there
    assert here.startswith("reproduced")
    assert " 1  CPU (" in here


def test_a_figure_outside_of_the_spread_is_not_reproduced(frozen, again):
    change(frozen, "experiments", "small", accuracies=[0.98, 0.981], mean=0.9805, spread=0.0007)
    # With other networks of its kind, the spread is known better than from two seeds.
    manifest = json.loads((frozen / "full" / "tiny.json").read_text())
    other = manifest["experiments"]["small"] | {"accuracies": [0.9, 0.901] * 5}
    manifest["experiments"]["other"] = other
    (frozen / "full" / "tiny.json").write_text(json.dumps(manifest))
    reproducing.experiments().append(trained(name="other"))
    found = again()
    assert not found.agrees
    assert found.verdict.startswith("Not reproduced: the difference exceeds ± 0.")


def test_the_allowed_difference_follows_from_the_spread_that_is_larger():
    there = {"accuracies": [0.80, 0.82, 0.84], "run_on": {"test_images": 10_000}}
    agrees, words = reproducing._judged(0.0793, there, 1, [])
    usual = pooled([there["accuracies"]])
    # Student's t for 0.995 and 2 degrees of freedom is 9.925.
    allowed = 9.925 * 0.02 * (1 / 3 + 1) ** 0.5
    assert usual.freedom == 2
    assert agrees
    assert f"within ± {allowed:.4f}" in words
    assert "t = 9.92" in words
    assert not reproducing._judged(-1.001 * allowed, there, 1, [])[0]


def test_the_spread_is_at_least_the_standard_error_on_the_test_images():
    there = {"accuracies": [0.5, 0.5], "run_on": {"test_images": 100}}
    words = reproducing._judged(0.0, there, 1, [])[1]
    assert "times 0.0500, the standard error" in words


def test_without_two_seeds_anywhere_there_is_no_verdict(frozen, again):
    change(frozen, "experiments", "small", accuracies=[0.5], seeds=[0], spread=None)
    found = again()
    assert not found.agrees
    assert found.verdict.startswith("There is no verdict")


def test_figures_of_a_sweep_are_compared_in_four_digits(table, again):
    table[1][:] = [swept({"4 bits": 0.50004})]
    assert again("swept").agrees


def test_a_figure_of_a_sweep_that_differs_is_named(table, again):
    table[1][:] = [swept({"4 bits": 0.51})]
    found = again("swept")
    assert not found.agrees
    assert "4 bits" in found.verdict
    assert "+0.0100" in found.table


def test_what_is_not_frozen_is_refused_with_the_command_that_freezes_it(table, again):
    table[0].append(trained(name="new"))
    with pytest.raises(UserError, match="--only new --missing"):
        again("new")


def test_another_recipe_is_refused(table, again):
    table[0][:] = [trained(recipe="another")]
    with pytest.raises(UserError, match="recipe of 'small' has changed"):
        again()


def test_other_data_are_refused(frozen, again):
    manifest = json.loads((frozen / "full" / "tiny.json").read_text())
    run_on = manifest["experiments"]["small"]["run_on"] | {"data_sha256": "others"}
    change(frozen, "experiments", "small", run_on=run_on)
    with pytest.raises(UserError, match="other data"):
        again()


def test_an_unknown_name_is_refused_with_those_that_are_known(again):
    with pytest.raises(UserError, match="known: small, swept"):
        again("smal")
