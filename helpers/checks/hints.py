"""Hints for a question, on demand and one step at a time; none of them is a solution.

They stand as data beside the checks of an assignment, in ``hints.json``: for each check the
``steps`` in words and, where numbers help, an ``example`` of what is given and what comes out. The
checks that assignments share have theirs beside this module.
"""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from helpers.checks.box import AMBER, box, note

FILE = "hints.json"
SHARED = Path(__file__).with_name(FILE)


class Hint:
    """A step of the hints for a question; notebooks show it as a box."""

    def __init__(self, heading: str, text: str) -> None:
        self.heading = heading
        self.text = text

    def __repr__(self) -> str:
        return f"{self.heading}\n  {self.text}"

    def _repr_html_(self) -> str:
        return box(self.heading, AMBER, [note(self.text)])


class Hints:
    """The hints of an assignment, called with the name of a check.

    Each call shows the next step; after the last one, the first is shown again.

    Parameters
    ----------
    file
        The file with the hints.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: dict[str, int] = {}

    def __call__(self, name: str) -> Hint:
        """Return the next step of the hints for a check, such as ``hint("quantize")``."""
        known = read_hints(SHARED) | read_hints(self._file)
        if name not in known:
            return Hint(
                f"There is no hint for {name!r}", f"There are hints for {', '.join(known)}."
            )
        steps = texts(known[name])
        place = self._seen.get(name, 0) % len(steps)
        self._seen[name] = place + 1
        return Hint(f"Hint {place + 1} of {len(steps)} for {name}", steps[place])


def has_hint(name: str, module: str) -> bool:
    """Return whether there are hints for a check that is defined in a module of `helpers`."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and name in read_hints(Path(file).with_name(FILE))


@cache
def read_hints(file: Path) -> dict[str, Any]:
    """Return the hints in a file by the names of the checks; none if there is no such file."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def texts(entry: dict[str, Any]) -> list[str]:
    """Return the steps of a check's hints, of which the last one is the example."""
    if "example" not in entry:
        return entry["steps"]
    example = entry["example"]
    about = f"{example['note']} " if "note" in example else ""
    given = ", ".join(f"`{name} = {_shown(value)}`" for name, value in example["given"].items())
    return [*entry["steps"], f"{about}With {given}, the answer is `{_shown(example['gives'])}`."]


def _shown(value: Any) -> str:
    """Format plain data as Python does, with numbers in four digits."""
    match value:
        case list():
            return f"[{', '.join(map(_shown, value))}]"
        case dict():
            return f"{{{', '.join(f'{key!r}: {_shown(each)}' for key, each in value.items())}}}"
        case float():
            return f"{value:.4g}"
        case _:
            return repr(value)
