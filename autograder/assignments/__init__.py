"""The assignments of the course: a folder of the same name in each room that has something of it.

An assignment is found by its source notebook, ``notebooks/<name>/<name>.ipynb``; no list names it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from math import inf
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what an assignment has is imported when it is asked for
    from autograder.misconceptions import Misconception
    from autograder.runs.experiment import Experiment, Sweep
    from autograder.runs.lines import Line

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
"""The source notebooks, ``<assignment>/<assignment>.ipynb``."""


@dataclass(frozen=True)
class Assignment:
    """What the course knows of an assignment.

    Attributes
    ----------
    name : str
    notebook : Path
        The source notebook.
    place : float
        Where it stands in the course: ``PLACE`` of its package, or after all that have one.
    unlocks : tuple of str
        Reference modules that its students are given, such as ``"masks"``.
    artifacts : tuple of str
        Names of the trained networks that its students submit.
    """

    name: str
    notebook: Path
    place: float = inf
    unlocks: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()

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
    # As JSON: reference runs have to do without nbformat.
    content: dict[str, Any] = json.loads(notebook.read_text(encoding="utf-8"))
    course = content["metadata"].get("course", {})
    return Assignment(
        name,
        notebook,
        place=getattr(part(name), "PLACE", inf),
        unlocks=tuple(course.get("unlocks", ())),
        artifacts=tuple(course.get("artifacts", ())),
    )


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
    package = f"{__name__}.{assignment}"
    if find_spec(package) is None:
        return None
    module = f"{package}.{name}" if name else package
    return import_module(module) if find_spec(module) is not None else None
