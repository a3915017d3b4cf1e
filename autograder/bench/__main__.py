"""Measure how fast this machine trains, grades and codes, to compare two versions of the code."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autograder.bench.huffman import huffman_coding
from autograder.bench.machine import machine
from autograder.bench.training import LIMIT, training
from helpers.files import replacing


def _huffman(limit: float) -> Iterator[dict[str, Any]]:
    yield huffman_coding()


def _grading(limit: float) -> Iterator[dict[str, Any]]:
    # Imported here, because it needs nbgrader, which a machine that only trains does not have.
    from autograder.bench.course import grading

    yield from grading()


def _writer(limit: float) -> Iterator[dict[str, Any]]:
    from autograder.bench.writer import writing

    yield writing()


PARTS = {"huffman": _huffman, "training": training, "grading": _grading, "writer": _writer}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the figures to the given file after each measurement."""
    parser = argparse.ArgumentParser(prog="python -m autograder.bench", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="where to write the figures (JSON)")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=LIMIT,
        metavar="SECONDS",
        help="seconds after which a training is stopped (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {"machine": machine()}
    text = ""
    for part in options.only:
        for found in PARTS[part](options.limit):
            figures[part] = found
            text = json.dumps(figures, indent=1)
            with replacing(options.file) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
