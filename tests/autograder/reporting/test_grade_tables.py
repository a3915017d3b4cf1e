"""Points get into the tables of learning management systems, and nothing else in them changes."""

import csv
import json

import pytest
from graded_course import ASSIGNMENT, GradedCourse

from autograder.errors import UserError
from autograder.grading.unfinished import begin
from autograder.reporting.grade_tables import fill_grade_table

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Pruning (11),Quantization (12),Current Score
"    Points Possible",,,,,100,{maximum},(read only)
"Lovelace, Ada",501,s1,ada,Lab 1,90,,88
"Hopper, Grace",502,s2,hopperg,Lab 1,,,
"Nobody, Ned",503,s3,ned,Lab 2,,50,
"""
MOODLE = """\
Identifier,"Full name",Status,Grade,"Maximum Grade","Grade can be changed","Feedback comments"
"Participant 7","Ada Lovelace","Submitted for grading",,{maximum}.00,Yes,"Well, done"
"Participant 8","Grace Hopper","Submitted for grading",,{maximum}.00,Yes,
"""
SAKAI = """\
"Quantization","Points"

"Display ID","ID","Last Name","First Name","grade"
"ada","ada","Lovelace","Ada",""
"hopperg","hopperg","Hopper","Grace","1.0"
"""


@pytest.fixture
def course(tmp_path):
    """Return a course in which ``ada`` has 6.5 points, and ``hoppergrace`` waits for a person."""
    course = GradedCourse(tmp_path / "course")
    course.submit("ada", {"affine_quantize": 5.0, "affine_dequantize": 1.5})
    course.submit("hoppergrace", {"affine_quantize": 8.0, "stochastic_comparison": None})
    return course


def maximum(course):
    return sum(p for name, (_, p, _) in course.questions.items() if not name.startswith("bonus"))


def table(course, text):
    path = course.folder / "exported.csv"
    path.write_text(text.format(maximum=f"{maximum(course):g}"), encoding="utf-8-sig")
    return path


def remember(course, users):
    """Let hand-ins have been imported from these users."""
    file = course.paths.submitted / ".intake" / f"{ASSIGNMENT}.users.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(users))


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def changed(before, after):
    """Return the cells that differ, by row and column."""
    old, new = rows(before), rows(after)
    return {
        (i, j): cell
        for i, row in enumerate(new)
        for j, cell in enumerate(row)
        if j >= len(old[i]) or old[i][j] != cell
    }


def test_canvas(course):
    remember(course, {"Canvas 501": "ada"})
    exported = table(course, CANVAS)
    filled = fill_grade_table(ASSIGNMENT, course.paths, exported)
    assert filled.system == "Canvas"
    assert filled.path == course.folder / "report" / f"{ASSIGNMENT}-canvas.csv"
    assert changed(exported, filled.path) == {(2, 6): "6.5", (3, 6): "8"}
    assert filled.filled == ("ada", "hoppergrace")
    assert filled.without == ("Nobody, Ned",)
    assert filled.waiting == ("hoppergrace",)
    assert filled.not_listed == ()


def test_moodle(course):
    remember(course, {"Moodle 7": "ada", "Moodle 8": "hoppergrace"})
    exported = table(course, MOODLE)
    filled = fill_grade_table(ASSIGNMENT, course.paths, exported)
    assert changed(exported, filled.path) == {(1, 3): "6.5", (2, 3): "8"}


def test_sakai(course):
    exported = table(course, SAKAI)
    filled = fill_grade_table(ASSIGNMENT, course.paths, exported)
    assert changed(exported, filled.path) == {(3, 4): "6.5"}
    assert filled.without == ("Hopper, Grace",)
    assert filled.not_listed == ("hoppergrace",)


def test_a_semicolon_separates_the_columns_in_some_countries(course):
    remember(course, {"Canvas 501": "ada"})
    exported = table(course, CANVAS.replace(",", ";").replace("; ", ", "))
    filled = fill_grade_table(ASSIGNMENT, course.paths, exported)
    assert "6.5;88" in filled.path.read_text()


def test_no_grade_is_not_zero_points(course):
    course.paths.submission("ada", ASSIGNMENT).mkdir(parents=True)
    begin(ASSIGNMENT, course.paths, ["ada"])
    remember(course, {"Canvas 501": "ada"})
    filled = fill_grade_table(ASSIGNMENT, course.paths, table(course, CANVAS))
    assert filled.filled == ("hoppergrace",)
    assert rows(filled.path)[2][6] == ""


def test_a_student_known_by_number_is_nobody_else(course):
    remember(course, {"Canvas 501": "someone else"})
    filled = fill_grade_table(ASSIGNMENT, course.paths, table(course, CANVAS))
    assert "ada" not in filled.filled


def test_the_column_can_be_named(course):
    exported = table(course, CANVAS.replace("100,{maximum}", "{maximum},100"))
    filled = fill_grade_table(ASSIGNMENT, course.paths, exported, "Pruning (11)")
    assert rows(filled.path)[2][5] == "6.5"


def test_a_column_that_is_not_clear_is_asked_for(course):
    exported = table(course, CANVAS.replace("Quantization (12)", "Homework 4 (12)"))
    with pytest.raises(UserError, match=r"Name it with --column.*'Homework 4 \(12\)'"):
        fill_grade_table(ASSIGNMENT, course.paths, exported)
    with pytest.raises(UserError, match=r"no column 'Homework'.*'Pruning \(11\)'"):
        fill_grade_table(ASSIGNMENT, course.paths, exported, "Homework")


@pytest.mark.parametrize("text", [CANVAS, MOODLE])
def test_another_maximum_is_refused(course, text):
    exported = course.folder / "exported.csv"
    exported.write_text(text.format(maximum=10))
    with pytest.raises(UserError, match="worth 10 points, and it is worth 13"):
        fill_grade_table(ASSIGNMENT, course.paths, exported)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1,2\n", "is not a table of grades"), ("", "cannot be read"), (None, "There is no")],
)
def test_another_file_is_refused_in_the_users_words(course, text, message):
    exported = course.folder / "exported.csv"
    if text is not None:
        exported.write_text(text)
    with pytest.raises(UserError, match=message):
        fill_grade_table(ASSIGNMENT, course.paths, exported)
