"""Write docs/speed.md from the measurements of grading."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
PARTS = ("grading", "checks", "otter", "kernels", "writer", "demo")
FILES = {part: DOCS / "bench" / f"{part}-2-cores.json" for part in PARTS}
"""The measurements, part by part of `autograder.bench`; all are of one machine."""
PAGE = DOCS / "speed.md"

STOCK = "nbgrader"
COLD, ONE, TWO = "ours, each kernel started by itself", "ours, one worker", "ours, two workers"
UNCHANGED = "ours, unchanged"
OF_CLASSES = ("curve", "curve, one worker", "unchanged")
"""What was measured of classes, beside the assignments."""

FEWER = 5.0
"""How many times fewer processor seconds than nbgrader's own grading we aim at."""
FEWER_IN_CHECKS = 15.0
"""The same, for a notebook in which nothing is computed but what the tests ask for."""
OVERHEAD = 1.5
"""How many times the processor seconds of the student's own code we aim at."""
EFFICIENCY = 0.9
"""The share of two processors that two workers should make use of."""
UNCHANGED_SECONDS = 10.0
"""How long a thousand unchanged submissions should take at most."""
KERNEL_SECONDS, KERNEL_MIB = 0.1, 150
"""How soon a kernel should be ready, and how much memory it should share with no other process."""
DEMO_MINUTES = 4.0
"""How long the demo should take at most."""

INTRODUCTION = """\
# How fast the grader is

This page is written by `python -m autograder.bench.page` from the measurements in
[`docs/bench`](bench/{file}), each of which `python -m autograder.bench FILE --only PART` makes. The
machine: {processors} processors ({device}), Python {python}, torch {torch}, nbgrader {nbgrader}.

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


def page(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    measured
        For each of `PARTS`, what `autograder.bench` has written when it measured that part.
    """
    machine = measured["grading"]["machine"]
    found = figures(measured)
    rows = _assignments(found["grading"])
    some = next(iter(rows.values()))
    introduction = INTRODUCTION.format(
        file=FILES["grading"].name,
        processors=machine["processors"],
        device=machine["device"],
        python=machine["python"],
        torch=machine["versions"]["torch"],
        nbgrader=machine["versions"]["nbgrader"],
        stock_count=some[STOCK]["submissions"],
        count=some[ONE]["submissions"],
        cold_count=some[COLD]["submissions"],
    )
    parts = [
        _table(rows),
        _otter(found["otter"], rows, times_fewer(found)["otter"]),
        _curve(found["grading"]["curve"]),
        _checks(found["checks"]),
        _writer(found["writer"]),
        _aims(found),
    ]
    return "\n".join([introduction, *("\n".join([*part, ""]) for part in parts)])


def figures(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what was measured of each of `PARTS`, without the machine."""
    return {part: measured[part][part] for part in PARTS}


def _assignments(grading: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was measured of each assignment, without what was measured of classes."""
    return {name: row for name, row in grading.items() if name not in OF_CLASSES}


def _table(found: Mapping[str, Any]) -> list[str]:
    ways = (STOCK, COLD, ONE, TWO, UNCHANGED)
    heads = ("assignment", "own code", "nbgrader's own", *ways[1:], "memory, two workers")
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    for assignment, row in found.items():
        cells = [_seconds(row[way]) for way in ways]
        memory = f"{row[TWO]['peak_mib']:,.0f} MiB"
        own = f"{row['own_cpu_seconds']:.1f}"
        lines.append(f"| `{assignment}` | {own} | {' | '.join(cells)} | {memory} |")
    return lines


def times_fewer(found: Mapping[str, Any]) -> dict[str, str]:
    """Return how many times fewer processor seconds ours takes, as text.

    Parameters
    ----------
    found
        What was measured of each of `PARTS`.

    Returns
    -------
    dict of str to str
        For ``"nbgrader"`` and ``"otter"``, the range over the assignments, with one worker of ours.
        For ``"checks"``, one more submission with nothing to compute, compared with nbgrader.
    """
    rows, otter, checks = _assignments(found["grading"]), found["otter"], found["checks"]
    ours = {name: row[ONE]["cpu_seconds"] for name, row in rows.items()}
    more = marginal(checks["curve"], "cpu_seconds")
    return {
        "nbgrader": _range({name: rows[name][STOCK]["cpu_seconds"] / ours[name] for name in rows}),
        "otter": _range({name: otter[name]["cpu_seconds"] / ours[name] for name in otter}),
        "checks": f"{checks['ways'][STOCK]['cpu_seconds'] / more:.0f}",
    }


def _otter(found: Mapping[str, Any], rows: Mapping[str, Any], fewer: str) -> list[str]:
    same = [name for name, row in found.items() if row["points"] == rows[name][ONE]["points"]]
    lines = [
        "## Otter-Grader",
        "",
        "`otter run` grades one hand-in after the other, without Docker. It ran our hidden tests "
        "in its own format, as functions inside the student's process. It isolates nothing, gives "
        "no partial credit within a test, and writes no feedback page. It gave the same points in "
        f"{len(same)} of {len(found)} assignments, and took {fewer} times the processor seconds of "
        "ours.",
        "",
        "| assignment | Otter | ours, one worker |",
        "|---|---:|---:|",
    ]
    for name, row in found.items():
        ours = rows[name][ONE]
        lines.append(f"| `{name}` | {_seconds(row)} | {_seconds(ours)} |")
    return lines


def _seconds(row: Mapping[str, float]) -> str:
    return f"{row['cpu_seconds']:.1f} ({row['seconds']:.1f})"


def _checks(found: Mapping[str, Any]) -> list[str]:
    ways = {"nbgrader's own": STOCK, "ours, one worker": ONE, "ours, two workers": TWO}
    lines = [
        "## Notebooks with nothing to compute",
        "",
        "The assignment that `autograder new` makes has one question, which takes no time. It "
        "shows what the graders themselves cost, for each submission, start included:",
        "",
        "| | seconds |",
        "|---|---:|",
        *(f"| {name} | {_seconds(found['ways'][way])} |" for name, way in ways.items()),
        "",
        "Larger classes of it, with a worker per processor:",
        "",
        *_classes(found["curve"]),
    ]
    return lines


def marginal(curve: Mapping[str, Mapping[str, float]], figure: str) -> float:
    """Return what one more submission costs, from the two largest classes of a curve."""
    (few, first), (many, second) = sorted((int(n), row) for n, row in curve.items())[-2:]
    return (many * second[figure] - few * first[figure]) / (many - few)


def _curve(curve: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [
        "## Larger classes",
        "",
        "What the classes of `sparse_linear` took in all, with a worker per processor:",
        "",
        *_classes(curve),
    ]


def _classes(curve: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = [
        "| submissions | processor seconds | seconds | until the first feedback page |",
        "|---:|---:|---:|---:|",
    ]
    for count, row in curve.items():
        whole = [int(count) * row[figure] for figure in ("cpu_seconds", "seconds")]
        lines.append(
            f"| {int(count):,} | {whole[0]:.1f} | {whole[1]:.1f} | {row['first_seconds']:.1f} s |"
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


def _aims(measured: Mapping[str, Any]) -> list[str]:
    grading, checks, demo = (measured[part] for part in ("grading", "checks", "demo"))
    found, curve, unchanged = _assignments(grading), grading["curve"], grading["unchanged"]
    lines = ["## What we aim at, and what is reached", ""]
    lines += ["| aim | reached |", "|---|---|"]
    fewer = times_fewer(measured)
    bound = {a: row[STOCK]["cpu_seconds"] / row["own_cpu_seconds"] for a, row in found.items()}
    lines.append(
        f"| {FEWER:g} times fewer processor seconds than nbgrader's own grading | "
        f"{fewer['nbgrader']} times; if only the student's own code ran, it would be "
        f"{_range(bound)} |"
    )
    stock, ours = (checks["ways"][way] for way in (STOCK, ONE))
    few = stock["cpu_seconds"] / ours["cpu_seconds"]
    lines.append(
        f"| {FEWER_IN_CHECKS:g} times fewer where nothing is computed | {few:.1f} times in a class "
        f"of {ours['submissions']}; {fewer['checks']} times for one more submission |"
    )
    over = {a: row[ONE]["cpu_seconds"] / row["own_cpu_seconds"] for a, row in found.items()}
    own = found["sparse_linear"]["own_cpu_seconds"]
    lines.append(
        f"| at most {OVERHEAD:g} times the processor seconds of the student's own code | "
        f"{_range(over)} times with the start; {marginal(curve, 'cpu_seconds') / own:.2f} times "
        "for one more submission of `sparse_linear` |"
    )
    speed = {a: row[ONE]["seconds"] / row[TWO]["seconds"] / 2 for a, row in found.items()}
    one, two = (marginal(grading[of], "seconds") for of in ("curve, one worker", "curve"))
    lines.append(
        f"| {EFFICIENCY:.0%} efficiency from one worker to two | "
        f"{min(speed.values()):.0%} to {max(speed.values()):.0%}, the start included; "
        f"{one / two / 2:.0%} for one more submission of `sparse_linear` |"
    )
    times = ", ".join(f"{int(count):,}: {seconds:.1f} s" for count, seconds in unchanged.items())
    lines.append(f"| a thousand unchanged submissions in under {UNCHANGED_SECONDS:g} s | {times} |")
    kernel = measured["kernels"]["forked"]
    alone = measured["kernels"]["started by itself"]
    lines.append(
        f"| a kernel, with its packages imported, ready in under {KERNEL_SECONDS:g} s, with at "
        f"most {KERNEL_MIB} MiB of its own | {kernel['seconds']:.2f} s and "
        f"{kernel['own_mib']:.0f} MiB; started by itself, {alone['seconds']:.1f} s and "
        f"{alone['own_mib']:.0f} MiB |"
    )
    minutes, seconds = divmod(round(demo["seconds"]), 60)
    lines.append(
        f"| the demo, nine assignments, in under {DEMO_MINUTES:g} minutes | {minutes} min "
        f"{seconds} s for {demo['submissions']} submissions |"
    )
    lines += [
        "",
        "Most of what is left is the student's own code, which measures networks and solves "
        "problems as the notebook asks. To get below that, the grader would have to believe what a "
        "submission claims to have computed. Of the rest, nbgrader's conversion and the feedback "
        "page take about a second for each submission.",
        "",
        "In the demo, the submissions with mistakes take longest: their wrong answers make "
        "networks that no reference run has measured, and the notebook's own cells measure them.",
        "",
        "If a hidden test changes, the grader runs the whole submission again. The test asks its "
        "questions in the kernel of the notebook, whose cells have to be run in any case; and what "
        "one test has called may change what the next one finds.",
    ]
    return lines


def _range(values: Mapping[str, float]) -> str:
    return f"{min(values.values()):.1f} to {max(values.values()):.1f}"


def measurements() -> dict[str, dict[str, Any]]:
    """Return the committed measurements of each part."""
    return {part: json.loads(file.read_text(encoding="utf-8")) for part, file in FILES.items()}


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page(measurements()), encoding="utf-8")
    print(PAGE, file=sys.stderr)


if __name__ == "__main__":
    main()
