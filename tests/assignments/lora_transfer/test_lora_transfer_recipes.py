"""The notebook of `lora_transfer` trains the networks that its experiments state."""

import re

from source_notebook import cells

from autograder.assignments import assignment
from helpers.reference.lora_transfer import networks


def source(cell_id):
    (cell,) = [cell for cell in cells("lora_transfer") if cell.id == cell_id]
    return cell.source


def test_the_comparison_trains_the_experiments_without_grades():
    names = set(re.findall(r'control\("(\w+)"', source("controls")))
    for name, ranks in re.findall(
        r'for r in \(([\d, ]+)\):[^#]*?control\(f"(\w+)_\{r\}"', source("rank_runs")
    ):
        names |= {f"{ranks}_{r}" for r in name.split(", ")}
    compared = {e.name for e in assignment("lora_transfer").experiments if e.only_in == "quick"}
    assert names == compared


def test_the_graded_networks_have_the_rank_and_the_scale_of_the_experiments():
    assert f", {networks.RANK}, {networks.ALPHA:g})" in source("net_freeze_lora_solution")
    assert f"lora_network({networks.RANK})" in source("bonus_lora_convs_solution")
    assert networks.ALPHA == 2 * networks.RANK
    assert "add_to_convolutions(child, r, 2 * r)" in source("add_to_convolutions")
