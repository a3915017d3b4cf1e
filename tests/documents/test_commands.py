"""Every command that README and the guides show can be given as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from separate_environment import make_environment
from shell_blocks import DOCUMENTS, PROJECT, blocks, commands, mentions, read

from autograder.cli import _parser
from autograder.course import Course
from autograder.releasing.release import make_release
from autograder.settings import Settings, read_settings

BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
RUN = sorted({block.document for block in BLOCKS if not block.reason})
KNOWN = [
    "README.md",
    "docs/first-class.md",
    "docs/instructor.md",
    "docs/ta.md",
    "docs/writing-assignments.md",
]
MINUTES = 25

needs_sandbox = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="there is no bubblewrap on this machine"
)

# The table that Canvas exports; a row for each student follows.
TABLE = """\
Student,ID,SIS User ID,SIS Login ID,Section,Sparse linear models (1001)
    Points Possible,,,,,100
"""


def test_every_block_that_the_tests_do_not_run_says_why():
    assert RUN == KNOWN, "A document has its first command: run it below."
    assert all(len(block.reason.split()) >= 3 for block in BLOCKS if block.reason)


def options_of(command: str) -> list[str]:
    """Return the arguments of a command `autograder ...`."""
    return shlex.split(command)[1:]


@pytest.mark.parametrize(
    ("document", "command"),
    [
        (block.document, command)
        for block in BLOCKS
        for command in commands(block)
        if command.startswith("autograder ")
    ],
)
def test_every_command_of_a_block_exists_with_its_options(document, command):
    _parser().parse_args(options_of(command))


@pytest.mark.parametrize(
    ("document", "command"),
    [(d, c) for d in DOCUMENTS for c in mentions(d) if c.startswith("autograder ")],
)
def test_every_command_in_the_prose_exists_with_its_options(document, command, capsys):
    verb, *options = options_of(command)
    with pytest.raises(SystemExit) as shown:
        _parser().parse_args([verb, "--help"] if verb != "reference" else [verb, "run", "--help"])
    assert shown.value.code == 0
    assert [o for o in options if o.startswith("--") and o not in capsys.readouterr().out] == []


@pytest.mark.parametrize(
    "target",
    sorted(
        {
            shlex.split(command)[1]
            for document in DOCUMENTS
            for command in [
                *mentions(document),
                *(c for b in blocks(document) for c in commands(b)),
            ]
            if command.startswith("make ")
        }
    ),
)
def test_every_target_of_make_exists(target):
    done = subprocess.run(["make", "-n", target], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_settings_that_a_document_shows_are_settings(document, tmp_path):
    for text in re.findall(r"^```toml\n(.*?)^```$", read(document), re.DOTALL | re.MULTILINE):
        (tmp_path / "course.toml").write_text(text)
        assert read_settings(tmp_path) != Settings()


# ------------------------------------------------------------------------------------------------
# The commands, given in order


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Return a copy of the project with an environment like that of `make setup`."""
    folder = tmp_path / "course-kit"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    files = subprocess.run(listed, cwd=PROJECT, capture_output=True, check=True).stdout
    for name in filter(None, files.decode().split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, folder / name)
    program = make_environment(folder / ".venv").with_name("autograder")
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m autograder.cli "$@"\n')
    program.chmod(0o755)
    # What `make setup` leaves behind; the whole installation is what CI begins with.
    (folder / ".venv" / ".ready").touch()
    return folder


def hand_in(folder: Path) -> None:
    """Put the download of a learning management system into a folder."""
    release = make_release("sparse_linear", Course(folder.parent / "released"))
    notebook = nbformat.read(release.notebook, as_version=4)
    answer = next(cell for cell in notebook.cells if "raise NotImplementedError()" in cell.source)
    answer.source = answer.source.replace("raise NotImplementedError()", "return 0")
    with zipfile.ZipFile(folder / "submissions.zip", "w") as download:
        for student in ("ada", "grace"):
            download.writestr(f"{student}/sparse_linear.ipynb", nbformat.writes(notebook))


def export_table(folder: Path, course: Path) -> None:
    """Put the table of a learning management system into a folder, with all who handed in."""
    students = [place.parent.name for place in course.glob("submitted/[!.]*/sparse_linear")]
    rows = [f"{name},{number},{name},{name},A,\n" for number, name in enumerate(students, start=1)]
    (folder / "exported.csv").write_text("".join([TABLE, *rows]))


def give(document: str, checkout: Path, *, activated: bool = False) -> None:
    """Give the commands of a document in one shell, in the folder of the repository.

    The terminal of a reader who comes from the first page finds `autograder` already; with
    `activated`, this shell does, too.
    """
    programs = [str(checkout / ".venv" / "bin")] if activated else []
    path = os.pathsep.join([*programs, os.environ["PATH"]])
    given = [block.text for block in blocks(document) if not block.reason]
    done = subprocess.run(
        ["sh", "-c", "\n".join(["set -eux", *given])],
        cwd=checkout,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{document}:\n{done.stdout[-3000:]}"


@needs_sandbox
@pytest.mark.long
@pytest.mark.timeout(60 * MINUTES)
def test_the_commands_lead_from_a_clone_to_a_graded_class(checkout):
    course = checkout / "my-course"
    hand_in(checkout)
    give("README.md", checkout)
    export_table(checkout, course)
    give("docs/first-class.md", checkout)
    give("docs/instructor.md", checkout, activated=True)
    assert {"ada", "grace"} <= students(course)
    assert "solution" in students(checkout / "practice")
    assert "solution" not in students(course)
    assert (course / "feedback" / "ada" / "sparse_linear" / "sparse_linear.html").is_file()


def students(course):
    """Return the students in the table of the points of a course."""
    graded = (course / "report" / "sparse_linear.csv").read_text()
    return {line.split(",")[0] for line in graded.splitlines()[1:]}


@needs_sandbox
@pytest.mark.long
@pytest.mark.timeout(60 * MINUTES)
@pytest.mark.parametrize("document", ["docs/ta.md", "docs/writing-assignments.md"])
def test_the_commands_of_a_guide_can_be_given_in_order(document, checkout):
    give(document, checkout, activated=True)
