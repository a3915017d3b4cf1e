"""Each student's feedback page gets the name by which a learning management system assigns it."""

import io
import re
import zipfile

import pytest
from graded_course import ASSIGNMENT, GradedCourse

from autograder.cli import main
from autograder.errors import UserError
from autograder.grading.intake.collecting import collect
from autograder.grading.unfinished import begin
from autograder.reporting.feedback_zip import pack_feedback

NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


@pytest.fixture
def course(tmp_path):
    return GradedCourse(tmp_path / "course")


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


ZIP = zipped({f"{ASSIGNMENT}.ipynb": NOTEBOOK})


def import_and_grade(course, tmp_path, files):
    """Import hand-ins, give everybody points and a page; return the students."""
    write(tmp_path / "class", files)
    students = collect(tmp_path / "class", ASSIGNMENT, course.paths.submitted).students
    for student in students:
        course.submit(student, {"affine_quantize": 5.0})
        page = course.paths.feedback_page(student, ASSIGNMENT)
        page.parent.mkdir(parents=True)
        page.write_text(f"The page of {student}")
    return students


def packed(course, tmp_path):
    """Return what is in the zip, by name."""
    archive = pack_feedback(ASSIGNMENT, course.paths, tmp_path / "feedback.zip").path
    with zipfile.ZipFile(archive) as found:
        return {name: found.read(name) for name in found.namelist()}


def context_in_canvas(name):
    """Return the user and the file that Canvas takes from a name, as its source does."""
    parts = [part for part in name.split("_") if part != "LATE"]
    if parts[0] == "anon":
        return tuple(parts[1:3])
    return tuple([part for part in parts if re.fullmatch(r"\d+", part)][:2])


def test_canvas_finds_the_user_and_the_file_that_is_answered(course, tmp_path):
    import_and_grade(
        course,
        tmp_path,
        {
            "lovelaceada_101_5001_pack.zip": ZIP,
            "lovelaceada_101_5003_notes.txt": b"Hello",
            "doeben_LATE_102_5002_q.ipynb": NOTEBOOK,
            "anon_q3Xy_5004_q.ipynb": NOTEBOOK,
        },
    )
    found = packed(course, tmp_path)
    assert {context_in_canvas(name) for name in found} == {
        ("101", "5001"),
        ("102", "5002"),
        ("q3Xy", "5004"),
    }
    assert found["doeben_LATE_102_5002_q.ipynb.html"] == b"The page of doeben"


def test_canvas_shows_the_page_under_the_name_of_a_zip_so_it_is_in_one(course, tmp_path):
    import_and_grade(course, tmp_path, {"lovelaceada_101_5001_pack.zip": ZIP})
    [(name, content)] = packed(course, tmp_path).items()
    assert name == "lovelaceada_101_5001_pack.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as inner:
        assert inner.read(f"{ASSIGNMENT}.html") == b"The page of lovelaceada"


def test_moodle_finds_the_participant_in_the_second_part(course, tmp_path):
    files = {
        "Ada Lovelace_17_assignsubmission_file/q.ipynb": NOTEBOOK,
        "Ben_Doe_18_assignsubmission_file_/q.ipynb": NOTEBOOK,
    }
    import_and_grade(course, tmp_path, files)
    found = packed(course, tmp_path)
    parts = {name.split("/")[0].split("_", 4)[1]: content for name, content in found.items()}
    assert parts == {"17": b"The page of Ada Lovelace", "18": b"The page of Ben_Doe"}
    assert all(
        name.split("_")[2:4] == ["assignsubmission", f"file/{ASSIGNMENT}-feedback.html"]
        for name in found
    )


def test_sakai_finds_the_user_in_parentheses_and_the_folder_of_feedback(course, tmp_path):
    files = {"HW/Lovelace, Ada(alovelace)/Submission attachment(s)/q.ipynb": NOTEBOOK}
    import_and_grade(course, tmp_path, files)
    [name] = packed(course, tmp_path)
    assert name.split("/")[1:] == [
        "Lovelace, Ada(alovelace)",
        "Feedback Attachment(s)",
        f"{ASSIGNMENT}-feedback.html",
    ]


def test_a_later_import_of_some_students_forgets_no_other(course, tmp_path):
    files = {"lovelaceada_101_5001_p.zip": ZIP, "doeben_102_5002_p.zip": ZIP}
    import_and_grade(course, tmp_path, files)
    write(tmp_path / "later", {"doeben_102_5009_p-1.zip": ZIP})
    collect(tmp_path / "later", ASSIGNMENT, course.paths.submitted)
    assert set(packed(course, tmp_path)) == {
        "lovelaceada_101_5001_p.zip",
        "doeben_102_5009_p-1.zip",
    }


def test_a_name_that_nbgrader_cannot_handle_still_gets_its_feedback(course, tmp_path):
    import_and_grade(course, tmp_path, {"Ann [TA]_17_assignsubmission_file/q.ipynb": NOTEBOOK})
    [name] = packed(course, tmp_path)
    assert name.startswith("Ann [TA]_17_assignsubmission_file/")


def test_students_without_a_page_are_named_in_one_sentence(course, tmp_path, capsys, monkeypatch):
    files = {f"{name}_{n}_5{n}_p.zip": ZIP for n, name in enumerate(["ada", "ben", "cas"], 101)}
    import_and_grade(course, tmp_path, files)
    course.paths.feedback_page("ben", ASSIGNMENT).unlink()
    begin(ASSIGNMENT, course.paths, ["cas"])
    course.submit("dot", {})
    course.paths.feedback_page("dot", ASSIGNMENT).parent.mkdir(parents=True)
    course.paths.feedback_page("dot", ASSIGNMENT).touch()
    monkeypatch.setattr("autograder.commands._course", lambda options: course.paths)
    assert main(["export", ASSIGNMENT, "--feedback", str(tmp_path / "feedback.zip")]) == 3
    said = capsys.readouterr()
    assert "without a feedback page, because they are not graded: ben, cas" in said.err
    assert "without the names that Canvas gives: dot" in said.err
    assert "feedback of 1 student, for Canvas" in said.out


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"ada.ipynb": NOTEBOOK}, "came from none of the three. Download the hand-ins"),
        ({"submission_1/q.ipynb": NOTEBOOK}, "came from Gradescope"),
    ],
)
def test_hand_ins_of_no_such_system_are_refused(course, tmp_path, files, message):
    import_and_grade(course, tmp_path, files)
    with pytest.raises(UserError, match=message):
        pack_feedback(ASSIGNMENT, course.paths, tmp_path / "feedback.zip")


def test_a_zip_that_cannot_be_written_is_one_sentence(course, tmp_path):
    import_and_grade(course, tmp_path, {"ada_101_5001_p.zip": ZIP})
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        pack_feedback(ASSIGNMENT, course.paths, tmp_path / "file" / "feedback.zip")


def test_export_asks_what_to_export(course, capsys, monkeypatch):
    monkeypatch.setattr("autograder.commands._course", lambda options: course.paths)
    assert main(["export", ASSIGNMENT]) == 1
    assert "--into TABLE" in capsys.readouterr().err
