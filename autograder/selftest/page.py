"""Write the page of the documentation that shows how the grader and its tests were tested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autograder.assignments import assignments
from autograder.selftest.run import RESULTS

PAGE = Path("docs", "safety.md")
RUNS = Path("docs", "runs")
"""What the last runs of other tests found, which `make safety` records: attacks, kills, fuzzing."""

INTRODUCTION = """\
# How the grader was tested

This page is generated from what the tests found when they were last run. SECURITY.md says what they
prove, and what nothing can prove.
"""

SELFTEST = """\
## What the hidden tests let through

`make selftest` puts answers whose right verdict is known in the place of a solution, all else in
the notebook being right, and lets the hidden test of the question judge them.

- **Mutants** differ from the solution in one operator, number, argument or statement. Those that do
  the same as the solution are listed as *equivalent*, with the reason, and do not count.
- **Misconceptions** are the mistakes that the feedback knows by name.
- **Wrong** and **right** answers are written by hand.

*Survivors* are wrong answers that got every point. The mutation score is the share of the mutants
that lose points. Where a question judges only a network that was trained before, there are no
mutants.
"""


def _head(first: str) -> list[str]:
    return [
        f"| {first} | points | mutants | equivalent | survivors | mutation score | misconceptions "
        "| wrong | right | right that lose | named wrongly |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]


def attacks(found: dict[str, Any]) -> str:
    """Return the section about the hostile submissions, given what their test has recorded."""
    return f"""\
## Attacks

`tests/hostile` grades a class of {found["submissions"]} hostile submissions. None of them gains a
point that an honest answer would not, reads a secret, harms another submission or stops the grader.

| kernels | submissions | tests passed |
|---|---:|---:|
{_rows(found["ways"])}
"""


def kills(found: dict[str, Any]) -> str:
    """Return the section about killed graders, given what their test has recorded."""
    return f"""\
## Kills

A class of {found["students"]} is graded again and again while processes are killed at random
moments (seed {found["seed"]}). After a restart, every submission had the scores of an undisturbed
run, and what a person had given was untouched.

| grader | worker | sandbox | runs |
|---:|---:|---:|---:|
| {found["grader"]} | {found["worker"]} | {found["sandbox"]} | {found["runs"]} |
"""


def fuzzing(found: dict[str, Any]) -> str:
    """Return the section about the fuzzer, given what it has recorded."""
    return f"""\
## Fuzzing

`make fuzz` sends bytes to the trusted side, guided by coverage. Nothing crashed, hung, took much
memory or was executed.

| what is fuzzed | inputs | seconds |
|---|---:|---:|
{_rows(found)}
"""


def _rows(found: dict[str, list[int]]) -> str:
    lines = ([name, *(f"{value:,}" for value in values)] for name, values in found.items())
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def summary(found: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return a table with a row for each assignment, given the results of each."""
    rows = [_row(f"`{name}`", list(results.values())) for name, results in found.items()]
    every = [result for results in found.values() for result in results.values()]
    return "\n".join([*_head("assignment"), *rows, _row("**all**", every)])


def table(found: dict[str, dict[str, Any]]) -> str:
    """Return the rows of one assignment, given its results by question, as a Markdown table."""
    rows = [_row(f"`{question}`", [result]) for question, result in found.items()]
    return "\n".join([*_head("question"), *rows, _row("**total**", list(found.values()))])


def _row(name: str, results: list[dict[str, Any]]) -> str:
    def tried(kind: str) -> int:
        return sum(result["tried"].get(kind, 0) for result in results)

    def count(what: str) -> int:
        return sum(len(result[what]) for result in results)

    points = sum(result["points"] for result in results)
    columns = [
        name,
        f"{points:g}",
        str(tried("mutant")),
        str(count("equivalent")),
        str(count("survived")),
        mutation_score(results),
        str(tried("misconception")),
        str(tried("wrong")),
        str(tried("right")),
        str(count("lost")),
        str(count("misnamed")),
    ]
    return f"| {' | '.join(columns)} |"


def mutation_score(results: list[dict[str, Any]]) -> str:
    """Return the share of the mutants that lose points, of those that are not equivalent."""
    mutants = sum(r["tried"].get("mutant", 0) - len(r["equivalent"]) for r in results)
    if not mutants:
        return "–"
    survivors = sum(s.startswith("mutant: ") for r in results for s in r["survived"])
    return f"{1 - survivors / mutants:.1%}"


def write_page(project: Path) -> Path:
    """Write the page from the kept results of all tests; return its path."""
    parts = [INTRODUCTION]
    for name, section in (("hostile", attacks), ("kills", kills), ("fuzz", fuzzing)):
        path = project / RUNS / f"{name}.json"
        if path.exists():
            parts.append(section(json.loads(path.read_text(encoding="utf-8"))))
    results = {
        assignment: json.loads(path.read_text(encoding="utf-8"))
        for assignment in assignments()
        if (path := RESULTS / f"{assignment}.json").exists()
    }
    parts += [SELFTEST, f"{summary(results)}\n"]
    for assignment, found in results.items():
        parts.append(f"### {assignment}\n\n{table(found)}\n")
        for title, what in (("Survivors", "survived"), ("Equivalent mutants", "equivalent")):
            if lines := [_line(q, item, r[what]) for q, r in found.items() for item in r[what]]:
                parts.append("\n".join([f"{title}:\n", *lines, ""]))
    page = project / PAGE
    page.write_text("\n".join(parts), encoding="utf-8")
    return page


def _line(question: str, item: str, items: list[str] | dict[str, str]) -> str:
    reason = f" – {items[item]}" if isinstance(items, dict) else ""
    return f"- `{question}`: `{item}`{reason}"
