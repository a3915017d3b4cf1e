"""The notebook on learning rates trains by the schedules that its experiments state."""

import re
from functools import partial

import pytest
from notebook_recipes import row, rows, solution
from source_notebook import cells

from helpers.reference.lr_schedules.schedules import exponential, one_cycle, warm_up


def source(cell_id):
    (cell,) = [cell for cell in cells("lr_schedules") if cell.id == cell_id]
    return cell.source


def test_the_few_epochs_are_those_of_the_experiments():
    assert "few_epochs = 5\n" in source("train_functions")
    names = ("rate_small", "rate_medium", "rate_large", "rate_large_warm")
    lengths = {row("lr_schedules", name).epochs for name in names}
    assert [(e.quick, e.full) for e in lengths] == [(5, 5)]


@pytest.mark.parametrize(
    ("question", "schedule"),
    [
        ("convnet_multistep", "partial(multistep, milestones=milestones)"),
        ("convnet_cosine", "partial(cosine, total=all_steps)"),
    ],
)
def test_a_named_schedule_is_the_one_of_the_solution(question, schedule):
    (experiment,) = rows("lr_schedules", question)
    assert schedule in solution("lr_schedules", question).source
    assert question == f"convnet_{experiment.settings['schedule']}"


def same(one, other, total):
    return [one(step) for step in range(total)] == [other(step) for step in range(total)]


def test_one_cycle_takes_all_steps():
    (experiment,) = rows("lr_schedules", "convnet_one_cycle")
    assert (
        "partial(one_cycle, total=all_steps)"
        in solution("lr_schedules", "convnet_one_cycle").source
    )
    assert same(experiment.schedule(60), partial(one_cycle, total=60), 60)


def test_the_warm_up_takes_three_of_the_five_epochs():
    (experiment,) = rows("lr_schedules", "rate_large_warm")
    text = solution("lr_schedules", "rate_large_warm").source
    assert "partial(warm_up, length=3 * steps_per_epoch)" in text
    assert same(experiment.schedule(50), partial(warm_up, length=30), 50)


def test_the_range_test_goes_over_the_range_of_the_experiment():
    experiment = row("lr_schedules", "range_test")
    text = source("range_test")
    (lowest, highest) = re.search(r"lowest=([\d.]+), highest=([\d.]+)\)", text).groups()
    expected = partial(exponential, total=40, lowest=float(lowest), highest=float(highest))
    assert same(experiment.schedule(40), expected, 40)
    assert "epochs=4," in text
    assert (experiment.epochs.quick, experiment.epochs.full) == (4, 4)
    assert f"lr={experiment.lr:.1f}," in text
