"""The length of an experiment, its recipe in words, and its training."""

from functools import partial
from pathlib import Path

import pytest
import tiny_rows
import torch
from torch import nn

from autograder.runs import table
from autograder.runs.epochs import Epochs, Length, Phases
from autograder.runs.experiment import Sweep
from autograder.runs.hooks import Hooks, keep_zeros
from autograder.runs.training import length, recipe, train, trained_share, untrained
from helpers.dataset import Split
from helpers.images import ImageDataset

STEP_BY_STEP = Phases(pruning=Epochs(quick=3, full=10), settling=Epochs(quick=2, full=10))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


@pytest.fixture
def full(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")


@pytest.fixture
def dataset():
    images = torch.arange(16 * 3 * 32 * 32).remainder(251).to(torch.uint8).view(16, 3, 32, 32)
    split = Split(images, torch.arange(16) % 10)
    return ImageDataset("digits", split, split, torch.ones(3) / 2, torch.ones(3), flip=False, pad=0)


def linear(dataset):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))


def half_zero(dataset):
    model = linear(dataset)
    with torch.no_grad():
        model[1].weight[:5] = 0
    return model


experiment = partial(
    tiny_rows.trained, name="one", recipe="", start=linear, epochs=Epochs(quick=2, full=20)
)


def trained(row, dataset, tmp_path: Path, seed=0):
    return train(row, dataset, seed, tmp_path / f"{row.name}_{seed}.checkpoint", 1.0)


# ------------------------------------------------------------------------------------------------
# How long


def test_quick_trains_all_of_its_epochs_whatever_the_share():
    assert length(experiment(), 0.1) == Length(0, 2)


def test_full_trains_a_share_of_its_epochs(full):
    assert length(experiment(), 0.25) == Length(0, 5)


def test_a_tiny_share_is_one_epoch(full):
    assert length(experiment(), 0.001) == Length(0, 1)


def test_an_experiment_may_require_more_epochs(full):
    assert length(experiment(epochs=Epochs(full=100, least=20)), 0.1) == Length(0, 20)


def test_pruning_and_settling_have_a_share_each(full):
    assert length(experiment(epochs=STEP_BY_STEP), 0.3) == Length(3, 3)


def test_pruning_step_by_step_takes_two_epochs(full):
    assert length(experiment(epochs=STEP_BY_STEP), 0.001) == Length(2, 1)


def test_the_share_that_is_trained_is_that_of_whole_epochs(full):
    row = experiment(epochs=Epochs(full=100, least=20))
    assert [trained_share(row, share) for share in (0.1, 0.254, 1.0)] == [0.2, 0.25, 1.0]


# ------------------------------------------------------------------------------------------------
# In words


@pytest.mark.parametrize(
    ("share", "words"), [(1.0, "20 epochs from 0.01"), (0.05, "1 epoch from 0.01")]
)
def test_the_recipe_has_the_numbers_of_the_training(share, words, full):
    assert recipe(experiment(recipe="{epochs} from {lr}"), share) == words


def test_the_recipe_distinguishes_pruning_epochs_from_all_epochs():
    row = experiment(recipe="over {pruning}, {total} in all", epochs=STEP_BY_STEP)
    assert recipe(row, 1.0) == "over 3 epochs, 5 in all"


def test_the_recipe_of_a_sweep_is_not_changed():
    row = Sweep(name="swept", assignment="tiny", recipe="rounded", measure=lambda *_: {})
    assert recipe(row, 1.0) == "rounded"


# ------------------------------------------------------------------------------------------------
# Training


def test_another_seed_begins_with_other_weights(dataset, tmp_path):
    row = experiment(lr=0.0)
    one, other = (trained(row, dataset, tmp_path, seed)[0][1].weight for seed in (0, 1))
    assert not torch.equal(one, other)


def test_the_history_has_as_many_epochs_as_the_recipe(dataset, tmp_path):
    assert len(trained(experiment(epochs=STEP_BY_STEP), dataset, tmp_path)[1]) == 5


def test_the_first_learning_rate_is_the_one_of_the_recipe(dataset, tmp_path):
    assert trained(experiment(lr=0.03), dataset, tmp_path)[1].learning_rate[0] == 0.03


def test_hooks_learn_how_many_epochs_prune(dataset, tmp_path):
    seen = []

    def hooks(model, length):
        return Hooks(before_epoch=lambda model, epoch: seen.append((epoch, length.pruning)))

    trained(experiment(epochs=STEP_BY_STEP, hooks=hooks), dataset, tmp_path)
    assert seen == [(epoch, 3) for epoch in range(5)]


@pytest.mark.parametrize(("hooks", "zeros"), [({"hooks": keep_zeros}, True), ({}, False)])
def test_zeros_stay_where_the_hooks_keep_them(hooks, zeros, dataset, tmp_path):
    model, _ = trained(experiment(start=half_zero, **hooks), dataset, tmp_path)
    assert (model[1].weight[:5] == 0).all() == zeros


def test_the_network_is_changed_after_its_training(dataset, tmp_path):
    row = experiment(finish=lambda model: model[1].weight.data.fill_(7))
    assert (trained(row, dataset, tmp_path)[0][1].weight == 7).all()


def test_the_untrained_network_is_the_one_at_the_start(dataset):
    found = untrained(experiment(), dataset)
    torch.manual_seed(0)
    assert torch.equal(found[1].weight, linear(dataset)[1].weight)


def test_an_experiment_may_name_another_untrained_network(dataset):
    row = experiment(untrained=half_zero)
    assert (untrained(row, dataset)[1].weight[:5] == 0).all()


# ------------------------------------------------------------------------------------------------
# The course's table


def test_every_experiment_of_quick_has_epochs_there():
    assert all(length(row, 1.0).total > 0 for row in table.experiments())


def test_experiments_of_one_profile_only_are_not_in_the_other(monkeypatch):
    names = {}
    for profile in ("quick", "full"):
        monkeypatch.setenv("COURSE_PROFILE", profile)
        names[profile] = {row.name for row in table.experiments()}
    assert names["full"] - names["quick"] >= {"resnet20", "wide_compressed"}
    in_quick_only = {"std_025", "std_050", "percentage_25", "percentage_50", "not_pruned"}
    in_quick_only |= {"range_test", "dense_convnet"}
    in_quick_only |= {"not_pretrained", "old_statistics", "moving_statistics", "head_frozen"}
    in_quick_only |= {"head_rank_1", "head_rank_9", "convs_rank_1", "convs_rank_16"}
    assert names["quick"] - names["full"] == in_quick_only
