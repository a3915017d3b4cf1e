"""``python -m autograder.bench`` writes what it was asked to measure."""

import json
import subprocess
import sys

import pytest

from autograder.bench import __main__ as bench


@pytest.fixture
def quick_parts(monkeypatch):
    def part(name):
        return lambda options: iter(
            [{"measured": None}, {"measured": name, "limit": options.limit}]
        )

    parts = {name: part(name) for name in bench.PARTS}
    monkeypatch.setattr(bench, "PARTS", parts)


def measured(file):
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert figures.pop("machine")
    assert all(part["measured"] == name for name, part in figures.items())
    return set(figures)


@pytest.mark.usefixtures("quick_parts")
def test_everything_is_measured_unless_parts_are_named(tmp_path):
    bench.main([str(tmp_path / "new folder" / "figures.json")])
    assert measured(tmp_path / "new folder" / "figures.json") == set(bench.PARTS) - {"otter"}


@pytest.mark.usefixtures("quick_parts")
def test_otter_is_measured_where_there_is_one(tmp_path):
    bench.main([str(tmp_path / "figures.json"), "--otter", "python-with-otter"])
    assert measured(tmp_path / "figures.json") == set(bench.PARTS)


def test_otter_alone_is_refused_without_a_python_that_has_it(tmp_path, capsys):
    with pytest.raises(SystemExit):
        bench.main([str(tmp_path / "figures.json"), "--only", "otter"])
    assert "--otter PYTHON" in capsys.readouterr().err


@pytest.mark.usefixtures("quick_parts")
def test_parts_can_be_measured_alone(tmp_path):
    bench.main([str(tmp_path / "figures.json"), "--only", "training", "huffman"])
    assert measured(tmp_path / "figures.json") == {"huffman", "training"}


def test_figures_are_written_as_soon_as_they_are_measured(monkeypatch, tmp_path):
    def stopped(options):
        yield {"measured": "training"}
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "PARTS", {"training": stopped})
    with pytest.raises(KeyboardInterrupt):
        bench.main([str(tmp_path / "figures.json")])
    assert measured(tmp_path / "figures.json") == {"training"}


@pytest.mark.usefixtures("quick_parts")
def test_a_limit_is_passed_on(tmp_path):
    bench.main([str(tmp_path / "figures.json"), "--limit", "7", "--only", "training"])
    assert json.loads((tmp_path / "figures.json").read_text())["training"]["limit"] == 7


def test_an_unknown_part_is_refused_with_a_message(tmp_path, capsys):
    with pytest.raises(SystemExit):
        bench.main([str(tmp_path / "figures.json"), "--only", "speed"])
    assert "invalid choice: 'speed'" in capsys.readouterr().err


def test_training_is_measured_without_nbgrader():
    without = "import sys; sys.modules['nbgrader'] = None"
    needed = "import autograder.bench.__main__, autograder.bench.time_to_accuracy"
    subprocess.run([sys.executable, "-c", f"{without}; {needed}"], check=True)
