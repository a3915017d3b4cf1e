"""nbgrader's own command and the formgrader's button give the scores of `autograder grade`."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

# The first test of all waits for the class to be graded.
pytestmark = [pytest.mark.slow, pytest.mark.thorough, pytest.mark.timeout(1800)]

ASSIGNMENT = "quantization"
STUDENTS = ["mistakes-1", "forges-scores"]
TOKEN = "for-this-test-only"


@pytest.fixture(scope="module")
def copied(course, tmp_path_factory):
    """Return the folder of a class that is released and handed in, without any grade."""
    folder = tmp_path_factory.mktemp("copied")
    shutil.copyfile(course / "nbgrader_config.py", folder / "nbgrader_config.py")
    for student in STUDENTS:
        shutil.copytree(course / "submitted" / student, folder / "submitted" / student)
    shutil.copyfile(course / "gradebook.db", folder / "gradebook.db")
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        for submission in gradebook.assignment_submissions(ASSIGNMENT):
            gradebook.remove_submission(ASSIGNMENT, submission.student.id)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    scripts = Path(sys.executable).parent
    return {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_DATA_DIR": str(home / "data"),
    }


def scores(course, student):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        notebook = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, student)
        return {
            grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in notebook.grades
        }


@pytest.mark.parametrize("student", STUDENTS)
def test_nbgrader_autograde_gives_the_same_scores(course, copied, environment, student):
    command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT, "--student", student]
    done = subprocess.run(
        [*command, "--force"], cwd=copied, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert scores(copied, student) == scores(course, student)


@pytest.fixture(scope="module")
def formgrader(copied, environment):
    """Start a Jupyter server in the course folder; yield the address of the formgrader."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = copied / "server.log"
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"]
    options = [f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}"]
    with log.open("w") as out:
        server = subprocess.Popen(
            [*command, *options], cwd=copied, env=environment, stdout=out, stderr=out
        )
    address = f"http://127.0.0.1:{port}/formgrader"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                ask(f"{address}/api/assignments", "GET")
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait()


def ask(url, method):
    request = urllib.request.Request(
        url,
        method=method,
        headers={"Authorization": f"token {TOKEN}"},
        data=b"" if method == "POST" else None,
    )
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def test_the_formgraders_button_gives_the_same_scores(course, copied, formgrader):
    student = STUDENTS[0]
    with Gradebook(f"sqlite:///{copied}/gradebook.db") as gradebook:
        found = [s.student.id for s in gradebook.assignment_submissions(ASSIGNMENT)]
        if student in found:
            gradebook.remove_submission(ASSIGNMENT, student)
    shutil.rmtree(copied / "autograded" / student, ignore_errors=True)
    answer = ask(f"{formgrader}/api/submission/{ASSIGNMENT}/{student}/autograde", "POST")
    assert answer["success"], answer["log"]
    assert scores(copied, student) == scores(course, student)
