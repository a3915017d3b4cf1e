"""The command reports a user's error in one sentence and imports only what it needs."""

import subprocess
import sys

import pytest

from autograder.cli import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["release", "no_such_assignment"], "There is no source notebook of 'no_such_assignment'"),
        (["grade", "quantization"], "run `autograder release quantization` first"),
        (["report", "quantization"], "autograder release"),
        (["samples", "quantization"], "run `autograder release quantization` first"),
        (["reference", "run", "--only", "quantization", "--seeds", "0"], "at least one seed"),
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
