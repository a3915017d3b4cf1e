"""Write the page of the documentation that shows what the self-test found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autograder.assignments import assignments
from autograder.selftest.run import RESULTS

PAGE = Path("docs", "selftest.md")

INTRODUCTION = """\
# What the hidden tests let through

This page is written by `autograder selftest --page` from the last run of the self-test on each
assignment. Every answer is put in the place of the solution, all else in the notebook being right,
and judged by the hidden test of its question.

- **Mutants** differ from the solution in one operator, number, argument or statement. Those that do
  the same as the solution are listed as *equivalent* with the reason; they do not count.
- **Misconceptions** are the mistakes that the feedback knows by name.
- **Wrong** and **right** answers are written by hand.

*Survivors* are wrong answers that got every point.
"""


def table(found: dict[str, dict[str, Any]]) -> str:
    """Return the rows of one assignment, given its results by question, as a Markdown table."""
    rows = [
        "| question | points | mutants | equivalent | survivors | mutation score | misconceptions "
        "| wrong | right | right that lose | named wrongly |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    rows += [_row(f"`{question}`", [result]) for question, result in found.items()]
    rows.append(_row("**total**", list(found.values())))
    return "\n".join(rows)


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
    """Write the page from the kept results; return its path."""
    parts = [INTRODUCTION]
    for assignment in assignments():
        path = RESULTS / f"{assignment}.json"
        if not path.exists():
            continue
        found = json.loads(path.read_text(encoding="utf-8"))
        parts.append(f"## {assignment}\n\n{table(found)}\n")
        for title, what in (("Survivors", "survived"), ("Equivalent mutants", "equivalent")):
            if lines := [_line(q, item, r[what]) for q, r in found.items() for item in r[what]]:
                parts.append("\n".join([f"{title}:\n", *lines, ""]))
    page = project / PAGE
    page.write_text("\n".join(parts), encoding="utf-8")
    return page


def _line(question: str, item: str, items: list[str] | dict[str, str]) -> str:
    reason = f" – {items[item]}" if isinstance(items, dict) else ""
    return f"- `{question}`: `{item}`{reason}"
