"""The notebook prunes as its experiments do."""

from notebook_recipes import row, solution
from source_notebook import cells

from autograder.assignments.structured_pruning.experiments import EXPERIMENTS
from autograder.runs.convnet import EPOCHS, FEW_EPOCHS
from helpers.reference.structured_pruning import filters


def test_the_pruning_epochs_of_the_text_are_those_of_the_experiments():
    for profile, expected in (("quick", [2, 4, 6, 8, 10]), ("full", [10, 20, 30, 40, 50])):
        total = EPOCHS.length(profile, 1.0).total
        percentages = [filters.scheduled_percentage(epoch, total) for epoch in range(total)]
        jumps = [e for e in range(1, total) if percentages[e] > percentages[e - 1]]
        assert jumps == expected


def test_the_settings_of_the_solutions_are_those_of_the_experiments():
    schedule = row("structured_pruning", "structured").settings["schedule"]
    assert f'schedule="{schedule}"' in solution("structured_pruning", "structured").source
    (cell,) = [c for c in cells("structured_pruning") if c.id == "dense_few"]
    for name in ("dense_convnet", "sparse_convnet"):
        schedule = row("structured_pruning", name).settings["schedule"]
        assert f'schedule="{schedule}"' in cell.source
    assert (FEW_EPOCHS.quick, FEW_EPOCHS.full) == (5, 5)


def test_every_network_is_made_by_this_assignment_and_from_scratch():
    names = {e.name for e in EXPERIMENTS}
    assert names == {"sparse_convnet", "dense_convnet", "structured", "unstructured"}
    assert all(e.from_scratch and not e.has_controls for e in EXPERIMENTS)
