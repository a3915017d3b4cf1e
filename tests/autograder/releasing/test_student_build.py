"""The student build contains the helpers without the reference."""

import hashlib
import re
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from autograder.releasing import student_build
from autograder.releasing.student_build import build_wheel, write_student_helpers

PROJECT = Path(__file__).parents[3]


def files(folder: Path) -> set[str]:
    return {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}


def test_has_everything_but_the_reference(tmp_path: Path) -> None:
    helpers = write_student_helpers(tmp_path, "pruning")
    expected = {
        name
        for name in files(PROJECT / "helpers")
        if not name.startswith("reference/")
        and not (name.startswith("assignments/") and name.count("/") > 1)
        and "__pycache__" not in name
    }
    own = ("__init__.py", "checks.py", "hints.json", "plots.py")
    expected |= {f"assignments/pruning/{name}" for name in own}
    assert helpers == tmp_path / "helpers"
    assert files(helpers) == expected


def test_unlocked_modules_are_included(tmp_path: Path) -> None:
    helpers = write_student_helpers(tmp_path, "pruning", unlocks=["masks"])
    assert files(helpers / "reference") == {"__init__.py", "masks.py"}


def test_an_unlocked_module_of_an_assignment_comes_with_its_packages(tmp_path: Path) -> None:
    helpers = write_student_helpers(tmp_path, "pruning", unlocks=["quantization.ste"])
    assert files(helpers / "reference") == {
        "__init__.py",
        "quantization/__init__.py",
        "quantization/ste.py",
    }


def test_an_unlocked_module_comes_with_the_data_files_beside_it(tmp_path: Path) -> None:
    helpers = write_student_helpers(tmp_path, "pruning", unlocks=["baseline.network"])
    assert files(helpers / "reference") == {
        "__init__.py",
        "baseline/__init__.py",
        "baseline/network.py",
        *(
            f"baseline/convnet_{profile}.{kind}"
            for profile in ("quick", "full")
            for kind in ("safetensors", "json")
        ),
    }


def test_an_assignment_that_ships_nothing_does_not_get_modules_of_others(tmp_path: Path) -> None:
    helpers = write_student_helpers(tmp_path, "unknown")
    assert files(helpers / "assignments") == {"__init__.py"}


def test_unlocked_module_is_imported_from_the_build(tmp_path: Path) -> None:
    write_student_helpers(tmp_path, "pruning", unlocks=["masks"])
    code = "from helpers.reference import masks; print(masks.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert Path(found).is_relative_to(tmp_path)


def test_unknown_module_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no reference module 'maskz'.*masks"):
        write_student_helpers(tmp_path, "pruning", unlocks=["maskz"])


def test_unlocked_module_that_needs_a_locked_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.py").write_text("from . import two\n")
    (tmp_path / "two.py").write_text("")
    monkeypatch.setattr(student_build, "REFERENCE", tmp_path)
    with pytest.raises(ValueError, match="'one' imports 'two': unlock both"):
        write_student_helpers(tmp_path / "build", "pruning", unlocks=["one"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"), "pruning", unlocks=["masks"])


def test_wheel_holds_the_same_files(wheel: Path, tmp_path: Path) -> None:
    write_student_helpers(tmp_path, "pruning", unlocks=["masks"])
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files(tmp_path)


def test_wheel_needs_the_base_dependencies_and_nothing_else(wheel: Path) -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert about(wheel).get_all("Requires-Dist") == declared["dependencies"]
    assert about(wheel)["Requires-Python"] == declared["requires-python"]


def about(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        return Parser().parsestr(archive.read(metadata).decode())


def test_version_is_that_of_the_project_with_a_digest_of_the_content(wheel: Path) -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = about(wheel)["Version"]
    assert re.fullmatch(re.escape(declared["version"]) + r"\+c[0-9a-f]{12}", version)
    assert wheel.name == f"efficient_dl_course-{version}-py3-none-any.whl"


def test_helpers_itself_says_which_version_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        module = archive.read("helpers/__init__.py").decode()
    assert f'__version__ = "{about(wheel)["Version"]}"' in module


@pytest.mark.parametrize(("assignment", "unlocks"), [("pruning", []), ("quantization", ["masks"])])
def test_another_content_has_another_version(
    wheel: Path, tmp_path: Path, assignment: str, unlocks: list[str]
) -> None:
    assert build_wheel(tmp_path, assignment, unlocks).name != wheel.name


def test_wheel_is_reproducible(wheel: Path, tmp_path: Path) -> None:
    again = build_wheel(tmp_path, "pruning", unlocks=["masks"])
    assert again.name == wheel.name
    assert (
        hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()
    )


def test_wheel_contains_the_starting_networks(wheel: Path) -> None:
    shipped = {f"helpers/pretrained/{f.name}" for f in (PROJECT / "helpers/pretrained").iterdir()}
    with zipfile.ZipFile(wheel) as archive:
        assert shipped <= set(archive.namelist())
