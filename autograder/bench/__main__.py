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

Options = argparse.Namespace


def _huffman(options: Options) -> Iterator[dict[str, Any]]:
    yield huffman_coding()


def _training(options: Options) -> Iterator[dict[str, Any]]:
    yield from training(options.limit)


# What follows is imported late, because it needs nbgrader, which a machine that only trains does
# not have.


def _grading(options: Options) -> Iterator[dict[str, Any]]:
    from autograder.bench.course import grading

    yield from grading()


def _checks(options: Options) -> Iterator[dict[str, Any]]:
    from autograder.bench.checks_only import checks_only

    yield from checks_only()


def _otter(options: Options) -> Iterator[dict[str, Any]]:
    from autograder.bench.course import otter_grading

    yield from otter_grading(options.otter)


def _kernels(options: Options) -> Iterator[dict[str, Any]]:
    from autograder.bench.kernels import kernels

    yield kernels()


def _writer(options: Options) -> Iterator[dict[str, Any]]:
    from autograder.bench.writer import writing

    yield writing()


def _demo(options: Options) -> Iterator[dict[str, Any]]:
    from autograder.bench.whole_demo import whole_demo

    yield whole_demo()


PARTS = {
    "huffman": _huffman,
    "training": _training,
    "grading": _grading,
    "checks": _checks,
    "kernels": _kernels,
    "writer": _writer,
    "demo": _demo,
    "otter": _otter,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the figures to the given file after each measurement."""
    parser = argparse.ArgumentParser(prog="python -m autograder.bench", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="where to write the figures (JSON)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        help="parts to measure (default: all, but otter only with --otter)",
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=LIMIT,
        metavar="SECONDS",
        help="seconds after which a training is stopped (default: %(default)s)",
    )
    parser.add_argument(
        "--otter",
        type=Path,
        metavar="PYTHON",
        help="a Python that has otter-grader[grading] and what the course needs",
    )
    options = parser.parse_args(arguments)
    if options.only is None:
        options.only = [part for part in PARTS if part != "otter" or options.otter]
    elif "otter" in options.only and options.otter is None:
        parser.error("the part otter needs --otter PYTHON, a Python that has otter-grader[grading]")
    figures: dict[str, Any] = {"machine": machine()}
    text = ""
    for part in options.only:
        for found in PARTS[part](options):
            figures[part] = found
            text = json.dumps(figures, indent=1)
            with replacing(options.file) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
