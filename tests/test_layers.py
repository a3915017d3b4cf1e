"""The layers of the project: what may import what, and where dependencies are declared."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
HELPERS = sorted((PROJECT / "helpers").rglob("*.py"))
STUDENT_SIDE = [f for f in HELPERS if "reference" not in f.relative_to(PROJECT / "helpers").parts]
# Distributions whose import name is not their own name.
IMPORT_NAMES = {
    "scikit-learn": "sklearn",
    "markdown-it-py": "markdown_it",
    "mdit-py-plugins": "mdit_py_plugins",
}


def name(requirement: str) -> str:
    """Return the name of the distribution in a requirement such as ``torch>=2.4``."""
    match = re.match(r"[\w.-]+", requirement)
    assert match
    return match[0].lower()


BASE = {name(requirement) for requirement in PYPROJECT["project"]["dependencies"]}


def imports(file: Path) -> Iterator[str]:
    """Yield the full names of all modules that a file imports, at any depth of its code."""
    package = file.relative_to(PROJECT).parent.parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            # `from helpers import reference` imports a module too
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def ids(files: list[Path]) -> list[str]:
    return [str(file.relative_to(PROJECT)) for file in files]


def test_an_installation_holds_every_data_file_of_helpers() -> None:
    package = PROJECT / "helpers"
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["helpers"]
    installed = {file for pattern in patterns for file in package.glob(pattern)}
    kinds = {".json", ".safetensors", ".txt"}
    assert {file for file in package.rglob("*") if file.suffix in kinds} <= installed


@pytest.mark.parametrize("file", HELPERS, ids=ids(HELPERS))
def test_helpers_never_imports_autograder(file: Path) -> None:
    assert not [module for module in imports(file) if within(module, "autograder")]


@pytest.mark.parametrize("file", STUDENT_SIDE, ids=ids(STUDENT_SIDE))
def test_student_side_never_imports_reference(file: Path) -> None:
    assert not [module for module in imports(file) if within(module, "helpers.reference")]


@pytest.mark.parametrize("file", HELPERS, ids=ids(HELPERS))
def test_helpers_imports_only_the_base_dependencies(file: Path) -> None:
    allowed = {IMPORT_NAMES.get(dependency, dependency) for dependency in BASE}
    allowed |= {"helpers", *sys.stdlib_module_names}
    if file.name == "colab.py":
        allowed.add("google")  # `google.colab` is there on Colab only
    assert {module.partition(".")[0] for module in imports(file)} <= allowed


def test_imports_sees_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PROJECT", tmp_path)
    file = tmp_path / "helpers" / "checks" / "planted.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "import os.path\n"
        "from . import result\n"
        "from .. import reference\n"
        "from ..reference.quantization.ste import STE\n"
        "def f():\n    from autograder import hidden\n"
    )
    assert set(imports(file)) == {
        "os.path",
        "helpers.checks.result",
        "helpers.reference",
        "helpers.reference.quantization.ste.STE",
        "autograder.hidden",
    }


def test_dependencies_are_declared_once() -> None:
    others = {"setup.py", "setup.cfg", "requirements.txt", "Pipfile"}
    assert not [file for file in others if (PROJECT / file).exists()]
    declared = (PROJECT / "environment.yml").read_text(encoding="utf-8").splitlines()
    channel_and_python = ("- conda-forge", "- python")
    dependencies = [line.strip() for line in declared if line.startswith("  ")]
    assert [line for line in dependencies if not line.startswith(channel_and_python)] == [
        "- pip",
        "- pip:",
        "- --constraint constraints.txt",
        "- --editable .[instructor]",
    ]


def test_constraints_pin_every_declared_dependency() -> None:
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert not [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)]
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    declared = BASE | {name(requirement) for extra in extras for requirement in extra}
    assert declared - {name(pin) for pin in pins} == {PYPROJECT["project"]["name"]}
