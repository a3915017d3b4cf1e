"""The lines of `deep_compression` in the charts of the results page."""

from autograder.assignments.deep_compression.experiments import EXPERIMENTS
from autograder.runs.lines import Line

LINES = (
    Line(chart="bits", label="shared (k-means)", sweep="weight_sharing"),
    Line(
        chart="bits",
        label="half pruned, shared, trained",
        networks={"shared_3bit": 3, "shared_2bit": 2},
    ),
    Line(
        chart="size",
        label="pruned, shared weights",
        networks=[experiment.name for experiment in EXPERIMENTS],
    ),
)
