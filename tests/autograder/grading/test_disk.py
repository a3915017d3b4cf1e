"""A disk or a gradebook that refuses gives one clear error, loses nothing, and the run goes on."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import nbformat
import pytest
from small_course import ASSIGNMENT, cell_of, small_course, small_notebook, write_source

from autograder import course as course_module
from autograder.grading.grade import grade
from autograder.grading.intake.collecting import NoHandIns
from autograder.grading.trouble import DiskTrouble
from autograder.grading.unfinished import unfinished
from autograder.releasing.release import make_release
from autograder.reporting.report import class_report, grades_csv
from autograder.sandbox.bubblewrap import SandboxUnavailable, require

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(900)]

STUDENTS = ["ada", "ben"]
GRADES = {"ada": 5.0, "ben": 4.0}
HIDDEN_TEST = """\
### BEGIN HIDDEN TESTS
import numpy as np
from autograder.hidden import same, score, student

score(same(student.halve, lambda w: w / 2, on=[(np.ones(3, np.float32),)]), of=4)
### END HIDDEN TESTS
"""

GOES_ON = "the same command goes on from here."


@pytest.fixture(scope="module", autouse=True)
def sandbox():
    try:
        require()
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project in which right solutions are graded, and a person has given a point."""
    project = tmp_path_factory.mktemp("project")
    notebook = small_notebook()
    notebook.cells = [cell for cell in notebook.cells if cell.id != "task"]
    cell_of(notebook, "test").source = HIDDEN_TEST
    write_source(project, notebook)
    course = small_course(project)
    make_release(ASSIGNMENT, course)
    for student in STUDENTS:
        place = course.submission(student, ASSIGNMENT)
        place.mkdir(parents=True)
        nbformat.write(notebook, place / f"{ASSIGNMENT}.ipynb")
    goes_on(course)
    with course.gradebook() as gradebook:
        found = gradebook.find_grade("reason", ASSIGNMENT, ASSIGNMENT, "ada")
        found.manual_score, found.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    begins(course)  # and makes a copy
    return project


@pytest.fixture
def course(project, tmp_path):
    """Return a copy of the course."""
    shutil.copytree(project, tmp_path / "project", symlinks=True)
    return small_course(tmp_path / "project")


def scores(course):
    with course.gradebook() as gradebook:
        submissions = gradebook.assignment_submissions(ASSIGNMENT)
        return {submission.student.id: submission.score for submission in submissions}


def goes_on(course):
    """Grade; make sure that everybody gets a grade."""
    outcomes = grade(ASSIGNMENT, course, jobs=1)
    assert [outcome.problem for outcome in outcomes] == [None] * len(STUDENTS)
    assert unfinished(ASSIGNMENT, course) == {}


def begins(course):
    """Make sure that a run begins; it ends at once, because there is no such student."""
    with pytest.raises(NoHandIns, match="no submission of nobody"):
        grade(ASSIGNMENT, course, students=["nobody"])


def refused(work, *arguments, **options):
    """Return the one error with which a piece of work ends."""
    with pytest.raises(DiskTrouble) as trouble:
        work(*arguments, **options)
    assert "\n" not in str(trouble.value)
    return str(trouble.value)


# ------------------------------------------------------------------------------------------------
# The disk


@pytest.fixture
def small_disk(project, tmp_path):
    """Return the course on a disk of its own, and a function that mounts it with other options."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "course", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this account may not mount a file system")
    try:
        shutil.copytree(project, place / "project", symlinks=True)

        def again(options):
            command = ["mount", "-o", f"remount,{options}", str(place)]
            subprocess.run(command, check=True)

        yield small_course(place / "project"), again
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(course, but):
    """Fill the disk of the course, but for so many bytes; return the file that does."""
    free = os.statvfs(course.folder).f_bavail * os.statvfs(course.folder).f_frsize
    full = course.folder / "full"
    full.write_bytes(bytes(max(0, free - but)))
    return full


def test_a_full_disk_is_refused_at_once(small_disk):
    course, _ = small_disk
    full = fill(course, but=0)
    text = refused(grade, ASSIGNMENT, course, jobs=1)
    assert text == f"The disk is full: make room on it. Nothing is lost; {GOES_ON}"
    full.unlink()
    assert scores(course) == GRADES
    begins(course)


def test_a_disk_that_becomes_full_stops_the_run_with_one_error_and_the_next_run_goes_on(small_disk):
    course, _ = small_disk
    # There is room for a copy of the gradebook, but not for the page, which is written last.
    for folder in (".backups", "feedback"):
        shutil.rmtree(course.folder / folder)
    full = fill(course, but=course.database.stat().st_size + 12 * 1024)
    text = refused(grade, ASSIGNMENT, course, jobs=1)
    assert text.startswith("The disk is full: make room on it. Nothing is lost; ")
    assert scores(course) == GRADES
    full.unlink()
    goes_on(course)
    assert scores(course) == GRADES


def test_a_folder_that_is_read_only_is_refused_at_once(small_disk):
    course, again = small_disk
    again("ro")
    for command in (grade, class_report, grades_csv, make_release_of):
        text = refused(command, ASSIGNMENT, course)
        assert "cannot be written: make" in text
        assert text.endswith(GOES_ON)
    again("rw")
    assert scores(course) == GRADES
    begins(course)


def make_release_of(assignment, course):
    make_release(assignment, course)


# ------------------------------------------------------------------------------------------------
# The gradebook

LOCK = """
import sqlite3, sys
gradebook = sqlite3.connect(sys.argv[1])
gradebook.execute(sys.argv[2])
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("lock", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"])
def test_a_gradebook_that_is_in_use_stops_the_run_with_one_error(course, lock, monkeypatch, capfd):
    monkeypatch.setattr(course_module, "LOCK_SECONDS", 2)
    with course.gradebook() as gradebook:  # where no grade changes, nothing is written
        gradebook.remove_submission(ASSIGNMENT, "ben")
    program = [sys.executable, "-c", LOCK, str(course.database), lock]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"locked\n"
        text = refused(grade, ASSIGNMENT, course, jobs=1)
        other.stdin.close()
    assert text.startswith("The gradebook is in use by another program")
    assert "Traceback" not in capfd.readouterr().err
    assert scores(course) == {"ada": GRADES["ada"]}
    begins(course)


def damage(database, how):
    size = database.stat().st_size
    with database.open("r+b") as file:
        match how:
            case "cut off":
                file.truncate(size // 2)
            case "empty":
                file.truncate(0)
            case "overwritten":
                file.write(os.urandom(4096))
            case "damaged inside":
                file.seek(size // 2)
                file.write(os.urandom(size // 4))


@pytest.mark.parametrize("how", ["cut off", "empty", "overwritten", "damaged inside"])
def test_a_damaged_gradebook_is_left_alone_and_the_copy_can_take_its_place(course, how):
    damage(course.database, how)
    before = course.database.read_bytes()
    text = refused(grade, ASSIGNMENT, course, jobs=1)
    assert text.startswith("The gradebook is damaged: keep gradebook.db under another name")
    assert course.database.read_bytes() == before
    shutil.copy(course.folder / ".backups" / "gradebook.db", course.database)
    assert scores(course) == GRADES
    begins(course)


def test_a_gradebook_of_another_version_says_how_to_bring_it_up_to_date(course):
    with closing(sqlite3.connect(course.database)) as gradebook:
        gradebook.execute("ALTER TABLE base_cell RENAME COLUMN name TO title")
        gradebook.commit()
    before = course.database.read_bytes()
    text = refused(grade, ASSIGNMENT, course, jobs=1)
    assert "another version of nbgrader: run `nbgrader db upgrade`" in text
    assert course.database.read_bytes() == before
