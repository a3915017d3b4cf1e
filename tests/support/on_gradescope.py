"""A folder laid out as Gradescope does, and the form of what it takes, for the tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_TEXT = {"type": "string"}
_FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
_VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
_TEST = {
    "type": "object",
    "properties": {
        "score": {"type": "number"},
        "max_score": {"type": "number"},
        "status": {"enum": ["passed", "failed"]},
        "name": _TEXT,
        "name_format": _FORMAT,
        "number": _TEXT,
        "output": _TEXT,
        "output_format": _FORMAT,
        "tags": {"type": "array", "items": _TEXT},
        "visibility": _VISIBILITY,
        "extra_data": {"type": "object"},
    },
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": _TEXT,
        "output_format": _FORMAT,
        "test_output_format": _FORMAT,
        "test_name_format": _FORMAT,
        "visibility": _VISIBILITY,
        "stdout_visibility": _VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {"type": "array", "items": _TEST},
        "leaderboard": {"type": "array"},
    },
    "additionalProperties": False,
    # A score is optional, but required if not on each test case.
    "anyOf": [
        {"required": ["score"]},
        {"required": ["tests"], "properties": {"tests": {"items": {"required": ["score"]}}}},
    ],
}
"""results.json, by https://gradescope-autograders.readthedocs.io/en/latest/specs/."""


@dataclass(frozen=True)
class OnGradescope:
    """The folder that is /autograder there.

    Attributes
    ----------
    base
        The folder.
    """

    base: Path

    @classmethod
    def built(cls, archive: Path, base: Path) -> OnGradescope:
        """Unpack the zip of an autograder as Gradescope does; this Python replaces its own."""
        for name in ("source", "results", "submission", "venv/bin"):
            (base / name).mkdir(parents=True)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(base / "source")
        shutil.copy(base / "source" / "run_autograder", base)
        python = base / "venv" / "bin" / "python"
        kit = base / "source" / "kit"
        own = f'export PYTHONPATH="{kit}"\nexec "{sys.executable}" "$@"'
        python.write_text(f"#!/bin/sh\n{own}\n")
        for program in (python, base / "run_autograder"):
            program.chmod(0o755)
        return cls(base)

    def hand_in(self, folder: Path) -> None:
        """Put the files of a hand-in where Gradescope puts them."""
        shutil.rmtree(self.base / "submission")
        shutil.copytree(folder, self.base / "submission", symlinks=True)

    def run(self) -> tuple[int, dict[str, Any], str]:
        """Run the autograder; return its status, results.json, and what it printed."""
        done = subprocess.run(
            [self.base / "run_autograder"],
            cwd=self.base,
            env={**os.environ, "AUTOGRADER_BASE": str(self.base)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        results = json.loads((self.base / "results" / "results.json").read_text())
        return done.returncode, results, done.stdout


def faults(results: dict[str, Any]) -> list[str]:
    """Return how results differ from what Gradescope takes."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(results)]
