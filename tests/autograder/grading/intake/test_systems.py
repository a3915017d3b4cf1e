"""The names that learning management systems give say who handed in what, and when."""

from datetime import UTC, datetime

import pytest

from autograder.grading.intake.systems import (
    gradescope_metadata,
    plain_sender,
    sakai_time,
    senders,
    system_of,
)

NAMES = {
    "Canvas": "doejane_LATE_101_5001_work.zip",
    "Moodle": "Jane Doe_17_assignsubmission_file",
    "Sakai": "Doe, Jane(jdoe)",
    "Gradescope": "submission_5001",
    "Blackboard": "HW 1_jdoe_attempt_2026-03-04-10-00-00_work.ipynb",
    "Brightspace": "41023-77 - Jane Doe - Mar 4, 2026 110 PM",
    "nbgrader": "jdoe+work+2026-03-04 10:00:00 UTC+qX1",
}


def names_of(entries, assignment="work"):
    found = senders(entries, assignment).of
    return [[who.name for who in found[entry]] for entry in entries]


@pytest.mark.parametrize("system", NAMES)
def test_a_system_is_recognised_by_the_names_that_it_gives(system):
    found = system_of([NAMES[system]])
    assert found
    assert found.name == system


@pytest.mark.parametrize(
    "entry", ["ada", "Ada_Lovelace", "team_1", "ada_v1.2", "Doe, Jane (evening group)", "a+b"]
)
def test_a_name_that_no_system_has_made_stays_as_it_is(entry):
    assert system_of([entry]) is None
    assert names_of([entry]) == [[entry]]


def test_one_system_has_named_a_class_whatever_a_student_calls_a_file():
    """Otherwise a student could choose a time, or another student's name."""
    forged = "doejane_101_5001_HW 1_roe_attempt_2020-01-01-00-00-00_work.ipynb"
    found = senders([forged, "roerick_102_5002_work.zip"], "work")
    assert found.system
    assert found.system.name == "Canvas"
    (sender,) = found.of[forged]
    assert (sender.name, sender.time) == ("doejane", None)


def test_one_name_that_looks_like_a_systems_is_that_of_a_student():
    entries = ["ada", "ben", "team_1_2_final"]
    assert system_of(entries) is None
    assert names_of(entries) == [["ada"], ["ben"], ["team_1_2_final"]]


def test_blackboards_assignments_may_be_called_like_canvass_files():
    entries = [f"HW_1_2_{user}_attempt_2026-03-04-10-00-00_w.ipynb" for user in ("ada", "ben")]
    assert names_of(entries) == [["ada"], ["ben"]]


def test_two_users_of_one_name_are_told_apart():
    entries = ["ada_1_7_work.zip", "ada_2_8_work.zip", "ben_3_9_work.zip"]
    assert names_of(entries) == [["ada-1"], ["ada-2"], ["ben"]]


def test_the_time_in_a_name_is_the_time_of_the_submission():
    (sender,) = senders([NAMES["nbgrader"]], "work").of[NAMES["nbgrader"]]
    assert sender.time == datetime(2026, 3, 4, 10, tzinfo=UTC)
    (sender,) = senders([NAMES["Brightspace"]], "work").of[NAMES["Brightspace"]]
    assert sender.time
    assert sender.time.replace(tzinfo=None) == datetime(2026, 3, 4, 13, 10)
    (sender,) = senders([NAMES["Blackboard"]], "work").of[NAMES["Blackboard"]]
    assert sender.time
    assert sender.time.replace(tzinfo=None) == datetime(2026, 3, 4, 10)


@pytest.mark.parametrize(
    ("entry", "student"),
    [
        ("ada.zip", "ada"),
        ("ada.tar.gz", "ada"),
        ("ada.ipynb.txt", "ada"),
        ("ada (1).zip", "ada"),
        ("ada - Copy (2).ipynb", "ada"),
        ("ada copy 3.ipynb", "ada"),
        ("Copy of ada.ipynb", "ada"),
        ("Ada Lovelace - sparse_linear.ipynb", "Ada Lovelace"),
        ("Kopie von Ada Lovelace - Sparse Linear.ipynb", "Ada Lovelace"),
        ("sparse-linear_ada.zip", "ada"),
        ("sparse_linear (2).zip", ""),
        ("Copy of sparse_linear.ipynb", ""),
        ("sparse_linearity.zip", "sparse_linearity"),
        ("Zoe\u0308", "Zoë"),
    ],
)
def test_a_persons_name_stands_before_or_after_that_of_the_assignment(entry, student):
    assert plain_sender(entry, "sparse_linear").name == student


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", b"[1, 2]", b"a: [", b"submission_1: 3", b"submission_1:\n  :submitters: x"],
)
def test_a_damaged_list_of_gradescope_names_nobody(content):
    found = senders(["submission_1"], "work", gradescope_metadata(content))
    assert [who.name for who in found.of["submission_1"]] == ["submission_1"]


@pytest.mark.parametrize("content", [b"", b"see me", b"99999999999999999", b"\xff" * 17])
def test_a_time_that_sakai_has_not_written_is_none(content):
    assert sakai_time(content) is None


def test_sakais_time_is_read():
    assert sakai_time(b"20260304100000123\n") == datetime(2026, 3, 4, 10, tzinfo=UTC)
