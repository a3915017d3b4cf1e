"""The command reports a user's error in one sentence and imports only what it needs."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from autograder.cli import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["release", "prunning"],
            "'prunning' is not an assignment of this course. Its assignments are:",
        ),
        (["grade", "quantization"], "run `autograder release quantization` first"),
        (["report", "quantization"], "autograder release"),
        (["samples", "quantization"], "run `autograder release quantization` first"),
        (["feedback", "quantization"], "autograder release"),
        (["reference", "run", "--only", "quantization", "--seeds", "0"], "at least one seed"),
        (["reference", "run", "--device", "warp"], "There is no device 'warp'"),
    ],
)
def test_an_error_that_the_user_can_fix_is_one_sentence(
    arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    complaint = capsys.readouterr().err
    assert message in complaint
    assert "Traceback" not in complaint


def test_init_makes_the_settings_of_a_course_and_keeps_those_that_are_there(tmp_path, capsys):
    folder = tmp_path / "my course"
    assert main(["init", "--course", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {
        "course.toml",
        "nbgrader_config.py",
        "source",
    }
    (folder / "course.toml").write_text('profile = "full"\n')
    assert main(["init", "--course", str(folder)]) == 0
    assert (folder / "course.toml").read_text() == 'profile = "full"\n'
    assert "has its settings already" in capsys.readouterr().out


def test_init_ends_with_what_to_do_next(tmp_path, capsys):
    assert main(["init", "--course", str(tmp_path)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert str(tmp_path / "course.toml") in last
    assert "`autograder release NAME`" in last


def test_a_course_has_only_the_assignments_that_its_settings_name(tmp_path, capsys):
    (tmp_path / "course.toml").write_text('assignments = ["pruning"]\n')
    assert main(["release", "quantization", "--course", str(tmp_path)]) == 1
    assert "Its assignments are: pruning." in capsys.readouterr().err


def test_the_version_is_the_one_that_the_project_declares(capsys):
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"autograder {declared['version']}\n"


def test_a_wrong_command_lists_those_that_exist(capsys):
    with pytest.raises(SystemExit):
        main(["grad"])
    assert "release" in capsys.readouterr().err


def test_reference_runs_need_none_of_the_instructors_packages():
    missing = ["nbgrader", "nbformat", "nbconvert", "jupyterlab", "IPython", "psutil", "nh3"]
    program = (
        f"import sys\nfor name in {missing}: sys.modules[name] = None\n"
        "import autograder.runs.run, autograder.runs.page, autograder.cli\n"
        "from autograder.runs.table import experiments, sweeps\n"
        "assert experiments() and sweeps()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
