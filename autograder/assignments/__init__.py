"""The assignments of the course: a folder of the same name in each room that has something of it.

An assignment is found by its source notebook, ``notebooks/<name>/<name>.ipynb``; no list names it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from math import inf
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what an assignment has is imported when it is asked for
    from autograder.misconceptions import Misconception
    from autograder.runs.experiment import Experiment, Sweep
    from autograder.runs.lines import Line

ROOM = Path(__file__).parent
NOTEBOOKS = ROOM.parents[1] / "notebooks"
"""The source notebooks, ``<assignment>/<assignment>.ipynb``."""


@dataclass(frozen=True)
class Assignment:
    """What the course knows of an assignment; it is looked up when it is asked for.

    Attributes
    ----------
    name : str
    notebook : Path
        The source notebook.
    """

    name: str
    notebook: Path

    @property
    def place(self) -> float:
        """Where it stands in the course: ``PLACE`` of its package, or after all that have one."""
        return getattr(part(self.name), "PLACE", inf)

    @property
    def unlocks(self) -> tuple[str, ...]:
        """The reference modules that its students are given, such as ``"masks"``."""
        return tuple(self._metadata().get("unlocks", ()))

    @property
    def artifacts(self) -> tuple[str, ...]:
        """The names of the trained networks that its students submit."""
        return tuple(self._metadata().get("artifacts", ()))

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """The networks that are trained for it, in both profiles."""
        return getattr(part(self.name, "experiments"), "EXPERIMENTS", ())

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """The figures of it that need no training, in both profiles."""
        return getattr(part(self.name, "experiments"), "SWEEPS", ())

    @property
    def chart_lines(self) -> tuple[Line, ...]:
        """Its lines in the charts of the results page."""
        return getattr(part(self.name, "charts"), "LINES", ())

    @property
    def misconceptions(self) -> list[Misconception]:
        """The known wrong solutions of its questions, in order of definition."""
        from autograder.misconceptions import misconceptions_in

        return misconceptions_in(self.name)

    def _metadata(self) -> dict[str, Any]:
        # As JSON: reference runs have to do without nbformat.
        content = json.loads(self.notebook.read_text(encoding="utf-8"))
        return content["metadata"].get("course", {})


def assignments(notebooks: Path | None = None) -> list[str]:
    """Return the names of the assignments, in alphabetical order.

    Parameters
    ----------
    notebooks : Path, optional
        The folder of the source notebooks. None: that of the course.
    """
    found = (notebooks or NOTEBOOKS).glob("*/*.ipynb")
    return sorted(path.stem for path in found if path.stem == path.parent.name)


def assignment(name: str, notebooks: Path | None = None) -> Assignment:
    """Return what there is of an assignment.

    Parameters
    ----------
    name : str
    notebooks : Path, optional
        The folder of the source notebooks. None: that of the course.

    Raises
    ------
    FileNotFoundError
        If it has no source notebook.
    """
    notebook = (notebooks or NOTEBOOKS) / name / f"{name}.ipynb"
    if not notebook.exists():
        raise FileNotFoundError(f"There is no source notebook of {name!r}: {notebook}")
    return Assignment(name, notebook)


def in_course_order() -> list[Assignment]:
    """Return the assignments in the order in which the course has them."""
    found = [assignment(name) for name in assignments()]
    return sorted(found, key=lambda each: each.place)


def part(assignment: str, name: str = "") -> ModuleType | None:
    """Return the package of an assignment, or a module of it, if there is one.

    Parameters
    ----------
    assignment : str
    name : str
        The module, such as ``"misconceptions"``; none stands for the package.
    """
    if not (ROOM / assignment / f"{name or '__init__'}.py").exists():
        return None
    module = f"{__name__}.{assignment}"
    return import_module(f"{module}.{name}" if name else module)
