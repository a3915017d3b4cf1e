"""The quantization notebook uses the bits and the sparsity of its experiments."""

import ast
import re

import pytest
from notebook_recipes import defined, rows, solution


def only(question):
    (experiment,) = rows("quantization", question)
    return experiment


@pytest.mark.parametrize("question", ["qat_4bit", "qat_3bit", "qat_2bit"])
def test_a_solution_has_the_bits_of_the_recipe(question):
    (bits,) = re.findall(r"\((\d), (\d), (\d)\)", solution("quantization", question).source)
    assert only(question).recipe.startswith(f"bits {'/'.join(bits)} per stage,")


def test_the_stages_of_mixed_precision_are_those_of_the_recipes():
    _, values = defined("quantization", solution("quantization", "mixed_after"))
    stages = {"/".join(map(str, scheme)) for scheme in ast.literal_eval(values["schemes"])}
    assert {e.recipe.split()[1] for e in rows("quantization", "mixed_after")} == stages


@pytest.mark.parametrize(
    ("question", "pattern", "words"),
    [
        ("bonus_sparse_4bit", r"magnitude_mask\(w, ([\d.]+)\)", "{:g} % of each layer pruned"),
        ("bonus_iterative", r"share = ([\d.]+) \* min", "pruned globally to {:g} %"),
    ],
)
def test_the_bonus_prunes_the_share_of_the_recipe(question, pattern, words):
    (share,) = re.findall(pattern, solution("quantization", question).source)
    assert words.format(100 * float(share)) in only(question).recipe
