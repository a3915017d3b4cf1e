"""Processes forked from the nursery are as good as new ones."""

import os
import random
import tempfile
from functools import partial

import numpy as np
import psutil
import pytest
import torch

from autograder.errors import UserError
from autograder.grading import nursery
from autograder.grading.workers import in_workers

ASKED = {
    "folder": os.getcwd,
    "variable": partial(os.environ.get, "COURSE_TEST"),
    "temporary": tempfile.gettempdir,
    "random": random.random,
    "numpy": np.random.rand,
    "torch": lambda: torch.rand(1).item(),
    "parent": lambda: psutil.Process().parent().pid,
}


def ask(name):
    return ASKED[name]()


def answers(*names, workers=1):
    return dict(in_workers(ask, names, workers=workers, seconds=60))


@pytest.mark.slow
@pytest.mark.thorough
def test_they_get_the_environment_and_the_folder_of_the_moment(tmp_path, monkeypatch):
    for value in ("first", "second"):
        (tmp_path / value).mkdir()
        monkeypatch.chdir(tmp_path / value)
        monkeypatch.setenv("COURSE_TEST", value)
        monkeypatch.setenv("TMPDIR", str(tmp_path / value))
        found = answers("folder", "variable", "temporary")
        place = str(tmp_path / value)
        assert found == {"folder": place, "variable": value, "temporary": place}


@pytest.mark.parametrize("source", ["random", "numpy", "torch"])
def test_they_draw_different_random_numbers(source):
    assert answers(source) != answers(source)


def test_a_nursery_that_was_killed_is_replaced():
    first = answers("parent")["parent"]
    os.kill(psutil.Process(first).parent().pid, 9)
    nursery.nursery()._process.wait(5)
    assert "folder" in answers("folder")


def test_a_nursery_that_cannot_import_is_said(monkeypatch):
    nursery.close_nurseries()
    monkeypatch.setattr(nursery, "START", "raise ImportError('no module')")
    with pytest.raises(UserError, match="cannot start the processes"):
        answers("folder")


def test_they_inherit_descriptors_under_the_same_numbers():
    reader, writer = os.pipe()
    os.write(writer, b"x")
    read = dict(
        in_workers(partial(_read, reader), ["1"], workers=1, seconds=60, inherited=[reader])
    )
    assert read == {"1": b"x"}


def _read(descriptor, count):
    return os.read(descriptor, int(count))


def test_an_environment_may_be_long(monkeypatch):
    monkeypatch.setenv("COURSE_LONG", "x" * 100_000)
    monkeypatch.setenv("COURSE_TEST", "y" * 100_000)
    assert answers("variable") == {"variable": "y" * 100_000}
