"""Make the student build: `helpers` without the references, as a folder or as a wheel."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import helpers
from autograder.temporary import temporary_folder
from helpers.data_folder import MIRROR_FILE

DISTRIBUTION = "efficient-dl-course"
PACKAGE = Path(helpers.__file__).parent
REFERENCE = PACKAGE / "reference"
"""The correct solutions; a student build contains only those that the release unlocks."""

# 1980-01-01, the earliest date in a zip. With a fixed date, the same files give the same wheel.
BUILD_DATE = "315532800"

DIGEST_DIGITS = 12
"""Enough that no two releases of a course ever have the same."""

BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def write_student_helpers(
    folder: Path, assignment: str, unlocks: Iterable[str] = (), *, mirror: str = ""
) -> Path:
    """Copy the installed `helpers` into `folder`, in the form that students of an assignment get.

    Parameters
    ----------
    folder
        Folder for the copy, which is created if it does not exist. It must not contain ``helpers``
        yet.
    assignment
        Name of the assignment. The build includes only the part of `helpers.assignments` that
        belongs to it, if there is one.
    unlocks
        Names of the reference modules that this build includes, such as ``["masks"]`` or
        ``["quantization.ste"]``. Data files beside such a module are included as well. By default
        none.
    mirror
        The address of a folder from which students download data; see `helpers.data_folder`. By
        default they download it from its home.

    Returns
    -------
    Path
        ``folder/helpers``; `folder` itself belongs on ``sys.path``.

    Raises
    ------
    ValueError
        If a name is not that of a reference module, or if a module imports another that is not
        unlocked.
    """
    unlocked = sorted(set(unlocks))
    _check_unlocks(unlocked)
    shown = {_reference_file(name) for name in unlocked}
    packages = {folder for file in shown for folder in file.parents}
    shown |= {file for name in unlocked for file in data_files(name)}
    shown |= packages | {package / "__init__.py" for package in packages}

    def left_out(directory: str, names: list[str]) -> list[str]:
        there = Path(directory)
        if there.is_relative_to(REFERENCE):
            return [name for name in names if there / name not in shown]
        if there == PACKAGE / "assignments":
            return [name for name in names if name not in (assignment, "__init__.py")]
        caches = [name for name in names if name == "__pycache__" or name.startswith(".")]
        no_reference = ["reference"] if there == PACKAGE and not unlocked else []
        return caches + no_reference

    shutil.copytree(PACKAGE, folder / "helpers", ignore=left_out, copy_function=_copy_content)
    if mirror:
        (folder / "helpers" / MIRROR_FILE).write_text(mirror + "\n", encoding="utf-8")
    return folder / "helpers"


def build_wheel(
    folder: Path, assignment: str, unlocks: Iterable[str] = (), *, mirror: str = ""
) -> Path:
    """Build the student wheel of an assignment, without downloading anything.

    Its dependencies are the base dependencies of the installed project. Its version is that of the
    project with a digest of the content, as in ``0.1.0+c3f2a81b09d4e``, and its
    ``helpers.__version__`` says the same: two wheels that differ have different versions, so that
    pip replaces one by the other. The same `helpers` give the same wheel, byte for byte.

    Parameters
    ----------
    folder
        Folder for the wheel, which is created if it does not exist.
    assignment
        As for `write_student_helpers`.
    unlocks, mirror
        As for `write_student_helpers`.

    Returns
    -------
    Path
        ``folder/efficient_dl_course-<version>-py3-none-any.whl``.

    Raises
    ------
    ValueError
        As for `write_student_helpers`.
    RuntimeError
        If setuptools cannot build the wheel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder("wheel-") as project:
        build = write_student_helpers(project, assignment, unlocks, mirror=mirror)
        version = f"{_version()}+{_digest(project, _pyproject(_version()))}"
        _write_version(build / "__init__.py", version)
        (project / "pyproject.toml").write_text(_pyproject(version), encoding="utf-8")
        # In a separate process, because setuptools takes over the working directory and the output.
        built = subprocess.run(
            [sys.executable, "-c", BUILD, str(folder.resolve())],
            cwd=project,
            env={**os.environ, "SOURCE_DATE_EPOCH": BUILD_DATE},
            capture_output=True,
            text=True,
        )
    if built.returncode:
        raise RuntimeError(f"The student wheel could not be built:\n{built.stderr.strip()}")
    return folder / f"{DISTRIBUTION.replace('-', '_')}-{version}-py3-none-any.whl"


def base_requirements() -> list[str]:
    """Return the requirements of the installed project, such as ``torch>=2.4``, without extras."""
    declared = metadata.requires(DISTRIBUTION) or []
    return [requirement for requirement in declared if "extra ==" not in requirement]


def reference_modules() -> list[str]:
    """Return the names of all reference modules, such as ``masks`` and ``quantization.ste``."""
    files = (file.relative_to(REFERENCE) for file in REFERENCE.rglob("*.py"))
    return sorted(".".join(file.with_suffix("").parts) for file in files if file.stem != "__init__")


def reference_source(name: str) -> str:
    """Return the text of a reference module."""
    return _reference_file(name).read_text(encoding="utf-8")


def _reference_file(name: str) -> Path:
    return REFERENCE.joinpath(*name.split(".")).with_suffix(".py")


def data_files(name: str) -> list[Path]:
    """Return the files beside a reference module that are no modules, such as networks."""
    folder = _reference_file(name).parent
    return [file for file in folder.iterdir() if file.is_file() and file.suffix != ".py"]


def _version() -> str:
    return metadata.version(DISTRIBUTION)


def _digest(folder: Path, about: str) -> str:
    """Return a local version label (PEP 440) that stands for the files in `folder` and for `about`.

    It begins with a letter, because a label of digits alone is a number and loses its zeros.
    """
    content = hashlib.sha256(about.encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for part in (path.relative_to(folder).as_posix().encode(), path.read_bytes()):
            content.update(len(part).to_bytes(8, "big") + part)
    return f"c{content.hexdigest()[:DIGEST_DIGITS]}"


def _write_version(module: Path, version: str) -> None:
    """Let `helpers` itself say which version it is, also after another has been installed."""
    text, count = re.subn(
        r'^__version__ = ".*"$',
        f'__version__ = "{version}"',
        module.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    if count != 1:
        raise RuntimeError(f"{module.name} of `helpers` must set __version__ once, as a string.")
    module.write_text(text, encoding="utf-8")


def _pyproject(version: str) -> str:
    about = metadata.metadata(DISTRIBUTION)
    # JSON and TOML write strings and lists of strings in the same way.
    return f"""
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = {json.dumps(DISTRIBUTION)}
version = {json.dumps(version)}
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
                f"There is no reference module {name!r} to unlock; choose from: "
                f"{', '.join(existing)}."
            )
        for needed in _reference_imports(name):
            if needed in existing and needed not in unlocks:
                raise ValueError(
                    f"The reference module {name!r} imports {needed!r}: unlock both or neither."
                )


def _reference_imports(name: str) -> Iterator[str]:
    """Yield the names that a reference module imports from `helpers.reference`."""
    within = ["helpers", "reference", *name.split(".")]
    for node in ast.walk(ast.parse(reference_source(name))):
        if isinstance(node, ast.ImportFrom):
            package = within[: -node.level] if node.level else []
            module = [*package, *(node.module.split(".") if node.module else ())]
            # Either part may be the module: compare `from helpers.reference import masks` and
            # `from helpers.reference.masks import apply_masks`.
            names = [".".join([*module, alias.name]) for alias in node.names] + [".".join(module)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for full in names:
            if full.startswith("helpers.reference."):
                yield full.removeprefix("helpers.reference.")


def _copy_content(source: str, target: str) -> None:
    """Copy a file's content, with a fixed mode and without its date."""
    shutil.copyfile(source, target)
    Path(target).chmod(0o644)
