"""The documents quote the speed that the committed benchmarks measured."""

import json
from pathlib import Path

from autograder.bench.page import STOCK, TWO, UNCHANGED, measurements

ROOT = Path(__file__).parents[3]


def test_the_page_on_accuracy_quotes_the_committed_figures_of_training():
    text = (ROOT / "docs/accuracy/index.md").read_text()
    training = json.loads((ROOT / "docs/bench/cpu-2-cores.json").read_text())["training"]
    for name, label in (("ours", "ours, bfloat16"), ("usual_2_workers", "usual, 2 workers")):
        run = training[name]
        speed, memory = round(run["images_per_second"]), round(run["peak_memory_mib"])
        assert f"| {label} | {speed} | {run['accuracy']:.4f} | {memory} MiB |" in text
    assert f"**{training['times_faster_than_usual_2_workers']:.2f} times**" in text


def test_the_instructors_guide_quotes_the_committed_figures_of_grading():
    text = (ROOT / "docs/instructor.md").read_text()
    figures = measurements()["grading"]["grading"]["quantization"]
    for way, label in (
        (STOCK, "nbgrader's own commands"),
        (TWO, "ours, two workers"),
        (UNCHANGED, "ours, nothing changed since"),
    ):
        found = figures[way]
        assert f"| {label} | {found['cpu_seconds']:.1f} | {found['seconds']:.1f} |" in text
