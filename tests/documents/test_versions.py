"""What several files say about the version and the packages agrees."""

import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from shell_blocks import PROJECT

import helpers

ABOUT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
EXTRAS = ABOUT["optional-dependencies"]
ENVIRONMENT = yaml.safe_load((PROJECT / "environment.yml").read_text())
CHANGELOG = (PROJECT / "CHANGELOG.md").read_text()

TORCHS_OWN = {"torch", "torchvision"}
"""These are installed from a place of one's own choice, and so may have a local version."""


def pins():
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    found = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {name.lower().replace("_", "-"): Version(version) for name, version in found}


def requirements():
    listed = [*ABOUT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
    return [r for r in map(Requirement, listed) if r.name != ABOUT["name"]]


def by_pip():
    (listed,) = [entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    return listed


def test_the_version_is_the_same_everywhere():
    cited = yaml.safe_load((PROJECT / "CITATION.cff").read_text())["version"]
    assert ABOUT["version"] == helpers.__version__ == cited


def test_the_citation_has_what_its_format_requires():
    # Version 1.2.0 of the Citation File Format; an author who is no person has only a name.
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert all(citation[field] for field in ("message", "title", "authors"))
    assert all(set(author) == {"name"} for author in citation["authors"])


def test_the_changelog_has_a_section_for_this_version():
    assert ABOUT["version"] in re.findall(r"^## \[?([\d.]+)", CHANGELOG, re.MULTILINE)


def test_no_section_of_the_changelog_has_a_heading_twice():
    for section in re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]:
        headings = re.findall(r"^### (.+)$", section, re.MULTILINE)
        assert len(headings) == len(set(headings))


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_what_is_required_is_pinned_to_a_version_that_will_do(requirement):
    assert pins()[requirement.name.lower()] in requirement.specifier


def test_conda_brings_a_python_that_will_do():
    (python,) = [entry for entry in ENVIRONMENT["dependencies"] if str(entry).startswith("python")]
    offered = SpecifierSet(python.removeprefix("python"))
    needed = SpecifierSet(ABOUT["requires-python"])
    versions = [f"3.{minor}" for minor in range(8, 20)]
    assert list(offered.filter(versions)) == [
        v for v in needed.filter(versions) if v in SpecifierSet("<3.15")
    ]
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in offered


def test_conda_calls_pip_with_the_pins_and_an_extra_that_exists():
    constraint, editable = by_pip()
    assert (PROJECT / constraint.removeprefix("--constraint ")).is_file()
    extra = re.fullmatch(r"--editable \.\[(\w+)\]", editable)
    assert extra.group(1) in EXTRAS


@pytest.mark.slow
@pytest.mark.thorough
def test_what_conda_gives_to_pip_installs_the_pinned_packages(tmp_path):
    # As conda does it: the lines are a file of requirements, beside environment.yml. No package is
    # fetched here: what is installed already has to satisfy all of them.
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, tmp_path)
    for package in ("helpers", "autograder"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "requirements.txt").write_text("\n".join(by_pip()))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--no-index"),
            *("--no-build-isolation", "-r", "requirements.txt"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (would,) = [line for line in done.stdout.splitlines() if line.startswith("Would install")]
    assert would == f"Would install {ABOUT['name']}-{ABOUT['version']}"
