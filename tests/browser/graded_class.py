"""A small class, from `autograder init` to the report, as an instructor makes it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from autograder.cli import main
from autograder.course import Course
from autograder.samples import sample_class

ASSIGNMENT = "sparse_linear"

# Who hands in which sample, under the name that Canvas gives to the file.
HAND_INS = {
    "lovelaceada_101_5001_sparse_linear.ipynb": "solution",
    "boolegeorge_LATE_102_5002_sparse_linear-1.ipynb": "mistakes-1",
    "noetheremmy_103_5003_sparse_linear.ipynb": "not-json",
}
ROSTER = """\
id,first_name,last_name,email
lovelaceada,Ada,Lovelace,
boolegeorge,George,Boole,
noetheremmy,Emmy,Noether,
turingalan,Alan,Turing,
"""
RIGHT, WRONG, UNREADABLE = "lovelaceada", "boolegeorge", "noetheremmy"


def grade_a_class(folder: Path) -> None:
    """Go from an empty folder to feedback and report, by the commands of an instructor."""
    at = ["--course", str(folder)]
    assert main(["init", *at]) == 0
    (folder / "roster.csv").write_text(ROSTER)
    (folder / "course.toml").write_text('roster = "roster.csv"\n')
    assert main(["release", ASSIGNMENT, *at]) == 0
    course = Course(folder)
    made = folder / "samples"
    sample_class(ASSIGNMENT, course.released_notebook(ASSIGNMENT), made, mistakes=1)
    download = folder / "submissions.zip"
    with zipfile.ZipFile(download, "w") as archive:
        for name, sample in HAND_INS.items():
            archive.write(made / sample / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", name)
    assert main(["grade", ASSIGNMENT, "--from", str(download), "--jobs", "2", *at]) == 0
    assert main(["report", ASSIGNMENT, *at]) == 0
