"""What a solved notebook and its hidden tests measure is kept beside what experiments measured."""

import json
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder import references
from autograder.runs import notebooks
from autograder.runs.notebooks import NOTEBOOK, measure_notebooks
from helpers.measurements import MEASUREMENTS, read_measurements

CELLS = [
    new_code_cell(
        "import torch\n"
        "from helpers import data\n"
        "from helpers.measurements import measure\n"
        "from helpers.pretrained import pretrained_resnet20\n"
        "images = data.load()\n"
        "network = pretrained_resnet20(images)\n"
        "with torch.no_grad():\n"
        "    network.classifier.bias += 1\n"
        "accuracy = measure(network, images)"
    ),
    new_code_cell(
        "from autograder.hidden import reference\n"
        "with torch.no_grad():\n"
        "    network.classifier.bias[0] += 100\n"
        "wrong = reference.accuracy(network)\n"
        "loss = reference.loss(network, images)"
    ),
]


@pytest.fixture
def frozen(tmp_path, monkeypatch):
    """Return references with one assignment, whose experiment has been measured."""
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path / "notebooks")
    source = tmp_path / "notebooks" / "tiny" / "tiny.ipynb"
    source.parent.mkdir(parents=True)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=CELLS, metadata={"kernelspec": kernel}), source)
    folder = tmp_path / "frozen" / "quick" / "tiny"
    folder.mkdir(parents=True)
    kept = read_measurements(references.artifacts("quick", "pruning") / MEASUREMENTS)[:2]
    (folder / MEASUREMENTS).write_text(json.dumps([entry | {"of": "resnet20"} for entry in kept]))
    return tmp_path / "frozen"


@pytest.mark.thorough
@pytest.mark.slow
def test_measurements_are_added_once(frozen):
    for _ in range(2):
        [path] = measure_notebooks(["tiny"], frozen)
        entries = read_measurements(path)
        assert [entry["of"] for entry in entries] == 2 * ["resnet20"] + 3 * [NOTEBOOK]
        shifted, wrong, loss = entries[2:]
        assert shifted["accuracy"] > wrong["accuracy"] == pytest.approx(0.1, abs=0.01)
        assert loss["loss"] > 10


def test_an_assignment_without_networks_has_nothing_to_measure(frozen):
    shutil.rmtree(frozen / "quick" / "tiny")
    assert measure_notebooks(["tiny"], frozen) == []
