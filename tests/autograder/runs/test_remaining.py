"""The progress bar of a reference run counts epochs, so that the time left is about right."""

import pytest

from autograder.runs import tasks as reference_tasks
from autograder.runs.epochs import Epochs
from autograder.runs.experiment import Experiment
from autograder.runs.remaining import epochs, tasks_bar
from autograder.runs.tasks import Task

TRAINED = Task("train", "network", 0)


@pytest.fixture(autouse=True)
def table(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    row = Experiment(
        name="network", assignment="tiny", recipe="", start=None, epochs=Epochs(full=20)
    )
    monkeypatch.setattr(reference_tasks, "experiments", lambda: [row])


@pytest.mark.parametrize(
    ("kind", "share", "expected"),
    [("train", 1.0, 20), ("train", 0.5, 10), ("frozen", 1.0, 20), ("recalibrated", 1.0, 1)],
)
def test_a_task_counts_as_its_epochs_and_measuring_as_one(kind, share, expected):
    assert epochs(Task(kind, "network"), share) == expected


def test_what_an_earlier_run_has_done_counts_as_done(capsys):
    measured = Task("untrained", "network")
    with tasks_bar([TRAINED, measured], [measured], 1.0) as shown:
        assert "20/21 epochs" in capsys.readouterr().out
        shown.finished(measured)
    assert "21/21 epochs" in capsys.readouterr().out


def test_the_time_left_is_shown(capsys):
    with tasks_bar([TRAINED, Task("train", "network", 1)], [TRAINED], 1.0) as shown:
        shown.finished(TRAINED)
    assert "00:00 left" in capsys.readouterr().out


def test_a_text_stands_on_a_line_of_its_own(capsys):
    with tasks_bar([TRAINED], [TRAINED], 1.0) as shown:
        shown.write("network: 0.1 → 0.2")
    assert "\nnetwork: 0.1 → 0.2\n" in capsys.readouterr().out.replace("\r", "\n")
