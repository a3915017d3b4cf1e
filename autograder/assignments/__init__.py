"""The assignments of the course.

An assignment is found by its source notebook, ``notebooks/<name>/<name>.ipynb``: no list of
assignments has to be kept up to date. Everything else that belongs to it is in folders of the same
name, such as ``autograder/assignments/<name>`` and ``helpers/assignments/<name>``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from math import inf
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autograder.errors import UserError

if TYPE_CHECKING:  # the parts of an assignment are imported only when they are needed
    from autograder.misconceptions import Misconception
    from autograder.runs.experiment import Experiment, Sweep
    from autograder.runs.lines import Line

ROOM = Path(__file__).parent
NOTEBOOKS = ROOM.parents[1] / "notebooks"
"""The source notebooks, ``<assignment>/<assignment>.ipynb``."""


class NoSuchAssignment(UserError):
    """There is no source notebook of an assignment."""

    def __init__(self, name: str, notebook: Path) -> None:
        super().__init__(f"There is no source notebook of {name!r}: {notebook}")


@dataclass(frozen=True)
class Assignment:
    """An assignment of the course; its parts are looked up when they are needed.

    Attributes
    ----------
    name
        Name of the assignment, such as ``"quantization"``.
    notebook
        The source notebook.
    """

    name: str
    notebook: Path

    @property
    def place(self) -> float:
        """Its position in the course: ``PLACE`` of its package; without one, it comes last."""
        return getattr(part(self.name), "PLACE", inf)

    @property
    def unlocks(self) -> tuple[str, ...]:
        """The reference modules that students of this assignment get, such as ``"masks"``."""
        return tuple(self._metadata().get("unlocks", ()))

    @property
    def artifacts(self) -> tuple[str, ...]:
        """The names of the trained networks that students submit."""
        return tuple(self._metadata().get("artifacts", ()))

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """The networks that reference runs train for it, in both profiles."""
        return getattr(part(self.name, "experiments"), "EXPERIMENTS", ())

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """The figures that are measured for it without training, in both profiles."""
        return getattr(part(self.name, "experiments"), "SWEEPS", ())

    @property
    def chart_lines(self) -> tuple[Line, ...]:
        """Its lines in the charts of the results page."""
        return getattr(part(self.name, "charts"), "LINES", ())

    @property
    def misconceptions(self) -> list[Misconception]:
        """The known wrong solutions of its questions, in the order of their definition."""
        from autograder.misconceptions import misconceptions_in

        return misconceptions_in(self.name)

    def _metadata(self) -> dict[str, Any]:
        # Read as JSON, because reference runs have to work without nbformat.
        content = json.loads(self.notebook.read_text(encoding="utf-8"))
        return content["metadata"].get("course", {})


def assignments(notebooks: Path | None = None) -> list[str]:
    """Return the names of the assignments, in alphabetical order.

    Parameters
    ----------
    notebooks
        The folder with the source notebooks. By default that of the course.
    """
    found = (notebooks or NOTEBOOKS).glob("*/*.ipynb")
    return sorted(path.stem for path in found if path.stem == path.parent.name)


def assignment(name: str, notebooks: Path | None = None) -> Assignment:
    """Return the assignment of a name.

    Parameters
    ----------
    name
        Name of the assignment.
    notebooks
        The folder with the source notebooks. By default that of the course.

    Raises
    ------
    NoSuchAssignment
        If there is no source notebook of that name.
    """
    notebook = (notebooks or NOTEBOOKS) / name / f"{name}.ipynb"
    if not notebook.exists():
        raise NoSuchAssignment(name, notebook)
    return Assignment(name, notebook)


def in_course_order() -> list[Assignment]:
    """Return the assignments in the order of the course."""
    found = [assignment(name) for name in assignments()]
    return sorted(found, key=lambda each: each.place)


def part(assignment: str, name: str = "") -> ModuleType | None:
    """Return the package of an assignment, or one of its modules; None if it does not exist.

    Parameters
    ----------
    assignment
        Name of the assignment.
    name
        Name of the module, such as ``"misconceptions"``. By default the package itself.
    """
    if not (ROOM / assignment / f"{name or '__init__'}.py").exists():
        return None
    module = f"{__name__}.{assignment}"
    return import_module(f"{module}.{name}" if name else module)
