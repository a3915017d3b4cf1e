"""The recipes in the notebooks are those of the experiments.

Epochs and learning rates are read from the solutions and texts of the notebooks, and compared with
the course's table. What is particular to an assignment, such as bits and percentages, is compared
in ``tests/assignments``.
"""

import re

import pytest
from notebook_recipes import Training, row, rows
from source_notebook import about_networks, assignments, cells, read

from autograder.assignments import assignment
from autograder.runs.epochs import Length, Phases

PROFILES = ("quick", "full")
QUESTIONS = about_networks()
HOOKS = {"before_epoch", "after_step"}

# ------------------------------------------------------------------------------------------------
# Solutions


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_a_solution_trains_as_many_epochs_as_the_experiment(name, question, profile):
    epochs = Training(name, question).setting("epochs", profile)
    assert {e.epochs.length(profile, 1.0).total for e in rows(name, question)} == {epochs}


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_a_solution_has_the_learning_rate_of_the_experiment(name, question):
    assert {e.lr for e in rows(name, question)} == {Training(name, question).setting("lr")}


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_a_solution_leaves_the_other_settings_as_the_experiment_does(name, question):
    given = {keyword.arg for keyword in Training(name, question).fit.keywords}
    for experiment in rows(name, question):
        settings = {*experiment.settings, *(["schedule"] if experiment.schedule else [])}
        assert given - HOOKS == {"epochs", "lr", "checkpoint", *settings}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("name", "question"),
    [
        (name, question)
        for name, question in QUESTIONS
        if any(isinstance(e.epochs, Phases) for e in rows(name, question))
    ],
)
def test_a_solution_that_prunes_step_by_step_does_so_over_the_same_epochs(name, question, profile):
    training = Training(name, question)
    pruning, settling = (
        training.number(training.values[f"{phase}_epochs"], profile)
        for phase in ("pruning", "settling")
    )
    for experiment in rows(name, question):
        assert experiment.epochs.length(profile, 1.0) == Length(pruning, settling)


# ------------------------------------------------------------------------------------------------
# Texts


def text(name):
    return " ".join(
        " ".join(cell.source.split()) for cell in cells(name) if cell.cell_type == "markdown"
    )


TRAINING = [name for name in assignments() if read(name).metadata["course"]["artifacts"]]


@pytest.mark.parametrize("name", TRAINING)
def test_the_learning_rate_that_a_text_recommends_is_that_of_the_experiments(name):
    told = re.findall(r"(0\.\d+)(?: with `fit`'s own schedule \(cosine\))? works well", text(name))
    trained = [row(name, artifact) for artifact in assignment(name).artifacts]
    # A network that is trained from scratch has the learning rate that its question is about.
    used = {experiment.lr for experiment in trained if not experiment.from_scratch}
    assert {float(rate) for rate in told} == used


@pytest.mark.parametrize("name", TRAINING)
def test_the_epochs_that_a_text_counts_are_those_of_the_experiments(name):
    (found,) = re.findall(
        r"with `full`, (\d+) epochs of (?:CIFAR-10|tiny Shakespeare)"
        r"(?: \(and (\d+) for the bonus\))?",
        text(name),
    )
    total = dict.fromkeys((False, True), 0)
    for question in [q for a, q in QUESTIONS if a == name]:
        for experiment in rows(name, question):
            total[question.startswith("bonus_")] += experiment.epochs.length("full", 1.0).total
    assert (total[False], total[True]) == (int(found[0]), int(found[1] or 0))
