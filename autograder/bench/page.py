"""Write docs/speed.md from the measurements of grading."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
FIGURES = DOCS / "bench" / "grading-2-cores.json"
WRITER = DOCS / "bench" / "writer-2-cores.json"
PAGE = DOCS / "speed.md"

STOCK = "nbgrader"
COLD, ONE, TWO = "ours, each kernel started by itself", "ours, one worker", "ours, two workers"
UNCHANGED = "ours, unchanged"

FEWER = 5.0
"""How many times fewer processor seconds than nbgrader's own grading we aim at."""
OVERHEAD = 1.5
"""How many times the processor seconds of the student's own code we aim at."""
EFFICIENCY = 0.9
"""The share of two processors that two workers should make use of."""
UNCHANGED_SECONDS = 10.0
"""How long a thousand unchanged submissions should take at most."""

INTRODUCTION = """\
# How fast the grader is

This page is written by `python -m autograder.bench.page` from [the measurements](bench/{file}),
which `python -m autograder.bench FILE --only grading` and `--only writer` make. The machine:
{processors} processors ({device}), Python {python}, torch {torch}, nbgrader {nbgrader}.

Each assignment's full solution (`quick`) was handed in as a student hands it in who has run it,
with outputs and networks. No two hand-ins of a class are the same, because the same one is run only
once. The figures are processor seconds and, in parentheses, seconds on the clock, for each
submission. They include the start of the command and, for ours, what the first submission of a
course takes longer. The processor time is that of the whole machine, sandboxes included.
nbgrader's own `autograde` and `generate_feedback` had a class of {stock_count}, our grader one of
{count} ({cold_count} where each kernel is started by itself). All ways gave the same points.

"Own code" is what the cells of the notebook need in plain IPython, without imports and without
drawing figures, on one thread.
"""


def page(figures: Mapping[str, Any], writer: Mapping[str, Any]) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    figures
        What `autograder.bench` has measured of grading.
    writer
        What it has measured of the gradebook.
    """
    machine, found = figures["machine"], dict(figures["grading"])
    curve = found.pop("curve")
    found.pop("unchanged")
    some = next(iter(found.values()))
    introduction = INTRODUCTION.format(
        file=FIGURES.name,
        processors=machine["processors"],
        device=machine["device"],
        python=machine["python"],
        torch=machine["versions"]["torch"],
        nbgrader=machine["versions"]["nbgrader"],
        stock_count=some[STOCK]["submissions"],
        count=some[ONE]["submissions"],
        cold_count=some[COLD]["submissions"],
    )
    parts = [_table(found), _curve(curve), _writer(writer["writer"]), _aims(figures)]
    return "\n".join([introduction, *("\n".join([*part, ""]) for part in parts)])


def _table(found: Mapping[str, Any]) -> list[str]:
    ways = (STOCK, COLD, ONE, TWO, UNCHANGED)
    heads = ("assignment", "own code", "nbgrader's own", *ways[1:], "memory, two workers")
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    for assignment, row in found.items():
        cells = [f"{row[way]['cpu_seconds']:.1f} ({row[way]['seconds']:.1f})" for way in ways]
        memory = f"{row[TWO]['peak_mib']:,.0f} MiB"
        own = f"{row['own_cpu_seconds']:.1f}"
        lines.append(f"| `{assignment}` | {own} | {' | '.join(cells)} | {memory} |")
    return lines


def marginal(curve: Mapping[str, Mapping[str, float]], figure: str) -> float:
    """Return what one more submission costs, from the two largest classes of a curve."""
    (few, first), (many, second) = sorted((int(n), row) for n, row in curve.items())[-2:]
    return (many * second[figure] - few * first[figure]) / (many - few)


def _curve(curve: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = [
        "## Larger classes",
        "",
        "What the classes of `sparse_linear` took in all, with a worker per processor:",
        "",
        "| submissions | processor seconds | seconds | until the first feedback page |",
        "|---:|---:|---:|---:|",
    ]
    for count, row in curve.items():
        whole = [int(count) * row[figure] for figure in ("cpu_seconds", "seconds")]
        lines.append(
            f"| {count} | {whole[0]:.1f} | {whole[1]:.1f} | {row['first_seconds']:.1f} s |"
        )
    more = [marginal(curve, figure) for figure in ("cpu_seconds", "seconds")]
    lines += [
        "",
        f"So one more submission costs {more[0]:.1f} processor seconds, {more[1]:.1f} seconds on "
        "the clock; the rest is the start.",
    ]
    return lines


def _writer(found: Mapping[str, Any]) -> list[str]:
    lines = [
        "## More workers",
        "",
        f"One process at a time writes to the gradebook. In a class of {found['class']:,}, it is "
        f"locked for {1000 * found['locked_seconds']:.0f} ms for each submission (measured). A "
        f"simulation of workers that take {found['work_seconds']:.1f} s for a submission of "
        "`sparse_linear` and have a processor each gives:",
        "",
        "| workers | submissions an hour | of what the workers could do |",
        "|---:|---:|---:|",
    ]
    per_hour = {int(count): speed for count, speed in found["per_hour"].items()}
    for count, speed in per_hour.items():
        lines.append(f"| {count} | {speed:,.0f} | {speed / per_hour[1] / count:.0%} |")
    return lines


def _aims(figures: Mapping[str, Any]) -> list[str]:
    found = dict(figures["grading"])
    curve, unchanged = found.pop("curve"), found.pop("unchanged")
    lines = ["## What we aim at, and what is reached", ""]
    lines += ["| aim | reached |", "|---|---|"]
    fewer = {a: row[STOCK]["cpu_seconds"] / row[ONE]["cpu_seconds"] for a, row in found.items()}
    bound = {a: row[STOCK]["cpu_seconds"] / row["own_cpu_seconds"] for a, row in found.items()}
    lines.append(
        f"| {FEWER:g} times fewer processor seconds than nbgrader's own grading | "
        f"{_range(fewer)} times; if only the student's own code ran, it would be {_range(bound)} |"
    )
    over = {a: row[ONE]["cpu_seconds"] / row["own_cpu_seconds"] for a, row in found.items()}
    own = found["sparse_linear"]["own_cpu_seconds"]
    lines.append(
        f"| at most {OVERHEAD:g} times the processor seconds of the student's own code | "
        f"{_range(over)} times with the start; {marginal(curve, 'cpu_seconds') / own:.2f} times "
        "for one more submission of `sparse_linear` |"
    )
    speed = {a: row[ONE]["seconds"] / row[TWO]["seconds"] / 2 for a, row in found.items()}
    lines.append(
        f"| {EFFICIENCY:.0%} efficiency from one worker to two | "
        f"{min(speed.values()):.0%} to {max(speed.values()):.0%}, the start included |"
    )
    times = ", ".join(f"{int(count):,}: {seconds:.1f} s" for count, seconds in unchanged.items())
    lines.append(f"| a thousand unchanged submissions in under {UNCHANGED_SECONDS:g} s | {times} |")
    lines += [
        "",
        "Most of what is left is the student's own code, which measures networks and solves "
        "problems as the notebook asks. To get below that, the grader would have to believe what a "
        "submission claims to have computed. Of the rest, nbgrader's conversion and the feedback "
        "page take about a second for each submission.",
    ]
    return lines


def _range(values: Mapping[str, float]) -> str:
    return f"{min(values.values()):.1f} to {max(values.values()):.1f}"


def main() -> None:
    """Write the page anew."""
    figures, writer = (json.loads(file.read_text(encoding="utf-8")) for file in (FIGURES, WRITER))
    PAGE.write_text(page(figures, writer), encoding="utf-8")
    print(PAGE, file=sys.stderr)


if __name__ == "__main__":
    main()
