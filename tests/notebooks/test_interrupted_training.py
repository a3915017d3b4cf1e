"""A student stops a training in a notebook, and runs the cell again."""

import json
import time
from pathlib import Path
from queue import Empty

import pytest
from jupyter_client.manager import start_new_kernel

PROJECT = Path(__file__).parents[2]
SECONDS = 120

SETUP = """
import torch
from torch import nn

from helpers.artifacts import train_or_load
from helpers.data import ImageDataset, Split
from helpers.training import fit

split = Split(torch.zeros(64, 3, 32, 32, dtype=torch.uint8), torch.arange(64) % 2)
dataset = ImageDataset(
    "tiny", split, split, torch.zeros(3), torch.ones(3), flip=False, pad=0
)
"""
TRAINING = """
def train(model, checkpoint):
    return fit(model, dataset, epochs=EPOCHS, batch_size=8, lr=0.01, checkpoint=checkpoint)

torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
history = train_or_load("net", train, model)
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    manager, client = start_new_kernel(cwd=str(tmp_path))
    client.manager = manager
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def reply(client, request):
    """Return the kernel's answer to a request."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        answer = client.get_shell_msg(timeout=SECONDS)
        if answer["parent_header"]["msg_id"] == request:
            return answer["content"]
    raise TimeoutError


def said(client):
    """Return what the kernel has printed since this was last asked."""
    texts = []
    while True:
        try:
            message = client.get_iopub_msg(timeout=0.5)
        except Empty:
            return "".join(texts)
        if message["msg_type"] == "stream":
            texts.append(message["content"]["text"])


@pytest.mark.slow
@pytest.mark.thorough
def test_stopping_a_training_shows_one_sentence_and_running_it_again_goes_on(client, tmp_path):
    assert reply(client, client.execute(SETUP))["status"] == "ok"
    # So many epochs that the training is still running when it is stopped.
    client.execute("EPOCHS = 100_000")
    training, later = client.execute(TRAINING), client.execute("trained = True")
    checkpoint = tmp_path / "artifacts" / "quick" / "net.checkpoint"
    deadline = time.monotonic() + SECONDS
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    client.manager.interrupt_kernel()

    stopped = reply(client, training)
    assert stopped["status"] == "error"
    (sentence,) = stopped["traceback"]
    assert sentence.startswith("The training was interrupted after epoch ")
    assert sentence.endswith(" of 100000. Run this cell again, and it goes on from there.")
    assert reply(client, later)["status"] == "aborted"

    said(client)
    training = client.execute(TRAINING)
    time.sleep(2)
    client.manager.interrupt_kernel()
    assert reply(client, training)["status"] == "error"
    assert "Continuing after epoch " in said(client)
    begun = json.loads((tmp_path / "artifacts" / "quick" / "net.begun.json").read_text())
    assert begun["settings"]["EPOCHS"] == 100_000
    assert begun["settings"]["dataset"] == "tiny, 64 training examples"
