"""``python -m autograder.bench`` writes what it was asked to measure."""

import json
import subprocess
import sys

import pytest

from autograder.bench import __main__ as bench


@pytest.fixture
def quick_parts(monkeypatch):
    parts = {name: lambda name=name: {"measured": name} for name in bench.PARTS}
    monkeypatch.setattr(bench, "PARTS", parts)


def measured(file):
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert figures.pop("machine")
    assert all(part["measured"] == name for name, part in figures.items())
    return set(figures)


@pytest.mark.usefixtures("quick_parts")
def test_everything_is_measured_unless_parts_are_named(tmp_path):
    bench.main([str(tmp_path / "new folder" / "figures.json")])
    assert measured(tmp_path / "new folder" / "figures.json") == {"huffman", "training", "grading"}


@pytest.mark.usefixtures("quick_parts")
def test_parts_can_be_measured_alone(tmp_path):
    bench.main([str(tmp_path / "figures.json"), "--only", "training", "huffman"])
    assert measured(tmp_path / "figures.json") == {"huffman", "training"}


def test_an_unknown_part_is_refused_in_words(tmp_path, capsys):
    with pytest.raises(SystemExit):
        bench.main([str(tmp_path / "figures.json"), "--only", "speed"])
    assert "invalid choice: 'speed'" in capsys.readouterr().err


def test_training_is_measured_without_nbgrader():
    without = "import sys; sys.modules['nbgrader'] = None"
    needed = "import autograder.bench.__main__, autograder.bench.time_to_accuracy"
    subprocess.run([sys.executable, "-c", f"{without}; {needed}"], check=True)
