"""nbgrader's own commands handle faulty and hostile submissions."""

import errno
import json
import os
import shutil

import nbformat
import pytest
from graded_course import _empty_gradebook
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from small_course import ASSIGNMENT, small_course

from autograder.configuration import course_config
from autograder.grading.intake.submission_folder import SubmissionFolder
from autograder.grading.record import Record

HOSTILE = ["<img src=x onerror=alert(1)>", "[x]", "x?", "*", "a\nb", "\x1b[2J", "b\udcff"]


@pytest.fixture
def course(tmp_path):
    """Return a course in which the students x and xy have handed in; cells are not run."""
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "gradebook.db").write_bytes(_empty_gradebook())
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        gradebook.add_assignment(ASSIGNMENT)
        gradebook.add_notebook(ASSIGNMENT, ASSIGNMENT)
    for student in ["x", "xy"]:
        hand_in(folder, student)
    return folder


def hand_in(course, student, source="1 + 1"):
    notebook = course / "submitted" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook.parent.mkdir(parents=True)
    cell = {"cell_type": "code", "id": "a", "source": source, "metadata": {}, "outputs": []}
    cells = [cell | {"execution_count": None}]
    nb = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    notebook.write_text(json.dumps(nb))
    return notebook


def autograde(course, student="*", force=True):
    config = course_config(small_course(course.parent))
    config.Autograde.autograde_preprocessors = []
    coursedir = CourseDirectory(config=config)
    coursedir.assignment_id = ASSIGNMENT
    coursedir.student_id = student
    converter = Autograde(coursedir=coursedir, config=config)
    converter.force = force
    converter.start()


def graded(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return [student.id for student in gradebook.students]


def flags(course, student):
    path = course / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    return Record.read(nbformat.read(path, as_version=4)).flags


def test_submissions_in_order_are_graded(course):
    autograde(course)
    assert graded(course) == ["x", "xy"]
    assert flags(course, "x") == []


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_name_that_nbgrader_cannot_handle_is_refused_before_anything_is_graded(course, name):
    hand_in(course, name)
    with pytest.raises(NbGraderException, match="Run `autograder grade small`, which renames it"):
        autograde(course)
    assert graded(course) == []


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_grading_a_student_with_such_a_name_grades_nobody_else(course, name):
    hand_in(course, name)
    with pytest.raises(NbGraderException):
        autograde(course, name)
    assert graded(course) == []
    assert not (course / "autograded").exists()


def test_other_students_can_be_graded_beside_such_a_name(course):
    hand_in(course, "[x]")
    autograde(course, "xy")
    assert graded(course) == ["xy"]


@pytest.mark.parametrize("place", [f"eve/{ASSIGNMENT}", "eve"])
def test_the_target_of_a_link_is_not_copied(course, place):
    secret = course / "elsewhere" / ASSIGNMENT
    shutil.copytree(course / "submitted" / "x" / ASSIGNMENT, secret)
    (secret / "secret.txt").write_text("secret")
    link = course / "submitted" / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(secret if place.endswith(ASSIGNMENT) else secret.parent)
    autograde(course)
    assert graded(course) == ["eve", "x", "xy"]
    assert not list((course / "autograded").rglob("secret.txt"))
    assert flags(course, "eve") == [
        f"{place} was taken away: it is a link",
        f"there is no {ASSIGNMENT}.ipynb (0 notebooks)",
        "the submitted file is not a notebook: not JSON",
    ]
    assert (secret / "secret.txt").exists()


@pytest.mark.timeout(60)  # opening a FIFO waits for its other end
@pytest.mark.parametrize("name", [f"{ASSIGNMENT}.ipynb", "timestamp.txt", "data"])
@pytest.mark.parametrize("force", [True, False])
def test_a_fifo_is_not_opened(course, name, force):
    autograde(course)  # nbgrader reads timestamp.txt of submissions that it graded before
    (course / "submitted" / "x" / ASSIGNMENT / name).unlink(missing_ok=True)
    os.mkfifo(course / "submitted" / "x" / ASSIGNMENT / name)
    autograde(course, force=force)
    if force:
        assert f"{name} was taken away: it is a named pipe" in flags(course, "x")


def test_an_invalid_timestamp_does_not_stop_grading(course):
    (course / "submitted" / "x" / ASSIGNMENT / "timestamp.txt").write_text("yesterday")
    autograde(course)
    assert flags(course, "x") == ["timestamp.txt was taken away: nbgrader cannot read it"]


def test_images_are_the_only_other_files_that_reach_the_formgrader(course):
    """It would run a page that was handed in, with the rights of the person who opens it."""
    hand_in(course, "eve")
    submission = course / "submitted" / "eve" / ASSIGNMENT
    for name in ["page.html", "drawing.svg", "photo.JPG", "photos/1.png", "photos/2.xhtml", "data"]:
        (submission / name).parent.mkdir(exist_ok=True)
        (submission / name).touch()
    autograde(course)
    copied = course / "autograded" / "eve" / ASSIGNMENT
    assert sorted(str(p.relative_to(copied)) for p in copied.rglob("*") if p.is_file()) == [
        "photo.JPG",
        "photos/1.png",
        f"{ASSIGNMENT}.ipynb",
    ]


def test_invalid_unicode_is_replaced_without_a_flag(course):
    hand_in(course, "eve", "print('\ud800')")
    autograde(course)
    path = course / "autograded" / "eve" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    assert nbformat.read(path, as_version=4).cells[0].source == "print('\ufffd')"
    assert flags(course, "eve") == []


def test_notes_of_the_intake_become_flags_every_time(course):
    folder = SubmissionFolder(course / "submitted", "x", ASSIGNMENT)
    folder.prepare(["the hand-in was called [x]"])
    for _ in range(2):
        autograde(course)
        assert flags(course, "x") == ["the hand-in was called [x]"]


def test_a_notebook_of_another_name_is_graded(course):
    notebook = hand_in(course, "eve", "its own")
    notebook.rename(notebook.with_name("solution.ipynb"))
    autograde(course)
    assert flags(course, "eve") == ["the notebook was called solution.ipynb"]


def test_a_folder_that_cannot_be_changed_affects_only_its_student(course, monkeypatch):
    prepare = SubmissionFolder.prepare

    def refuse(folder):
        if folder.student == "x":
            raise PermissionError(errno.EACCES, "Permission denied")
        return prepare(folder)

    monkeypatch.setattr(SubmissionFolder, "prepare", refuse)
    autograde(course)
    assert graded(course) == ["xy"]


def test_a_notebook_that_the_grader_wrote_must_be_readable(course, monkeypatch):
    """If it were taken for an unreadable submission, the student would lose all points."""
    from autograder.grading import nbgrader_steps
    from autograder.grading.intake.submitted_notebook import UnreadableNotebook, read_notebook

    def read(path):
        if "autograded" in path.parts:
            raise UnreadableNotebook("it took more than 1 GiB of memory")
        return read_notebook(path)

    monkeypatch.setattr(nbgrader_steps, "read_notebook", read)
    with pytest.raises(NbGraderException):
        autograde(course)
