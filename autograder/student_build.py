"""The student build: `helpers` without the reference implementations, as a folder or as a wheel."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import helpers
from autograder.temporary import temporary_folder

DISTRIBUTION = "efficient-dl-course"
PACKAGE = Path(helpers.__file__).parent
REFERENCE = PACKAGE / "reference"
"""The right answers; a student build holds of them only what a release unlocks."""

# 1980-01-01, the first day that a zip can name: the same files give the same wheel on any day.
BUILD_DATE = "315532800"

BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def write_student_helpers(folder: Path, unlocks: Iterable[str] = ()) -> Path:
    """Copy the installed `helpers` into `folder`, as students get it.

    Parameters
    ----------
    folder : Path
        Made if absent. It must hold no ``helpers`` yet.
    unlocks : iterable of str
        Names of reference modules that this build includes, e.g. ``["masks"]``.

    Returns
    -------
    Path
        ``folder/helpers``; `folder` itself belongs on ``sys.path``.

    Raises
    ------
    ValueError
        If there is no reference module of such a name, or if one needs another one that is not
        unlocked.
    """
    unlocked = sorted(set(unlocks))
    _check_unlocks(unlocked)
    shown = {"__init__.py", *(f"{name}.py" for name in unlocked)} if unlocked else set()

    def left_out(directory: str, names: list[str]) -> list[str]:
        if Path(directory) == REFERENCE:
            return [name for name in names if name not in shown]
        caches = [name for name in names if name == "__pycache__" or name.startswith(".")]
        no_reference = ["reference"] if Path(directory) == PACKAGE and not unlocked else []
        return caches + no_reference

    shutil.copytree(PACKAGE, folder / "helpers", ignore=left_out, copy_function=_copy_content)
    return folder / "helpers"


def build_wheel(folder: Path, unlocks: Iterable[str] = ()) -> Path:
    """Build the student wheel; nothing is downloaded.

    Its dependencies are the base dependencies of the installed project. The same `helpers` give
    the same wheel, byte for byte.

    Parameters
    ----------
    folder : Path
        Where the wheel goes. Made if absent.
    unlocks : iterable of str
        As for `write_student_helpers`.

    Returns
    -------
    Path
        ``folder/efficient_dl_course-<version>-py3-none-any.whl``.

    Raises
    ------
    ValueError
        As `write_student_helpers` does.
    RuntimeError
        If setuptools cannot build it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder("wheel-") as project:
        write_student_helpers(project, unlocks)
        (project / "pyproject.toml").write_text(_pyproject(), encoding="utf-8")
        # A process of its own: setuptools takes over the working directory and the output.
        built = subprocess.run(
            [sys.executable, "-c", BUILD, str(folder.resolve())],
            cwd=project,
            env={**os.environ, "SOURCE_DATE_EPOCH": BUILD_DATE},
            capture_output=True,
            text=True,
        )
    if built.returncode:
        raise RuntimeError(f"The student wheel could not be built:\n{built.stderr.strip()}")
    return folder / f"{DISTRIBUTION.replace('-', '_')}-{_version()}-py3-none-any.whl"


def base_requirements() -> list[str]:
    """Return what the installed project needs without its extras, as ``torch>=2.4``."""
    declared = metadata.requires(DISTRIBUTION) or []
    return [requirement for requirement in declared if "extra ==" not in requirement]


def reference_modules() -> list[str]:
    """Return the names of all reference modules."""
    return sorted(file.stem for file in REFERENCE.glob("*.py") if file.stem != "__init__")


def _version() -> str:
    return metadata.version(DISTRIBUTION)


def _pyproject() -> str:
    about = metadata.metadata(DISTRIBUTION)
    # Strings and lists of strings read the same in JSON and in TOML.
    return f"""
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = {json.dumps(DISTRIBUTION)}
version = {json.dumps(_version())}
description = "What the notebooks of the course import"
license = {json.dumps(about["License-Expression"])}
requires-python = {json.dumps(about["Requires-Python"])}
dependencies = {json.dumps(base_requirements())}

[tool.setuptools.packages.find]
include = ["helpers*"]

[tool.setuptools.package-data]
"*" = ["**/*"]
"""


def _check_unlocks(unlocks: list[str]) -> None:
    existing = reference_modules()
    for name in unlocks:
        if name not in existing:
            raise ValueError(
                f"There is no reference module {name!r} to unlock; there are {', '.join(existing)}."
            )
        for needed in _reference_imports(REFERENCE / f"{name}.py"):
            if needed in existing and needed not in unlocks:
                raise ValueError(
                    f"The reference module {name!r} imports {needed!r}: unlock both or none."
                )


def _reference_imports(file: Path) -> Iterator[str]:
    """Yield what a reference module imports from `helpers.reference`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            package = ["helpers", "reference"] if node.level == 1 else []
            module = [*package, *(node.module.split(".") if node.module else ())]
            names = [".".join([*module, alias.name]) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[:2] == ["helpers", "reference"] and len(parts) > 2:
                yield parts[2]


def _copy_content(source: str, target: str) -> None:
    """Copy a file without its date and with one mode, whatever the installation gave it."""
    shutil.copyfile(source, target)
    Path(target).chmod(0o644)
