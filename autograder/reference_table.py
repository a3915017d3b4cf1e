"""What the reference runs gave, beside what was published, as a Markdown table."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

from autograder.experiments import experiments
from autograder.references import FROZEN, runs
from helpers.files import replacing

HEADER = """\
| experiment | recipe | published | untrained | ours | difference | seconds | seeds | device |
|---|---|---:|---:|---:|---:|---:|---:|---|
"""


def table(profile: str) -> str:
    """Return the table of a profile, in the order of the course's experiments.

    Parameters
    ----------
    profile : {"quick", "full"}
        The current one, whose recipes the experiments are declared with.

    Returns
    -------
    str
        Markdown. Accuracies are of the test images, ours as mean and sample standard deviation
        over the seeds; seconds are the mean training time of one run.
    """
    found = runs(profile)
    lines = [_row(e.name, found[e.name]) for e in experiments() if e.name in found]
    missing = [e.name for e in experiments() if e.name not in found]
    text = HEADER + "".join(lines)
    return text + (f"\nNot run yet: {', '.join(missing)}.\n" if missing else "")


def _row(name: str, run: dict[str, Any]) -> str:
    published, mean = run["published"], run["mean"]
    cells = [
        f"`{name}`",
        run["recipe"],
        f"{published:.4f}" if published else "",
        f"{run['untrained']:.4f}",
        f"{mean:.4f} ± {run['spread']:.4f}",
        f"{mean - published:+.4f}" if published else "",
        f"{fmean(run['seconds']):.0f}",
        str(len(run["seeds"])),
        f"{run['device']}, torch {run['torch']}",
    ]
    return f"| {' | '.join(cells)} |\n"


def write_table(profile: str) -> Path:
    """Write the table beside the manifests of a profile, as its page; return the file."""
    path = FROZEN / profile / "README.md"
    with replacing(path) as temporary:
        temporary.write_text(page(profile), encoding="utf-8")
    return path


def page(profile: str) -> str:
    """Return the page of a profile."""
    data = "CIFAR-10" if profile == "full" else "scikit-learn's digits"
    return f"""\
# Reference runs, profile `{profile}` ({data})

Written by `autograder reference run --profile {profile}` from the manifests in this folder.
Test accuracies; ours are mean ± standard deviation over the seeds.

{table(profile)}"""
