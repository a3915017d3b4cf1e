"""In a notebook, a check of a name that does not exist yet says so in a sentence."""

import json
import subprocess
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from separate_environment import make_environment

PROJECT = Path(__file__).parents[2]
SECONDS = 120
ON_COLAB = ["ipython==7.34.0", "ipykernel==6.17.1"]  # since 2022
IMPORTS = (
    "from helpers.assignments.quantization import checks\nfrom helpers.scorecard import check_all"
)

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


@pytest.fixture(scope="module")
def colabs(tmp_path_factory):
    """Return the Python of an environment with the IPython that Colab has."""
    folder = tmp_path_factory.mktemp("environment")
    python = make_environment(folder / "colab", without=["IPython", "ipython", "ipykernel"])
    pip = [python, "-m", "pip", "install", "--quiet", *ON_COLAB]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"pip cannot fetch Colab's IPython: {done.stderr[-300:]}")
    return python


@pytest.fixture(params=["this IPython", "Colab's IPython"])
def kernel(request, tmp_path, monkeypatch):
    """Return the name of a kernel."""
    if request.param == "this IPython":
        return "python3"
    (tmp_path / "kernels" / "colab").mkdir(parents=True)
    python = request.getfixturevalue("colabs")
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Colab", "language": "python"}
    (tmp_path / "kernels" / "colab" / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    return "colab"


@pytest.fixture
def run(kernel, tmp_path, monkeypatch):
    """Return a function that runs a cell in a kernel: its status, and what it shows."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    manager, client = start_new_kernel(kernel_name=kernel, cwd=str(tmp_path))

    def outputs(code):
        shown = []
        # Otherwise the kernel may not run a cell that comes right after one with an error.
        status = client.execute_interactive(
            code, timeout=SECONDS, output_hook=shown.append, stop_on_error=False
        )
        kept = [m for m in shown if m["msg_type"] not in ("status", "execute_input")]
        return status["content"]["status"], kept

    outputs(IMPORTS)
    yield outputs
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_the_cell_of_a_check_shows_a_box_instead_of_an_error(run):
    status, (message,) = run("checks.quantize(quantize)")
    assert message["msg_type"] == "display_data"
    assert (
        "`quantize` does not exist yet: run the cells of this question."
        in (message["content"]["data"]["text/plain"])
    )
    assert status == "error"  # so that "run all" stops here, as before


def test_the_check_works_as_soon_as_the_name_exists(run):
    run("checks.dequantize(dequantize)")
    run("def dequantize(codes, scale, minimum):\n    return codes")
    status, (message,) = run("checks.dequantize(dequantize)")
    assert status == "ok"
    text = message["content"]["data"]["text/plain"]
    assert "not right yet" in text
    assert text.endswith('`checks.hint("dequantize")` gives a hint.')


def test_other_errors_look_as_they_always_do(run):
    for code in ("missing", "x = checks.quantize(missing)", "def f(): return gone\nf()", "1 / 0"):
        status, (message,) = run(code)
        assert status == "error"
        assert message["msg_type"] == "error"
        assert message["content"]["traceback"]


def test_a_name_that_is_missing_in_a_function_is_told_by_the_check(run):
    run("def quantize(w, bits=8): return nowhere")
    _, (message,) = run("checks.quantize(quantize)")
    assert "name 'nowhere' is not defined" in message["content"]["data"]["text/plain"]


def test_warnings_of_a_students_function_are_not_shown_in_red(run):
    run("import numpy as np\ndef memory_ratio(w): return float((w / (w - w)).sum())")
    _, messages = run("checks.memory_ratio(memory_ratio)")
    assert [message["msg_type"] for message in messages] == ["execute_result"]
    assert "there was a warning: RuntimeWarning" in messages[0]["content"]["data"]["text/plain"]
