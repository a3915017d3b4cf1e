"""The deep compression notebook uses the sparsity and the centroids of its experiments."""

import re

import pytest
from notebook_recipes import rows, solution
from source_notebook import cells

QUESTIONS = ["training_3bit", "training_2bit"]


def only(question):
    (experiment,) = rows("deep_compression", question)
    return experiment


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_solution_shares_as_many_centroids_as_the_recipe_says(question):
    (bits,) = re.findall(r'"shared_\dbit", (\d)', solution("deep_compression", question).source)
    assert f", {2 ** int(bits)} centroids," in only(question).recipe


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_network_is_pruned_as_the_recipe_says(question):
    (cell,) = [c for c in cells("deep_compression") if c.id == "pruned"]
    (sparsity,) = re.findall(r"magnitude_mask\(w, ([\d.]+)\)", cell.source)
    assert only(question).recipe.startswith(f"pruned to {100 * float(sparsity):g} %,")
