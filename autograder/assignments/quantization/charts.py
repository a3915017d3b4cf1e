"""The lines of `quantization` in the charts of the results page."""

from autograder.assignments.quantization.experiments import EXPERIMENTS
from autograder.runs.lines import Line

DENSE = [e.name for e in EXPERIMENTS if e.name.startswith("qat_")]
PRUNED = [e.name for e in EXPERIMENTS if e.name not in DENSE]

LINES = (
    Line(chart="bits", label="rounded", sweep="rounded"),
    Line(
        chart="bits",
        label="rounded, fine-tuned",
        networks={"qat_4bit": 4, "qat_3bit": 3, "qat_2bit": 2},
    ),
    Line(chart="size", label="few bits", networks=DENSE),
    Line(chart="size", label="pruned, few bits", networks=PRUNED),
)
