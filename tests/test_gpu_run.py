"""The script for a borrowed GPU does its parts in order, within its time, and packs the results.

The programs that it calls have their own tests: here a stand-in only records the calls.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from autograder.cli import _parser

SCRIPT = Path(__file__).parents[1] / "scripts" / "gpu_run.sh"
SHIPPED = ("helpers/pretrained", "helpers/reference/baseline")

BARE_MACHINE = """
import importlib.metadata
import sys

for package in ("nbgrader", "nbformat", "nbconvert", "traitlets", "torchvision", "psutil"):
    sys.modules[package] = None
found = importlib.metadata.distribution


def of_others(name):
    if name == "efficient-dl-course":
        raise importlib.metadata.PackageNotFoundError(name)
    return found(name)


importlib.metadata.distribution = of_others
"""
COLLECT_TESTS = """
import pytest

sys.exit(pytest.main(["-m", "gpu", "-q", "--collect-only", "tests/helpers"]))
"""
RUN_NOTHING = """
from autograder.cli import main

sys.exit(main(["reference", "run", "--profile", "full", "--missing", "--only", "nothing"]))
"""

STAND_IN = """#!/bin/sh
echo "$COURSE_PROFILE" "$@" >> calls
case "$*" in *"$FAILING"*) exit 1 ;; esac
case "$*" in *"reference run"*) mkdir -p build/gpu/work && echo half > build/gpu/work/state ;; esac
sleep "$SECONDS_EACH"
"""


@pytest.fixture
def project(tmp_path):
    """Return a project with the script, references, and a stand-in for Python."""
    root = tmp_path / "project"
    for folder in ("scripts", "autograder/references/full", *SHIPPED, "build/data"):
        (root / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, root / "scripts")
    (root / "autograder/references/full/quantization.json").write_text("{}")
    (root / "helpers/pretrained/resnet20_full.safetensors").write_bytes(os.urandom(16 * 2**20))
    (root / "helpers/reference/baseline/convnet_full.safetensors").touch()
    (root / "build/data/cifar10.npz").touch()
    stand_in = root / "stand-in"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    return root


def run(project, *arguments, **environment):
    known = {"PYTHON": str(project / "stand-in"), "FAILING": "never", "SECONDS_EACH": "0"}
    return subprocess.run(
        ["sh", "scripts/gpu_run.sh", *arguments],
        cwd=project,
        env={"PATH": os.environ["PATH"], "COURSE_PROFILE": ""} | known | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def calls(project):
    file = project / "calls"
    return file.read_text().splitlines() if file.exists() else []


def test_all_parts_are_done_in_order(project):
    done = run(project, "out", "8")
    assert done.returncode == 0
    words = ["-m gpu", "autograder.bench ", "time_to_accuracy", "reference run"]
    assert [word in call for word, call in zip(words, calls(project), strict=True)] == [True] * 4
    assert calls(project)[1].startswith("full ")
    assert "--missing --seeds 3" in calls(project)[3]


def test_parts_can_be_chosen(project):
    run(project, "out", "8", "accuracy", "tests")
    assert ["time_to_accuracy" in call for call in calls(project)] == [True, False]


def test_an_unknown_part_is_reported_and_the_others_are_done(project):
    done = run(project, "out", "8", "benches", "tests")
    assert done.returncode == 1
    assert "There is no part benches." in done.stdout
    assert len(calls(project)) == 1


def test_a_part_that_fails_does_not_stop_the_next(project):
    done = run(project, "out", "8", FAILING="autograder.bench")
    assert done.returncode == 1
    assert "bench: ended with 1" in done.stdout
    assert len(calls(project)) == 4
    assert "reference run" in calls(project)[-1]


def test_the_results_are_packed_in_small_parts_that_can_be_unpacked(project, tmp_path):
    run(project, "out", "8", "references")
    parts = sorted((project / "out").glob("results.tar.*"))
    assert len(parts) == 2
    assert all(part.stat().st_size <= 16 * 2**20 for part in parts)
    whole = tmp_path / "results.tar"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    with tarfile.open(whole) as archive:
        names = archive.getnames()
    assert "autograder/references/full/quantization.json" in names
    assert "helpers/pretrained/resnet20_full.safetensors" in names
    assert "helpers/reference/baseline/convnet_full.safetensors" in names
    assert "build/gpu/work/state" in names


def test_the_references_get_the_remaining_time_except_for_packing(project):
    run(project, "out", "2", "references")
    *_, minutes = calls(project)[0].split()
    assert 95 < 60 * float(minutes) < 101


def test_no_part_begins_when_the_time_is_over(project):
    done = run(project, "out", "0")
    assert calls(project) == []
    assert done.stdout.count("no time left") == 4


@pytest.mark.parametrize("there", [True, False])
def test_data_are_prepared_if_they_are_missing(there, project):
    if not there:
        (project / "build/data/cifar10.npz").unlink()
    run(project, "out", "8", "tests", PREPARE="touch prepared")
    assert (project / "prepared").exists() != there


def test_the_usage_is_shown_if_an_argument_is_missing(project):
    done = run(project, "out")
    assert done.returncode == 2
    assert "sh scripts/gpu_run.sh OUT MINUTES" in done.stdout


def test_the_command_for_the_references_exists(project):
    run(project, "out", "8", "references")
    arguments = calls(project)[0].partition("autograder.cli ")[2].split()
    found = _parser().parse_args(arguments)
    assert (found.profile, found.missing, found.seeds, found.share) == ("full", True, 3, 1.0)


def on_a_bare_machine(code):
    """Run code where neither the instructor's packages nor the project are installed."""
    return subprocess.run(
        [sys.executable, "-c", BARE_MACHINE + code],
        cwd=SCRIPT.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.thorough
def test_the_tests_for_a_gpu_need_none_of_the_instructors_packages():
    found = on_a_bare_machine(COLLECT_TESTS)
    assert found.returncode == 0, found.stdout
    assert "test_cuda_graph.py" in found.stdout


def test_the_command_for_the_references_needs_no_installed_project():
    found = on_a_bare_machine(RUN_NOTHING)
    assert "autograder: There is no experiment or assignment 'nothing'" in found.stderr
