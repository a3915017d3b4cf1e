"""The pruning notebook prunes by the amounts that its experiments state."""

import re

import pytest
from notebook_recipes import row, rows, solution
from source_notebook import cells

from autograder.assignments import assignment


@pytest.mark.parametrize(
    ("question", "pattern", "words"),
    [
        ("pruned_std", r"prune_by_std, ([\d.]+)\)", "each layer pruned by s = {:g},"),
        ("pruned_percentage", r"by_percentage, ([\d.]+)\)", "each layer pruned by {:g} %,"),
        ("one_shot", r"by_percentage, ([\d.]+)\)", "each layer pruned by {:g} %,"),
    ],
)
def test_a_solution_prunes_as_the_recipe_says(question, pattern, words):
    (experiment,) = rows("pruning", question)
    (number,) = re.findall(pattern, solution("pruning", question).source)
    assert experiment.recipe.startswith(words.format(float(number)))


@pytest.mark.parametrize("name", ["iterative", "global_iterative"])
def test_pruning_step_by_step_ends_at_the_percentage_of_the_recipe(name):
    definitions = [
        found
        for cell in cells("pruning")
        for found in re.findall(r"def scheduled_percentage\(.*final=(\d+)\)", cell.source)
    ]
    assert len(definitions) == 1
    assert f"to {definitions[0]} % over" in row("pruning", name).recipe


def test_milder_pruning_is_that_of_the_experiments_without_grades():
    text = solution("pruning", "retrained").source
    assert re.findall(r'\(([\d.]+), "(std_\d+)"\)', text) == [
        ("0.25", "std_025"),
        ("0.5", "std_050"),
    ]
    assert "for q in (25, 50):" in text
    assert 'fine_tune(f"percentage_{q}", masks, retraining_epochs)' in text
    compared = [e for e in assignment("pruning").experiments if e.only_in == "quick"]
    assert {e.name: e.recipe.partition(",")[0] for e in compared} == {
        "std_025": "each layer pruned by s = 0.25",
        "std_050": "each layer pruned by s = 0.5",
        "percentage_25": "each layer pruned by 25 %",
        "percentage_50": "each layer pruned by 50 %",
        "not_pruned": "nothing pruned",
    }
    assert {e.epochs for e in compared} == {row("pruning", "pruned_std").epochs}
