"""A released notebook works alone, in an empty folder, as when Colab opens it from a link.

The release is served by this machine. The environments have torch and nothing of the course. One
has the packages with which the tests run. There may be others, such as of the versions of Python
that Colab has: the variable `COLAB_PYTHONS` names their programs, with colons between them.
"""

import json
import os
import re
import subprocess
import sys
import time

import nbformat
import pytest
from file_server import serving
from separate_environment import make_environment
from small_wheel import write_wheel
from source_notebook import cells

from autograder.course import Course
from autograder.notebook.source import solved_text
from autograder.releasing.release import make_release

ASSIGNMENT = "pruning"
PYTHONS = [sys.executable, *filter(None, os.environ.get("COLAB_PYTHONS", "").split(":"))]

# Runs cells in one kernel, and says what the last one has found and what the first one has printed.
KERNEL = """
import io, json, sys
from contextlib import redirect_stdout
from IPython.core.interactiveshell import InteractiveShell

shell, said = InteractiveShell.instance(colors="nocolor"), []
for source in json.loads(sys.stdin.read()):
    with redirect_stdout(io.StringIO()) as printed:
        ran = shell.run_cell(source, store_history=True)
    said.append(printed.getvalue())
    if not ran.success:
        break
error = ran.error_in_exec
sys.stdout.write("RESULT" + json.dumps({
    "passes": ran.success and bool(ran.result),
    "error": "" if error is None else f"{type(error).__name__}: {error}",
    "problem": getattr(ran.result, "problem", ""),
    "said": said[0],
}))
"""

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serve the release of a course whose address is that of the server; yield the folder."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "release").mkdir()
    with serving(folder / "release") as (_, address):
        (folder / "course.toml").write_text(f'releases = "{address}"\n')
        make_release(ASSIGNMENT, Course(folder))
        yield folder / "release"


@pytest.fixture(scope="module", params=PYTHONS)
def python(request, tmp_path_factory):
    """Return the Python of an environment that lacks what Colab lacks."""
    folder = tmp_path_factory.mktemp("environment")
    return make_environment(folder, request.param, without=["latex2mathml"])


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Return a folder from which pip installs what Colab lacks."""
    folder = tmp_path_factory.mktemp("index")
    write_wheel(folder, "latex2mathml", "99.0", {"latex2mathml/__init__.py": ""})
    return folder


def first_question(release, answer):
    """Return the released cells up to the first public check, with the answer to its question."""
    notebook = nbformat.read(release / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    (check, *_) = [n for n, cell in enumerate(code) if cell.id.endswith("_check")]
    assert "YOUR CODE HERE" in code[check - 1].source
    return [*(cell.source for cell in code[: check - 1]), answer, code[check].source]


def solution():
    """Return the answer to the first question."""
    (check, *_) = [n for n, cell in enumerate(cells(ASSIGNMENT)) if cell.id.endswith("_check")]
    return solved_text(cells(ASSIGNMENT)[check - 1])


def run(python, folder, sources, **environment):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("COURSE_", "PYTHON"))}
    done = subprocess.run(
        [python, "-c", KERNEL],
        input=json.dumps(sources),
        env=inherited
        | {"PIP_NO_INDEX": "1", "HOME": str(folder), "MPLBACKEND": "agg", **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.rpartition("RESULT")[2])


def test_a_right_answer_passes_its_check_within_two_minutes(python, server, index, tmp_path):
    packages = next(python.parents[1].glob("lib/python*/site-packages"))
    before = {path.name for path in packages.iterdir()}
    began = time.perf_counter()
    sources = first_question(server, solution())
    found = run(python, tmp_path, sources, PIP_FIND_LINKS=str(index))
    seconds = time.perf_counter() - began
    print(f"{python.resolve().name}: {seconds:.1f} s from an empty folder to a passed check")
    assert (found["passes"], found["error"]) == (True, "")
    assert re.fullmatch(r"helpers 0\.1\.0\+c\w{12}, profile quick, [^\n]+\n", found["said"])
    assert seconds < 120
    # Nothing was added to torch; of all else, only what was missing was installed.
    added = {path.name.partition("-")[0] for path in packages.iterdir()} - before
    assert added - {"__pycache__"} == {"efficient_dl_course", "helpers", "latex2mathml"}


def test_a_wrong_answer_does_not_pass(python, server, index, tmp_path):
    wrong = re.sub(r"return .*", "return None", solution())
    sources = first_question(server, wrong)
    found = run(python, tmp_path, sources, PIP_FIND_LINKS=str(index))
    assert (found["passes"], found["error"]) == (False, "")
    assert found["problem"]


def test_a_wheel_that_was_tampered_with_is_not_used(server, tmp_path):
    python = make_environment(tmp_path / "environment")
    (wheel,) = (server / ASSIGNMENT).glob("*.whl")
    content = wheel.read_bytes()
    wheel.write_bytes(content + b"\n")
    try:
        found = run(python, tmp_path, first_question(server, solution()))
    finally:
        wheel.write_bytes(content)
    assert found["error"].startswith(
        "ImportError: The package of this notebook is missing. Put one"
    )
    assert "Expected sha256" in found["error"]
