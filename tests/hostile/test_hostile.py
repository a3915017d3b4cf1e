"""The scores, messages, pages and leftovers of a class of hostile submissions, graded for real."""

import json
import re
from collections import Counter
from html import unescape

import pytest
from corpus import CORPUS, SCRIPTED
from hostile_class import HONEST, JOBS, RUN_SECONDS, TOTAL_SECONDS, UNTOUCHED
from hostile_course import ASSIGNMENT, POINTS, PREFIX, WRITTEN, hostile_course
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.server_extensions.formgrader import handlers
from pages import Page

from autograder.configuration import course_config
from autograder.grading.intake.untouched import UNTOUCHED as NOT_ANSWERED
from autograder.grading.record import Record

# The first test of all waits for the class to be graded.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(RUN_SECONDS + 300)]

each_hostile = pytest.mark.parametrize("hostile", CORPUS.values(), ids=lambda entry: entry.name)
STUDENTS = [*(entry.student for entry in CORPUS.values()), HONEST, UNTOUCHED]


def printed(notebook):
    """Return the outputs of the notebook's cells as text."""
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    return json.dumps(outputs, ensure_ascii=False).replace("\\n", "\n")


# ------------------------------------------------------------------------------------------------
# Points


@each_hostile
def test_a_hostile_submission_gets_what_it_would_get_honestly(graded, hostile):
    earned = {name: points if name in hostile.earns else 0 for name, points in POINTS.items()}
    assert graded.scores[hostile.student] == earned


def test_the_other_submissions_lose_nothing(graded):
    assert graded.scores[HONEST] == POINTS
    assert graded.scores[UNTOUCHED] == dict.fromkeys(POINTS, 0)


@pytest.mark.parametrize(("student", "flags"), [(HONEST, []), (UNTOUCHED, [NOT_ANSWERED])])
def test_the_other_submissions_have_no_flags_of_attacks(graded, student, flags):
    assert graded.flags(student) == flags


def test_written_answers_wait_for_a_person(graded):
    with Gradebook(f"sqlite:///{graded.folder}/course/gradebook.db") as gradebook:
        for student in STUDENTS:
            submission = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, student)
            (written,) = [grade for grade in submission.grades if grade.name == WRITTEN]
            assert written.auto_score in (None, 0), student


@each_hostile
def test_every_question_has_the_points_of_the_release(graded, hostile):
    marks = [cell.metadata.get("nbgrader", {}) for cell in graded.notebook(hostile.student).cells]
    points = {mark["grade_id"]: mark["points"] for mark in marks if mark.get("grade")}
    assert points == {**POINTS, WRITTEN: 1}


# ------------------------------------------------------------------------------------------------
# What a person is told


def test_every_student_has_a_grade_and_a_feedback_page(graded):
    assert sorted(outcome["student"] for outcome in graded.run["outcomes"]) == sorted(STUDENTS)
    assert [outcome for outcome in graded.run["outcomes"] if outcome["problem"]] == []
    lines = graded.table.splitlines()
    assert len(lines) == 1 + len(STUDENTS)
    for student in STUDENTS:
        assert student in unescape(graded.report)
        assert (graded.folder / "course/feedback" / student / ASSIGNMENT).is_dir()


@each_hostile
def test_a_submission_that_needs_a_look_is_flagged(graded, hostile):
    flags = "\n".join(graded.flags(hostile.student))
    assert re.search(hostile.flag, flags)
    for flag in graded.flags(hostile.student):
        assert flag in unescape(graded.report)


@each_hostile
def test_the_attack_was_carried_out_as_intended(graded, hostile):
    """Otherwise the other tests would prove nothing about it."""
    assert re.search(hostile.says, printed(graded.notebook(hostile.student)))


@each_hostile
def test_flags_and_messages_are_short_texts_without_tracebacks(graded, hostile):
    record = Record.read(graded.notebook(hostile.student))
    messages = [text for verdict in record.questions.values() for text in verdict.messages]
    for text in [*record.flags, *messages]:
        assert 0 < len(text) < 2100
        assert "Traceback" not in text
        assert 'File "' not in text
        assert str(graded.folder / "course") not in text
    for flag in record.flags:
        assert flag.isprintable()


@each_hostile
def test_no_hidden_test_breaks_on_an_answer(graded, hostile):
    """Otherwise a student's mistake would be reported as a fault of the course."""
    flags = graded.flags(hostile.student)
    assert [flag for flag in flags if re.match(r"the hidden test of \w+ failed", flag)] == []


def test_a_timestamp_in_a_hand_in_is_ignored(graded):
    """Otherwise students could avoid a late penalty."""
    assert "1999-12-31" not in graded.table


def test_no_cell_of_the_grades_file_is_a_formula(graded):
    for line in graded.table.splitlines()[1:]:
        assert not line.startswith(("=", "+", "-", "@", "\t", "\r", '"=', '"+', '"-', '"@'))


# ------------------------------------------------------------------------------------------------
# Secrets


def secrets_in(graded, text):
    """Return the places whose secrets are in `text`, in any spelling."""
    plain = re.sub(r"[\s'\"+,-]", "", unescape(re.sub(r"<[^<>]*>", "", text)))
    return {
        place
        for place, secret in graded.secrets.items()
        if secret in text or secret.rsplit("-", 1)[1] in plain
    }


@each_hostile
def test_no_secret_gets_out(graded, hostile):
    notebook = graded.notebook(hostile.student)
    own = {"planted"} if hostile.name == "left-for-others" else set()
    assert secrets_in(graded, json.dumps(notebook.metadata.autograder)) == set()
    assert secrets_in(graded, printed(notebook)) - own == set()
    assert secrets_in(graded, graded.page(hostile.student)) - own == set()


def test_no_secret_gets_into_the_report_or_the_grades_file(graded):
    assert secrets_in(graded, graded.report) == set()
    assert secrets_in(graded, graded.table) == set()


def test_the_secrets_were_in_their_places(graded):
    """Otherwise the tests above would prove nothing."""
    secrets = graded.secrets
    assert all(secret.startswith(PREFIX) for secret in secrets.values())
    course = graded.folder / "course"
    assert secrets["test"].encode() in (course / "gradebook.db").read_bytes()
    assert secrets["course"] in (course / "notes.txt").read_text()
    assert secrets_in(graded, graded.page(HONEST)) == {"neighbour"}


# ------------------------------------------------------------------------------------------------
# Pages


def active_on(page):
    """Count the active parts of a page."""
    return Counter(page.active)


@each_hostile
def test_only_our_own_parts_of_a_feedback_page_are_active(graded, hostile):
    page, ours = Page(graded.page(hostile.student)), Page(graded.page(UNTOUCHED))
    assert page.acts == ours.acts == []
    assert active_on(page) - active_on(ours) == Counter()


def test_no_file_of_a_hand_in_is_beside_our_pages(graded):
    """The formgrader serves the files beside a graded notebook, with the instructor's rights."""
    course = graded.folder / "course"
    for step, end in (("autograded", "ipynb"), ("feedback", "html")):
        names = {path.name for path in (course / step).rglob("*") if path.is_file()}
        assert names - {"timestamp.txt"} == {f"{ASSIGNMENT}.{end}"}


def test_only_our_own_parts_of_the_class_report_are_active(graded):
    page = Page(graded.report)
    assert page.acts == []
    scripts = [found for found in page.active if found.startswith("script")]
    assert len(scripts) == 2  # the tag and its content
    assert "steal" not in "".join(page.active)


@pytest.fixture(scope="module")
def formgrader(graded):
    """Return a function that renders a graded notebook as the formgrader does."""
    config = course_config(hostile_course(graded.folder))
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]

    def show(student):
        resources = {"metadata": {}, "index": 0, "total": 1}
        exporter = HTMLExporter(config=config)
        return exporter.from_notebook_node(graded.notebook(student), resources)[0]

    return show


@pytest.fixture(scope="module")
def ours(formgrader):
    return Page(formgrader(UNTOUCHED))


@pytest.mark.parametrize("hostile", SCRIPTED, ids=lambda entry: entry.name)
def test_only_our_own_parts_of_a_formgrader_page_are_active(formgrader, ours, hostile):
    page = Page(formgrader(hostile.student))
    assert [act for act in page.acts if act not in ours.acts] == []
    assert active_on(page) - active_on(ours) == Counter()


# ------------------------------------------------------------------------------------------------
# Resources and leftovers


@each_hostile
def test_the_time_of_a_submission_is_limited(graded, hostile):
    # The end of the last kernel and the hidden tests on our side may take a few seconds more.
    assert Record.read(graded.notebook(hostile.student)).seconds < TOTAL_SECONDS + 15


def test_the_run_ends_within_its_bound(graded):
    assert graded.run["seconds"] < len(STUDENTS) * TOTAL_SECONDS / JOBS


def test_no_process_outlives_the_run(graded):
    assert graded.run["processes"] == []


def test_no_temporary_file_outlives_the_run(graded):
    assert [path.name for path in (graded.folder / "tmp").iterdir()] == []


def test_no_code_of_a_hand_in_ran_on_our_side(graded):
    assert not (graded.folder / "trap").exists()


def test_the_gradebook_contains_this_class_and_nobody_else(graded):
    with Gradebook(f"sqlite:///{graded.folder}/course/gradebook.db") as gradebook:
        assert sorted(student.id for student in gradebook.students) == sorted(STUDENTS)
        names = [
            grade.name for grade in gradebook.find_notebook(ASSIGNMENT, ASSIGNMENT).grade_cells
        ]
    assert sorted(names) == sorted([*POINTS, WRITTEN])
