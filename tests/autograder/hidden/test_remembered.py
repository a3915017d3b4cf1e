"""Something is measured once, by whichever process comes first."""

import multiprocessing
import time

import pytest

from autograder.hidden import remembered as module
from autograder.hidden.remembered import remembered, remembering_in


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Let this process remember nothing from other tests."""
    monkeypatch.setattr(module, "_here", {})


def forget():
    module._here.clear()


@pytest.mark.parametrize(
    "value", [0.1 + 0.2, True, None, "text", {2: (0.5, 0.25), (4, 2): [1.0]}, {"a": {"b": 1}}]
)
def test_plain_values_come_back_from_the_folder(tmp_path, value):
    with remembering_in(tmp_path):
        assert remembered("a", lambda: value) == value
        forget()
        assert remembered("a", lambda: pytest.fail("measured twice")) == value


def test_names_are_kept_apart(tmp_path):
    with remembering_in(tmp_path):
        assert [remembered(name, lambda name=name: name) for name in "ab"] == ["a", "b"]
        forget()
        assert [remembered(name, lambda: "other") for name in "ab"] == ["a", "b"]


def test_without_a_folder_only_the_process_remembers(tmp_path):
    assert remembered("a", lambda: 1) == remembered("a", lambda: 2) == 1
    forget()
    assert remembered("a", lambda: 2) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: object()}])
def test_other_values_are_measured_by_each_process(tmp_path, value):
    measured = []
    with remembering_in(tmp_path):
        for _ in range(2):
            forget()
            remembered("a", lambda: measured.append(1) or value)
    assert len(measured) == 2


@pytest.mark.parametrize("damage", ["", "0.", "{1: ", "open('/etc/passwd')", "\x00"])
def test_a_damaged_file_is_measured_anew(tmp_path, damage):
    with remembering_in(tmp_path):
        remembered("a", lambda: 0.5)
        [file] = tmp_path.iterdir()
        file.write_text(damage)
        forget()
        found = remembered("a", lambda: 0.25)
        assert found == (0.0 if damage == "0." else 0.25)


def test_a_folder_that_cannot_be_written_to_costs_only_time(tmp_path):
    (tmp_path / "file").write_text("")
    with remembering_in(tmp_path / "file"):
        assert remembered("a", lambda: 0.5) == 0.5


def _measure(folder, log):
    def measure():
        with log.open("a") as file:
            file.write("measured\n")
        time.sleep(0.5)
        return 0.5

    module._here.clear()
    with remembering_in(folder):
        assert remembered("a", measure) == 0.5


def test_a_process_waits_for_another_that_measures_the_same(tmp_path):
    log = tmp_path / "log"
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=_measure, args=(tmp_path / "kept", log)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert log.read_text() == "measured\n"
