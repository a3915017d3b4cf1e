"""An autograder on Gradescope gives the points that `autograder grade` gives, or says why not."""

import os
import shutil
import sqlite3
import subprocess
import zipfile
from contextlib import closing

import nbformat
import pytest
from on_gradescope import OnGradescope, faults
from small_class import (
    AUTOMATIC,
    HIDDEN_TEST,
    STUDENT,
    course,
    graded,
    notebook,
    released,
    sandbox,
    submission,
)
from small_course import ASSIGNMENT, SOLUTION_LINE, cell_of

from autograder.course import Course, NotReleased
from autograder.gradescope.archive import write_autograder
from autograder.gradescope.run import NO_NOTEBOOK, OUR_FAULT
from autograder.new_course import new_course

__all__ = ["course", "graded", "released", "sandbox"]  # fixtures

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


@pytest.fixture
def autograder(graded, tmp_path):
    """Return the course's autograder on Gradescope."""
    (graded.folder / "nbgrader_config.py").unlink()  # it names a folder of this machine
    archive = tmp_path / "autograder.zip"
    made = write_autograder(ASSIGNMENT, graded, archive, "visible")
    assert (made.points, made.by_hand) == (4, 1)
    return OnGradescope.built(archive, tmp_path / "autograder")


def hand_in(autograder, tmp_path, solution):
    """Hand in the right solution with another code in the place of ``halve``."""
    changed = notebook()
    cell_of(changed, "answer").source = solution
    (tmp_path / "hand-in").mkdir()
    nbformat.write(changed, tmp_path / "hand-in" / "halves.ipynb")
    autograder.hand_in(tmp_path / "hand-in")


def test_it_gives_the_points_of_grade_and_lists_what_a_person_grades(autograder, graded, tmp_path):
    autograder.hand_in(graded.submission(STUDENT, ASSIGNMENT))
    status, results, _ = autograder.run()
    assert status == 0
    assert not faults(results)
    points, _, waiting = submission(graded)
    assert results["score"] == points == AUTOMATIC
    assert waiting == {"reason"}
    halve, reason = results["tests"]
    assert (halve["score"], halve["max_score"]) == (AUTOMATIC, 4)
    assert reason["output"] == "A person grades this, out of 1 point."
    assert not {"score", "max_score"} & set(reason)
    assert results["output"] == "4 of 4 points. One answer waits for a person and can earn 1 more."
    assert results["stdout_visibility"] == "hidden"
    assert {results["visibility"], halve["visibility"]} == {"visible"}


def test_a_wrong_answer_is_explained_without_giving_the_test_or_the_solution_away(
    autograder, tmp_path
):
    hand_in(autograder, tmp_path, "def halve(w):\n    return w")
    status, results, _ = autograder.run()
    assert status == 0
    assert not faults(results)
    assert results["score"] == 0
    assert results["tests"][0]["output"]
    for secret in [*HIDDEN_TEST.split("\n")[2:-2], SOLUTION_LINE]:
        assert not secret or secret not in str(results)


def test_a_hand_in_can_neither_write_results_nor_read_the_course(autograder, tmp_path):
    base = autograder.base
    places = [base / "results" / "results.json", base / "source" / "gradescope.json"]
    secrets = [base / "source" / "course" / "gradebook.db", base / "source" / "kit" / "notebooks"]
    attack = f"""\
def halve(w):
    import os
    for place in {[str(place) for place in places]}:
        try:
            with open(place, "w") as file:
                file.write('{{"score": 1000}}')
        except OSError:
            continue
        return w * 0
    if any(os.path.exists(place) for place in {[str(place) for place in secrets]}):
        return w * 0
    return w / 2
"""
    hand_in(autograder, tmp_path, attack)
    status, results, _ = autograder.run()
    assert status == 0
    assert not faults(results)
    assert results["score"] == AUTOMATIC  # it would be 0 if anything had been within reach


def test_links_and_pipes_in_a_hand_in_are_left_out(autograder, graded, tmp_path):
    place = autograder.base / "submission"
    shutil.copy(graded.submission(STUDENT, ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", place)
    os.mkfifo(place / "pipe")
    (place / "link.json").symlink_to(autograder.base / "source" / "gradescope.json")
    status, results, printed = autograder.run()
    assert (status, results["score"]) == (0, AUTOMATIC)
    assert "it is a named pipe" in printed
    assert "it is a link" in printed


def test_a_hand_in_without_a_notebook_gets_a_sentence_and_no_points(autograder):
    (autograder.base / "submission" / "essay.pdf").write_bytes(b"%PDF")
    status, results, printed = autograder.run()
    assert (status, results) == (1, {"output": NO_NOTEBOOK})
    assert "essay.pdf" in printed


def test_a_fault_of_ours_costs_no_points_and_only_instructors_see_it(autograder, graded):
    autograder.hand_in(graded.submission(STUDENT, ASSIGNMENT))
    (autograder.base / "source" / "course" / "gradebook.db").write_bytes(b"no database")
    status, results, printed = autograder.run()
    assert (status, results) == (1, {"output": OUR_FAULT})
    assert "gradebook" in printed


def test_the_zip_names_no_student_and_can_be_run(autograder, tmp_path):
    with zipfile.ZipFile(tmp_path / "autograder.zip") as packed:
        modes = {info.filename: info.external_attr >> 16 for info in packed.infolist()}
        course = {name: packed.read(name) for name in modes if name.startswith("course/")}
    assert modes["run_autograder"] == modes["setup.sh"] == 0o755
    assert not any(STUDENT.encode() in content for content in course.values())
    with closing(sqlite3.connect(autograder.base / "source" / "course" / "gradebook.db")) as book:
        assert book.execute("SELECT count(*) FROM student").fetchone() == (0,)
    for name in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", autograder.base / "source" / name], check=True)


def stub(folder, name, script):
    """Write a program that notes how it is called, in place of one that Gradescope has."""
    program = folder / name
    program.write_text(f'#!/bin/bash\necho "{name} $*" >> "{folder}/calls"\n{script}\n')
    program.chmod(0o755)


def set_up(autograder, programs):
    done = subprocess.run(
        ["/bin/bash", autograder.base / "source" / "setup.sh"],
        env={"PATH": str(programs), "AUTOGRADER_BASE": str(autograder.base)},
        capture_output=True,
        text=True,
    )
    return done, (programs / "calls").read_text()


def test_setup_installs_the_sandbox_and_the_pinned_packages(autograder, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    venv = autograder.base / "venv"
    stub(programs, "apt-get", "")
    stub(programs, "python3", "exit 1")
    stub(programs, "python3.12", "")
    stub(venv / "bin", "pip", "")
    done, calls = set_up(autograder, programs)
    assert done.returncode == 0, done.stderr
    assert "apt-get install -y -qq --no-install-recommends bubblewrap" in calls
    assert f"python3.12 -m venv {venv}" in calls
    kit = autograder.base / "source" / "kit"
    [torch, project] = (venv / "bin" / "calls").read_text().splitlines()
    assert torch.endswith("whl/cpu torch torchvision")
    assert project.endswith(f"-c {kit}/constraints.txt -e {kit}[instructor]")
    assert (kit / "constraints.txt").is_file()


def test_setup_says_what_to_choose_if_python_is_too_old(autograder, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    stub(programs, "apt-get", "")
    stub(programs, "python3", "exit 1")
    done, _ = set_up(autograder, programs)
    assert done.returncode == 1
    assert "Choose a newer base image" in done.stdout


def test_what_has_not_been_released_has_no_autograder(tmp_path):
    course = Course(tmp_path / "course")
    new_course(course)
    with pytest.raises(NotReleased):
        write_autograder("pruning", course, tmp_path / "autograder.zip", "visible")
