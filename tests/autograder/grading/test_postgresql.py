"""A gradebook on a PostgreSQL server does what one in a file does, with the same scores."""

import csv

import pytest
from nbgrader.api import Gradebook
from postgresql import postgresql
from small_class import STUDENT, grade_by_hand, hand_in, notebook, sandbox, submission
from small_course import ASSIGNMENT, small_course, write_source

from autograder.errors import UserError
from autograder.grading.grade import Outcome, grade
from autograder.grading.gradebook_copy import copy_gradebook
from autograder.grading.renew import renew_feedback
from autograder.marking.marks import Change, Mark, MarkedMeanwhile, give, standings
from autograder.releasing.release import make_release
from autograder.reporting.report import class_report, grades_csv

__all__ = ["sandbox"]  # a fixture

pytestmark = pytest.mark.thorough

SETTINGS = '[due]\nsmall = 2027-02-15T00:00:00Z\n[late]\npenalty = "daily"\npercent_per_day = 50\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with postgresql(tmp_path_factory.mktemp("server")) as address:
        yield address


def released(folder, settings):
    write_source(folder, notebook())
    course = small_course(folder)
    course.folder.mkdir()
    (course.folder / "course.toml").write_text(settings)
    make_release(ASSIGNMENT, course)
    hand_in(course, "The exponent becomes smaller by one.")
    return course


@pytest.fixture(scope="module")
def course(server, sandbox, tmp_path_factory):
    """Return a course whose gradebook is on the server, with one graded submission."""
    course = released(tmp_path_factory.mktemp("served"), f'gradebook = "{server}"\n{SETTINGS}')
    assert grade(ASSIGNMENT, course) == [Outcome(STUDENT)]
    return course


def test_scores_are_those_of_a_gradebook_in_a_file(course, tmp_path):
    in_file = released(tmp_path, SETTINGS)
    assert grade(ASSIGNMENT, in_file) == [Outcome(STUDENT)]
    assert submission(course) == submission(in_file)
    assert in_file.database.is_file()
    assert not course.database.exists()


def test_of_two_people_who_mark_the_same_answer_the_second_is_told(course):
    changes = [Change(STUDENT, Mark(), Mark(0.5, "Nearly."))]
    give(course, ASSIGNMENT, "reason", changes)
    with pytest.raises(MarkedMeanwhile, match=r"0\.5 points, “Nearly\.”"):
        give(course, ASSIGNMENT, "reason", changes)
    assert standings(course, ASSIGNMENT, "reason")[STUDENT].mark == Mark(0.5, "Nearly.")
    give(course, ASSIGNMENT, "reason", [Change(STUDENT, Mark(0.5, "Nearly."), Mark())])
    assert submission(course)[2] == {"reason"}


def test_what_has_not_changed_is_not_graded_again(course):
    assert grade(ASSIGNMENT, small_course(course.folder.parent)) == [
        Outcome(STUDENT, unchanged=True)
    ]


def test_the_copy_has_what_the_gradebook_has(course, tmp_path):
    with Gradebook(copy_gradebook(course, tmp_path / "copy.db")) as copy:
        found = copy.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, STUDENT)
        with course.gradebook() as gradebook:
            there = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, STUDENT)
            assert found.score == there.score > 0
            assert found.late_submission_penalty == there.late_submission_penalty > 0


def test_points_given_by_hand_reach_feedback_report_and_grades(course):
    grade_by_hand(course, 1.0)
    assert renew_feedback(ASSIGNMENT, course, 1) == {STUDENT: ""}
    assert STUDENT in class_report(ASSIGNMENT, course).read_text()
    with grades_csv(ASSIGNMENT, course).open() as file:
        rows = list(csv.DictReader(file))
    assert STUDENT in rows[0].values()


def test_the_best_attempt_counts(sandbox, tmp_path):
    with postgresql(tmp_path) as address:
        course = released(tmp_path / "best", f'gradebook = "{address}"\nattempts = "best"\n')
        assert grade(ASSIGNMENT, course) == [Outcome(STUDENT)]
        hand_in(course, "Another answer.")
        assert grade(ASSIGNMENT, small_course(course.folder.parent)) == [Outcome(STUDENT)]


def test_a_server_that_does_not_answer_is_explained(sandbox, tmp_path):
    course = small_course(tmp_path)
    course.folder.mkdir()
    address = "postgresql://grader@127.0.0.1:1/course"
    (course.folder / "course.toml").write_text(f'gradebook = "{address}"\n')
    with pytest.raises(UserError, match=r"The server of the gradebook.*does not answer"):
        grade(ASSIGNMENT, course)


def test_a_missing_driver_is_explained(course, monkeypatch):
    monkeypatch.setattr("autograder.settings.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "psycopg\[binary\]"'):
        grade(ASSIGNMENT, small_course(course.folder.parent))
