"""A reference run that is killed at any moment continues later and gives the same figures."""

import json
import random
import subprocess
import sys
import time

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

# Two small experiments on a part of the digits; everything else is as in a real run.
RUN = """
import sys
from dataclasses import replace
from pathlib import Path

from torch import nn

from autograder.runs import run as reference_run
from autograder.runs import tasks as reference_tasks
from autograder.runs.epochs import Epochs
from autograder.runs.experiment import Experiment
from helpers import data
from helpers.data import Split

digits = data.load("digits")
small = replace(
    digits,
    train=Split(digits.train.images[:512], digits.train.labels[:512]),
    test=Split(digits.test.images[:100], digits.test.labels[:100]),
)


def network(dataset):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 32), nn.ReLU(), nn.Linear(32, 10))


def table():
    return [
        Experiment(
            name=name,
            assignment="small",
            recipe="{epochs}",
            start=network,
            epochs=Epochs(quick=15, full=15),
            lr=0.05,
        )
        for name in ("first", "second")
    ]


for module in (reference_run, reference_tasks):
    module.experiments, module.sweeps = table, list
reference_tasks.data.load = lambda name, device: small
work, frozen = map(Path, sys.argv[1:])
print("begin", flush=True)
how = reference_run.plan(seeds=2, device="cpu", jobs=1)
reference_run.run([], how, work, frozen=frozen)
"""


def start(work, frozen):
    command = [sys.executable, "-c", RUN, str(work), str(frozen)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout.readline() == "begin\n"
    return process


def figures(frozen):
    found = json.loads((frozen / "quick" / "small.json").read_text())["experiments"]
    return {name: {key: run[key] for key in run if key != "seconds"} for name, run in found.items()}


def test_a_killed_and_restarted_run_gives_the_figures_of_an_uninterrupted_one(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    process = start(tmp_path / "work", tmp_path / "whole")
    began = time.monotonic()
    assert process.wait() == 0
    seconds = time.monotonic() - began
    for attempt in range(3):
        work, frozen = tmp_path / f"work-{attempt}", tmp_path / f"killed-{attempt}"
        process = start(work, frozen)
        moment = random.uniform(0, seconds)
        time.sleep(moment)
        process.kill()
        process.wait()
        assert start(work, frozen).wait() == 0
        assert figures(frozen) == figures(tmp_path / "whole"), f"killed after {moment:.2f} s"
        for name in ("first", "second"):
            weights = f"quick/small/{name}.safetensors"
            assert (frozen / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()
