"""The assignments of the course: a folder of the same name in each room that has something of it.

An assignment is found by its source notebook, ``notebooks/<name>/<name>.ipynb``; no list names it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
"""The source notebooks, ``<assignment>/<assignment>.ipynb``."""


def assignments() -> list[str]:
    """Return the names of the assignments, in alphabetical order."""
    return sorted(p.stem for p in NOTEBOOKS.glob("*/*.ipynb") if p.stem == p.parent.name)


def part(assignment: str, name: str) -> ModuleType | None:
    """Return the module `name` of an assignment, such as ``"misconceptions"``, if it has one."""
    module = f"{__name__}.{assignment}.{name}"
    return import_module(module) if find_spec(module) is not None else None
