"""Due dates and students from the settings reach the gradebook."""

from datetime import datetime, timedelta

import pytest
from graded_course import ASSIGNMENT, GradedCourse

from autograder.course import Course
from autograder.errors import UserError
from autograder.gradebook_settings import apply_settings, read_roster


@pytest.fixture
def course(tmp_path):
    return GradedCourse(tmp_path / "course").paths


def apply(course, text):
    (course.folder / "course.toml").write_text(text, encoding="utf-8")
    apply_settings(Course(course.folder, course.notebooks))


def due_date(course):
    with course.gradebook() as gradebook:
        return gradebook.find_assignment(ASSIGNMENT).duedate


def students(course):
    with course.gradebook() as gradebook:
        return {s.id: (s.first_name, s.last_name, s.email) for s in gradebook.students}


def test_the_due_date_is_stored_in_utc_as_nbgrader_expects(course):
    apply(course, f"[due]\n{ASSIGNMENT} = 2027-02-15T12:00:00+01:00")
    assert due_date(course) == datetime(2027, 2, 15, 11)


def test_a_changed_due_date_replaces_the_earlier_one(course):
    for day in (15, 16):
        apply(course, f"[due]\n{ASSIGNMENT} = 2027-02-{day}T12:00:00Z")
    assert due_date(course) == datetime(2027, 2, 16, 12)


def test_a_due_date_from_the_formgrader_stays_if_the_settings_name_none(course):
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=datetime(2027, 1, 1))
    apply(course, "")
    assert due_date(course) == datetime(2027, 1, 1)


def test_an_extension_of_a_student_is_kept(course):
    with course.gradebook() as gradebook:
        gradebook.add_student("ada")
        gradebook.add_submission(ASSIGNMENT, "ada")
        gradebook.grant_extension(ASSIGNMENT, "ada", days=2)
    apply(course, f"[due]\n{ASSIGNMENT} = 2027-02-15T12:00:00Z")
    with course.gradebook() as gradebook:
        submission = gradebook.find_submission(ASSIGNMENT, "ada")
        assert submission.duedate == datetime(2027, 2, 15, 12) + timedelta(days=2)


def test_an_assignment_that_is_not_released_yet_is_no_fault(course):
    apply(course, "[due]\npruning = 2027-02-15")
    assert due_date(course) is None


def test_the_roster_fills_the_gradebook_and_may_grow(course):
    roster = course.folder / "roster.csv"
    roster.write_text("id,first_name,last_name,email\nada,Ada,Lovelace,ada@example.edu\n")
    apply(course, 'roster = "roster.csv"')
    roster.write_text("id,last_name\nada,King\nben,\n")
    apply(course, 'roster = "roster.csv"')
    assert students(course) == {
        "ada": ("Ada", "King", "ada@example.edu"),
        "ben": (None, None, None),
    }


def test_a_spreadsheets_byte_order_mark_is_not_part_of_the_first_column(tmp_path):
    file = tmp_path / "roster.csv"
    file.write_bytes("\ufeffid,last_name\nzoë,Ångström\n".encode())
    assert read_roster(file) == [{"id": "zoë", "last_name": "Ångström"}]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"name\nada\n", "has no id"),
        (b"id,last_name\nada,A\n,B\n", "Line 3 of the roster"),
        (b"id\nada\nada\n", "two students with the id 'ada'"),
        (b"\xff\xfe\xff", "cannot be read"),
        (None, "which course.toml names as the roster"),
    ],
)
def test_a_faulty_roster_is_one_sentence(tmp_path, content, fault):
    file = tmp_path / "roster.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=fault):
        read_roster(file)
