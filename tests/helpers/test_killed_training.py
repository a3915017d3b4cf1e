"""The kernel is killed at any moment of a training, and the cell is run again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

PROJECT = Path(__file__).parents[2]
KILLS = 5
SEED = int(os.environ.get("KILLS_SEED", random.randrange(10**6)))

# Augmentation, dropout, momentum, batch norm and a schedule: all that has a state.
TRAINING = """
import torch
from torch import nn
from helpers.artifacts import train_or_load
from helpers.data import ImageDataset, Split
from helpers.training import fit

torch.manual_seed(1)
images = torch.randint(0, 256, (160, 3, 32, 32), dtype=torch.uint8)
split = Split(images, images.float().mean((1, 2, 3)).gt(127.5).long())
dataset = ImageDataset("noise", split, split, torch.zeros(3), torch.ones(3), flip=True, pad=4)
model = nn.Sequential(
    nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(),
    nn.Linear(8 * 15 * 15, 10),
)
print("begin", flush=True)
train_or_load(
    "net",
    lambda model, checkpoint: fit(
        model, dataset, epochs=12, batch_size=16, lr=0.02, checkpoint=checkpoint
    ),
    model,
)
print("end", flush=True)
"""

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


def started(folder):
    """Start the training in a folder; return the process when the training begins."""
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "COURSE_PROFILE": "quick"}
    environment.pop("COURSE_GRADING", None)
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINING],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout.readline() == "begin\n"
    return process


def finished(process):
    """Let a training end; return what it printed."""
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert printed.endswith("end\n")
    return printed


def saved_times(process, folder, times):
    """Wait until the training has saved its state so many times, or has ended."""
    checkpoint = folder / "artifacts" / "quick" / "net.checkpoint"
    known = None
    while times and process.poll() is None:
        now = checkpoint.stat().st_ino if checkpoint.exists() else None
        times -= now not in (None, known)
        known = now
        time.sleep(0.001)


def weights(folder):
    return load_file(folder / "artifacts" / "quick" / "net.safetensors")


def test_a_training_that_is_killed_again_and_again_ends_with_the_same_weights(tmp_path):
    print(f"KILLS_SEED={SEED}")
    moments = random.Random(SEED)
    finished(started(tmp_path / "whole"))
    epoch = history(tmp_path / "whole")["seconds"][-1]

    killed = 0
    for _ in range(KILLS):
        process = started(tmp_path / "killed")
        saved_times(process, tmp_path / "killed", moments.randint(1, 3))
        time.sleep(moments.uniform(0, epoch))  # within the next epoch
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
    assert killed >= 2
    printed = finished(started(tmp_path / "killed"))
    assert "Continuing after epoch" in printed or "net: loaded from" in printed

    expected, found = (weights(tmp_path / name) for name in ("whole", "killed"))
    assert expected.keys() == found.keys()
    assert all(expected[name].equal(found[name]) for name in expected)
    for figures in ("train_loss", "train_accuracy", "test_accuracy", "learning_rate"):
        assert history(tmp_path / "whole")[figures] == history(tmp_path / "killed")[figures]
    left = {path.name for path in (tmp_path / "killed" / "artifacts" / "quick").iterdir()}
    assert {"net.checkpoint", "net.begun.json"}.isdisjoint(left)


def history(folder):
    return json.loads((folder / "artifacts" / "quick" / "net.json").read_text())
