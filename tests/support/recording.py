"""Keep what a test found, for the page of the documentation that is generated from it."""

import json
import os
from pathlib import Path
from typing import Any

RUNS = Path(__file__).parents[2] / "docs" / "runs"


def record(name: str, figures: dict[str, Any]) -> None:
    """Write figures into a file in ``docs/runs`` if ``RECORD`` is set in the environment."""
    if os.environ.get("RECORD"):
        RUNS.mkdir(exist_ok=True)
        (RUNS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
