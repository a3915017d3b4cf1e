"""What `autograder selftest` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from autograder.selftest.answers import Kind
from autograder.selftest.page import write_page
from autograder.selftest.run import Selftest, keep


def run(
    assignments: Sequence[str],
    questions: Iterable[str],
    kinds: Iterable[Kind],
    *,
    most: int | None,
    jobs: int,
    seed: bytes,
    kept: bool,
) -> int:
    """Run the self-test of assignments, print each finding and a summary; return the exit status.

    The status is 1 if a wrong answer got every point, a right one lost some, or the feedback named
    a misconception that was not there.
    """
    findings = 0
    for assignment in assignments:
        test = Selftest(assignment, questions, kinds, most=most, seed=seed)
        judged = tqdm(
            test.judged(jobs=jobs), desc=assignment, total=len(test.answers), unit="answer"
        )
        found = test.results(judged)
        for question, result in found.items():
            for kind, texts in result.findings.items():
                findings += len(texts)
                for text in texts:
                    print(f"{assignment} {question}: {kind}: {text}")
        tried = sum(sum(result.tried.values()) for result in found.values())
        print(f"{assignment}: {tried} answers judged")
        if kept:
            keep(assignment, found)
    if kept:
        print(f"page: {write_page(Path.cwd())}")
    return 1 if findings else 0
