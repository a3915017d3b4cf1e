"""The lines of `pruning` in the charts of the results page."""

from autograder.assignments.pruning.experiments import EXPERIMENTS
from autograder.runs.lines import Line

NAMES = [experiment.name for experiment in EXPERIMENTS if experiment.only_in != "quick"]
BY_STD = [name for name in NAMES if "_std" in name]
STEP_BY_STEP = ["iterative", "global_iterative"]
BY_PERCENTAGE = [name for name in NAMES if name not in BY_STD and name not in STEP_BY_STEP]

LINES = (
    Line(chart="sparsity", label="per layer, not retrained", sweep="pruned_per_layer"),
    Line(chart="sparsity", label="globally, not retrained", sweep="pruned_globally"),
    Line(chart="sparsity", label="by deviation, retrained", networks=BY_STD),
    Line(chart="sparsity", label="by percentage, retrained", networks=BY_PERCENTAGE),
    Line(chart="sparsity", label="step by step", networks=STEP_BY_STEP),
    Line(chart="size", label="pruned", networks=NAMES),
)
