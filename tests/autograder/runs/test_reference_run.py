"""A reference run follows its plan, freezes its results and does not repeat earlier work."""

import contextlib
import itertools
import json
import shutil
import threading
import time

import pytest
from tiny_rows import network, put_in_place, swept, trained

import helpers.turns
from autograder.errors import UserError
from autograder.runs import (
    freezing as reference_freeze,
)
from autograder.runs import (
    run as reference_run,
)
from autograder.runs import (
    side_by_side,
)
from autograder.runs import (
    tasks as reference_tasks,
)
from autograder.runs.hooks import Hooks
from autograder.runs.run import plan, run
from helpers.measurements import MEASUREMENTS, read_measurements, recall
from helpers.profile import profile
from helpers.training import evaluate


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


@pytest.fixture
def full(monkeypatch):
    """Set the profile whose epochs can be trained in part."""
    monkeypatch.setenv("COURSE_PROFILE", "full")


@pytest.fixture
def table(monkeypatch):
    """Return the experiments and sweeps, for a test to change; the data are 32 random images."""
    rows, sweeps = [trained()], []
    put_in_place(rows, sweeps, [reference_run], monkeypatch)
    return rows, sweeps


@pytest.fixture
def start(tmp_path):
    def started(seeds=2, share=1.0, only=(), jobs=1, missing=False, **options):
        options = {"update": not missing} | options
        how = plan(seeds=seeds, share=share, device="cpu", jobs=jobs, missing=missing, **options)
        run(only, how, tmp_path / "work", frozen=tmp_path / "frozen")
        return json.loads((tmp_path / "frozen" / profile() / "tiny.json").read_text())

    return started


@pytest.mark.parametrize(
    ("profile", "device", "seeds", "share"),
    [("quick", "cpu", 5, 1.0), ("full", "cpu", 2, 0.1), ("full", "cuda", 3, 1.0)],
)
def test_the_plan_suits_profile_and_device(profile, device, seeds, share, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    how = plan(device=device)
    assert (how.seeds, how.share) == (seeds, share)


def test_a_plan_keeps_the_given_settings():
    how = plan(seeds=7, device="cpu", share=0.25, jobs=3)
    assert (how.seeds, how.device, how.share, how.jobs) == (7, "cpu", 0.25, 3)


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"jobs": 0}, {"share": 0.0}, {"share": 1.5}])
def test_an_impossible_plan_is_refused(wrong):
    with pytest.raises(UserError):
        plan(**wrong)


def test_the_manifest_has_each_seed_the_mean_and_the_spread(table, start):
    found = start(seeds=3)["experiments"]["small"]
    assert found["seeds"] == [0, 1, 2]
    assert len(found["accuracies"]) == len(found["seconds"]) == 3
    assert found["mean"] == pytest.approx(sum(found["accuracies"]) / 3)
    deviations = [(a - found["mean"]) ** 2 for a in found["accuracies"]]
    assert found["spread"] == pytest.approx((sum(deviations) / 2) ** 0.5)


def test_the_manifest_says_where_the_figures_come_from(table, start):
    found = start()["experiments"]["small"]
    assert found["recipe"] == "2 epochs from 0.01"
    known = {"device", "python", "torch", "numpy", "date", "data", "data_sha256", "test_images"}
    assert found["run_on"].keys() == known


def test_one_seed_has_no_spread(table, start):
    assert start(seeds=1)["experiments"]["small"]["spread"] is None


def test_details_are_the_mean_over_the_seeds(table, start):
    table[0][:] = [trained(details=lambda model: {"weight": model[1].weight[0, 0].item()})]
    one, two = (start(seeds=n)["experiments"]["small"]["details"]["weight"] for n in (1, 2))
    assert one != two


def test_a_sweep_is_measured_and_frozen(table, start):
    table[1].append(swept({"4 bits": 0.5}))
    assert start()["sweeps"]["swept"]["figures"] == {"4 bits": 0.5}


def test_what_was_measured_is_recognised_by_hidden_tests(table, start, tmp_path):
    start()
    found = read_measurements(tmp_path / "frozen" / "quick" / "tiny" / MEASUREMENTS)
    dataset = reference_tasks._dataset("digits", "cpu")
    assert recall(found, network(dataset), dataset) == evaluate(network(dataset), dataset)
    assert len(found) == 5  # two seeds, the network before, and two controls


def test_measuring_again_adds_nothing(table, start, tmp_path):
    start()
    file = tmp_path / "frozen" / "quick" / "tiny" / MEASUREMENTS
    first = file.read_bytes()
    start()
    assert file.read_bytes() == first


def test_what_is_done_is_not_done_again(table, start, monkeypatch):
    first = start()
    monkeypatch.setattr(reference_tasks, "_DO", {})  # a task that is done again would fail
    assert start() == first


def test_more_seeds_are_added_to_those_that_exist(table, start):
    two, three = (start(seeds=n)["experiments"]["small"]["accuracies"] for n in (2, 3))
    assert three[:2] == two


def test_other_experiments_stay_in_the_manifest(table, start):
    table[0].append(trained(name="other"))
    start(only=["small"])
    assert set(start(only=["other"])["experiments"]) == {"small", "other"}


def test_a_shorter_training_does_not_replace_a_longer_one(full, table, start, capsys):
    whole = start(share=1.0)
    assert start(share=0.5) == whole
    assert "small stays" in capsys.readouterr().out


def test_fewer_seeds_do_not_replace_more_seeds(table, start):
    whole = start(seeds=3)
    assert start(seeds=2) == whole


def test_what_began_from_another_network_is_run_again(table, start, monkeypatch):
    start(seeds=3)
    monkeypatch.setattr(reference_freeze, "start_digest", lambda profile, weights: "another")
    assert start(seeds=2)["experiments"]["small"]["seeds"] == [0, 1]


def test_a_longer_training_replaces_a_shorter_one(full, table, start):
    start(share=0.5)
    assert start(share=1.0)["experiments"]["small"]["share"] == 1.0


def test_a_network_ships_only_if_it_was_trained_for_all_of_its_epochs(full, table, start, tmp_path):
    ships = tmp_path / "ships.safetensors"
    table[0][:] = [trained(ships_as=lambda profile: ships, ships_history=True)]
    start(seeds=1, share=0.5)
    assert not ships.exists()
    start(seeds=1, share=1.0)
    assert ships.exists()
    assert ships.with_suffix(".json").exists()


def test_weights_are_kept_where_they_are_needed(table, start, tmp_path):
    ships = tmp_path / "ships.safetensors"
    table[0][:] = [
        trained(),
        trained(name="light", keeps_weights=False, ships_as=lambda profile: ships),
    ]
    start()
    folder = tmp_path / "frozen" / "quick" / "tiny"
    weights = {f.name for f in folder.glob("*.safetensors")}
    assert weights == {"small.safetensors"}
    assert {f.name for f in folder.glob("*.json")} >= {"small.json", "light.json"}
    assert ships.stat().st_size == (folder / "small.safetensors").stat().st_size


# ------------------------------------------------------------------------------------------------
# Nothing is replaced silently


def test_what_is_frozen_stays_unless_the_run_is_told_to_update(table, start, monkeypatch, capsys):
    first = start()
    monkeypatch.setattr(reference_tasks, "_DO", {})  # a task that is done would fail
    assert start(seeds=3, update=False) == first
    said = capsys.readouterr().out
    assert "small is frozen already and stays as it is: --update runs anew" in said


def test_rows_that_are_not_frozen_are_run_beside_those_that_stay(table, start, capsys):
    first = start()["experiments"]["small"]
    table[0].extend([trained(name="second"), trained(name="third")])
    found = start(update=False)["experiments"]
    assert set(found) == {"small", "second", "third"}
    assert found["small"] == first
    start(update=False)
    assert "3 of 3 rows are frozen already and stay as they are" in capsys.readouterr().out


def test_an_update_says_what_moved(full, table, start, capsys):
    before = start(seeds=2, share=0.5)["experiments"]["small"]
    capsys.readouterr()
    after = start(seeds=3)["experiments"]["small"]
    lines = capsys.readouterr().out.splitlines()
    (place,) = (i for i, text in enumerate(lines) if text.startswith("small: "))
    change = after["mean"] - before["mean"]
    assert f"{before['mean']:.4f} ± {before['spread']:.4f} → {after['mean']:.4f} ±" in lines[place]
    assert f"({change:+.4f})" in lines[place]
    assert lines[place + 1].startswith(
        "  before: 2 seeds, 2 epochs from 0.01, 0.5 of the epochs, on CPU"
    )
    assert lines[place + 2].startswith("  now:    3 seeds, 4 epochs from 0.01, on CPU")


def test_each_figure_of_a_sweep_that_moved_is_shown(table, start, tmp_path, capsys):
    table[0].clear()
    table[1][:] = [swept({"4 bits": 0.5, "3 bits": 0.4})]
    start()
    forget(tmp_path)
    table[1][:] = [swept({"4 bits": 0.25, "2 bits": 0.1})]
    start()
    said = capsys.readouterr().out
    assert "4 bits: 0.5000 → 0.2500 (-0.2500)" in said
    assert "3 bits: 0.4000 → gone" in said
    assert "2 bits: new → 0.1000" in said


def test_an_update_that_moves_nothing_says_nothing_of_the_row(table, start, capsys):
    start()
    capsys.readouterr()
    start()
    assert "small:" not in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------
# Only what is missing


def without_seconds(manifest):
    rows = manifest["experiments"].items()
    return {name: {key: run[key] for key in run if key != "seconds"} for name, run in rows}


def forget(folder):
    """Remove the working files, so that only what is frozen is left."""
    shutil.rmtree(folder / "work")


def test_further_seeds_join_those_that_are_frozen(table, start, tmp_path):
    table[0][:] = [trained(details=lambda model: {"weight": model[1].weight[0, 0].item()})]
    whole = start(seeds=3)
    shutil.rmtree(tmp_path / "frozen")
    forget(tmp_path)
    start(seeds=1)
    forget(tmp_path)
    found = start(seeds=3, missing=True)
    labels = {file.name for file in (tmp_path / "work").rglob("*.figures.json")}
    assert labels == {"small_seed1.figures.json", "small_seed2.figures.json"}
    details = [m["experiments"]["small"].pop("details") for m in (found, whole)]
    assert without_seconds(found) == without_seconds(whole)
    assert details[0] == pytest.approx(details[1])
    assert len(found["experiments"]["small"]["seconds"]) == 3


def test_networks_and_measurements_of_the_frozen_seeds_stay(table, start, tmp_path):
    start(seeds=1)
    weights = (tmp_path / "frozen" / "quick" / "tiny" / "small.safetensors").read_bytes()
    forget(tmp_path)
    start(seeds=2, missing=True)
    folder = tmp_path / "frozen" / "quick" / "tiny"
    assert (folder / "small.safetensors").read_bytes() == weights
    # Two seeds, the network before, and two controls.
    assert len(read_measurements(folder / MEASUREMENTS)) == 5


def test_what_is_frozen_is_not_run_again(table, start, monkeypatch, tmp_path):
    table[1].append(swept({"4 bits": 0.5}))
    first = start()
    forget(tmp_path)
    monkeypatch.setattr(reference_tasks, "_DO", {})  # a task that is done again would fail
    assert start(missing=True) == first


@pytest.mark.parametrize("change", ["share", "recipe"])
def test_other_epochs_and_other_recipes_are_missing_altogether(
    change, full, table, start, tmp_path
):
    start(seeds=1, share=0.5 if change == "share" else 1.0)
    if change == "recipe":
        table[0][:] = [trained(recipe="another recipe")]
    forget(tmp_path)
    start(seeds=2, missing=True)
    assert len(list((tmp_path / "work").rglob("*seed*.figures.json"))) == 2


def test_other_data_are_refused_with_a_message(table, start, tmp_path):
    start(seeds=1)
    forget(tmp_path)
    file = tmp_path / "frozen" / "quick" / "tiny.json"
    manifest = json.loads(file.read_text())
    manifest["experiments"]["small"]["run_on"]["data_sha256"] = "others"
    file.write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="other data"):
        start(seeds=2, missing=True)


def test_artifacts_of_students_come_first_and_starting_networks_last(
    table, start, monkeypatch, tmp_path
):
    table[0][:] = [
        trained(name="begin", assignment=reference_run.STARTING),
        trained(name="light", keeps_weights=False),
        trained(name="heavy"),
    ]
    start(seeds=1)
    forget(tmp_path)
    order = []

    def done(tasks, *rest):
        order.extend(task.name for task, _ in tasks)
        return iter([])

    monkeypatch.setattr(reference_run, "done", done)
    start(seeds=2, missing=True)
    assert order == ["heavy", "light", "begin"]


# ------------------------------------------------------------------------------------------------
# Until a deadline


@pytest.mark.parametrize("threads", [False, True])
def test_a_run_that_is_out_of_time_continues_where_it_stopped(
    threads, table, start, monkeypatch, tmp_path, capsys
):
    whole = start(seeds=3)
    shutil.rmtree(tmp_path / "frozen")
    forget(tmp_path)
    if threads:
        monkeypatch.setattr(side_by_side, "_in_processes", side_by_side._in_threads)
    clock = itertools.count()  # a second passes each time that the clock is read
    monkeypatch.setattr(time, "time", lambda: next(clock))
    options = {"seeds": 3, "jobs": 2 if threads else 1, "minutes": 5 / 60}
    attempts = 1
    with pytest.raises(FileNotFoundError):  # there is no manifest yet
        start(**options)
    assert "The time is over." in capsys.readouterr().out
    while not (tmp_path / "frozen" / "quick" / "tiny.json").exists():
        attempts += 1
        with contextlib.suppress(FileNotFoundError):
            start(**options)
    assert attempts > 1
    assert "Continuing after epoch 1" in capsys.readouterr().out
    assert without_seconds(start(seeds=3)) == without_seconds(whole)


@pytest.mark.parametrize("minutes", [0, -1])
def test_a_run_without_any_time_is_refused(minutes):
    with pytest.raises(UserError, match="minutes"):
        plan(minutes=minutes)


# ------------------------------------------------------------------------------------------------
# Side by side


class Reached:
    """An event of a GPU that is reached very soon; other threads have their turn meanwhile."""

    def synchronize(self):
        time.sleep(0.001)


def test_threads_that_take_turns_give_the_same_as_runs_one_by_one(
    table, start, monkeypatch, tmp_path
):
    one_by_one = start(seeds=4)
    forget(tmp_path)
    turns = []

    def wait(model):
        turns.append(threading.get_ident())
        helpers.turns.wait(Reached())

    table[0][:] = [trained(hooks=lambda model, length: Hooks(after_step=wait))]
    monkeypatch.setattr(side_by_side, "_in_processes", side_by_side._in_threads)
    assert without_seconds(start(seeds=4, jobs=4)) == without_seconds(one_by_one)
    changes = sum(a != b for a, b in itertools.pairwise(turns))
    assert len(set(turns)) == 4
    assert changes > 10


def test_an_error_in_a_thread_stops_the_others(table, start, monkeypatch):
    class Broken(Exception):
        pass

    def break_or_train(experiment, dataset, seed, checkpoint, share):
        if seed == 0:
            raise Broken
        while True:
            helpers.turns.wait(Reached())

    monkeypatch.setattr(reference_tasks, "train", break_or_train)
    monkeypatch.setattr(side_by_side, "_in_processes", side_by_side._in_threads)
    with pytest.raises(Broken):
        start(seeds=3, jobs=3)


@pytest.mark.slow
@pytest.mark.long
def test_runs_side_by_side_give_the_same_as_runs_one_by_one(tmp_path):
    found = []
    for jobs in (1, 2):
        how = plan(seeds=2, device="cpu", jobs=jobs)
        folders = tmp_path / f"work{jobs}", tmp_path / f"frozen{jobs}"
        run(["shared_2bit"], how, folders[0], frozen=folders[1])
        manifest = json.loads((folders[1] / "quick" / "deep_compression.json").read_text())
        found.append(manifest["experiments"]["shared_2bit"] | {"seconds": None})
    assert found[0] == found[1]
