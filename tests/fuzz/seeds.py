"""Frames as honest kernels send them, from which the fuzzer starts: python seeds.py FOLDER."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from autograder.sandbox.inside import wire

VALUES = [
    None,
    [1, 2.5, float("nan"), "text", True],
    (1, (2, [])),
    {(1, 2): "a", "b": {"c": None}},
    np.arange(3, dtype=np.int16),
    torch.ones(2, 2, dtype=torch.float16),
    torch.tensor([True, False]),
]
REPLIES = [
    *({"value": wire.encode(value)} for value in VALUES),
    {"value": {"$": "handle", "id": 0, "type": "Linear"}},
    {"error": {"type": "NameError", "text": "name 'x' is not defined", "raised_in": "Block.f"}},
    {
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": "1\n"},
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["line"]},
            {"output_type": "execute_result", "data": {"text/plain": "1", "text/html": "<b>1</b>"}},
        ]
    },
]


def seeds() -> dict[str, list[bytes]]:
    """Return inputs for every target."""
    payloads = [json.dumps(reply).encode() for reply in REPLIES]
    framed = [len(content).to_bytes(4, "big") + content for content in payloads]
    return {
        "message": [bytes(range(256))],
        "payload": payloads,
        "frames": framed,
        "session": [*framed, b"".join(framed)],
    }


if __name__ == "__main__":
    for target, inputs in seeds().items():
        folder = Path(sys.argv[1], target)
        folder.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(inputs):
            (folder / f"seed-{number}").write_bytes(content)
