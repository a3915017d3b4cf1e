"""A student watches a training in JupyterLab, saves the notebook, and opens it again."""

import re
import time
from pathlib import Path

import nbformat
import pytest
from in_jupyterlab import CHROMIUM, opened_notebook, running_lab
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect

PROJECT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

TRAINING = """
import torch
from torch import nn
from helpers.artifacts import train_or_load
from helpers.data import ImageDataset, Split
from helpers.training import fit

split = Split(torch.zeros(64, 3, 32, 32, dtype=torch.uint8), torch.arange(64) % 2)
dataset = ImageDataset("tiny", split, split, torch.zeros(3), torch.ones(3), flip=False, pad=0)
train_or_load(
    "qat_4bit",
    lambda model, checkpoint: fit(
        model, dataset, epochs=5, batch_size=8, lr=0.01, checkpoint=checkpoint
    ),
    nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10)),
);
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "student").mkdir()
    return tmp_path / "student"


@pytest.fixture
def lab(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    with running_lab(folder, tmp_path / "home") as address:
        yield address


def expect_the_picture(notebook):
    """Fail unless the output of the first cell is the picture of a finished training."""
    outputs = notebook.cell(0).locator(".jp-Cell-outputArea")
    image = outputs.locator("img")
    expect(image).to_have_attribute("alt", re.compile("Epoch 5 of 5: training loss"))
    assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    expect(outputs.locator("summary")).to_have_text("All epochs")
    expect(outputs).to_contain_text("The course's 3 runs ended between")


def test_the_picture_stays_in_the_notebook_also_where_jupyter_does_not_trust_it(lab, folder):
    file = folder / "training.ipynb"
    written = new_notebook(cells=[new_code_cell(TRAINING), new_markdown_cell("Mine.")])
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    written.metadata.update(kernelspec=kernel, language_info={"name": "python"})
    nbformat.write(written, file)
    with opened_notebook(lab, file, file.name) as notebook:
        notebook.run(0)
        expect_the_picture(notebook)
        notebook.picture("live-curve", 0)
        notebook.page.keyboard.press("ControlOrMeta+s")
        deadline = time.monotonic() + 60
        while "All epochs" not in file.read_text() and time.monotonic() < deadline:
            time.sleep(0.2)
    # JupyterLab trusts what it has saved itself, and nothing that was changed afterwards.
    saved = nbformat.read(file, as_version=4)
    saved.cells[1].source = "Somebody else's."
    other = folder / "other.ipynb"
    nbformat.write(saved, other)
    with opened_notebook(lab, other, other.name) as notebook:
        expect_the_picture(notebook)
