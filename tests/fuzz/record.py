"""Record how much ``make fuzz`` has tried: python record.py FOLDER, with its logs."""

import json
import re
import sys
from pathlib import Path

RUNS = Path(__file__).parents[2] / "docs" / "runs"

if __name__ == "__main__":
    found = {}
    for log in sorted(Path(sys.argv[1]).glob("fuzz-*.log")):
        text = log.read_text(errors="replace")
        inputs = re.findall(r"stat::number_of_executed_units:\s+(\d+)", text)
        seconds = re.findall(r"Done \d+ runs in (\d+) second", text)
        found[log.stem.removeprefix("fuzz-")] = [int(inputs[-1]), int(seconds[-1])]
    RUNS.mkdir(exist_ok=True)
    (RUNS / "fuzz.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
