"""What a class of hostile submissions gets, takes and leaves, graded for real."""

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
from autograder.grading.record import Record

# The first test of all waits for the class to be graded.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(RUN_SECONDS + 300)]

each_hostile = pytest.mark.parametrize("hostile", CORPUS.values(), ids=lambda entry: entry.name)
STUDENTS = [*(entry.student for entry in CORPUS.values()), HONEST, UNTOUCHED]


def printed(notebook):
    """All that the student's own cells show, as text."""
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    return json.dumps(outputs, ensure_ascii=False).replace("\\n", "\n")


# ------------------------------------------------------------------------------------------------
# Points


@each_hostile
def test_it_gets_what_it_would_get_honestly_and_nothing_more(graded, hostile):
    earned = {name: points if name in hostile.earns else 0 for name, points in POINTS.items()}
    assert graded.scores[hostile.student] == earned


def test_its_honest_neighbours_lose_nothing(graded):
    assert graded.scores[HONEST] == POINTS
    assert graded.scores[UNTOUCHED] == dict.fromkeys(POINTS, 0)


@pytest.mark.parametrize("student", [HONEST, UNTOUCHED])
def test_nobody_is_told_to_look_at_the_honest(graded, student):
    assert graded.flags(student) == []


def test_written_answers_wait_for_a_person(graded):
    with Gradebook(f"sqlite:///{graded.folder}/course/gradebook.db") as gradebook:
        for student in STUDENTS:
            submission = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, student)
            (written,) = [grade for grade in submission.grades if grade.name == WRITTEN]
            assert written.auto_score in (None, 0), student


@each_hostile
def test_every_question_is_worth_what_it_was_released_with(graded, hostile):
    marks = [cell.metadata.get("nbgrader", {}) for cell in graded.notebook(hostile.student).cells]
    points = {mark["grade_id"]: mark["points"] for mark in marks if mark.get("grade")}
    assert points == {**POINTS, WRITTEN: 1}


# ------------------------------------------------------------------------------------------------
# What a person is told


def test_everybody_has_a_grade_or_a_line_that_says_why_not(graded):
    assert sorted(outcome["student"] for outcome in graded.run["outcomes"]) == sorted(STUDENTS)
    assert [outcome for outcome in graded.run["outcomes"] if outcome["problem"]] == []
    lines = graded.table.splitlines()
    assert len(lines) == 1 + len(STUDENTS)
    for student in STUDENTS:
        assert student in unescape(graded.report)
        assert (graded.folder / "course/feedback" / student / ASSIGNMENT).is_dir()


@each_hostile
def test_a_person_is_told_to_look_where_there_is_reason(graded, hostile):
    flags = "\n".join(graded.flags(hostile.student))
    assert re.search(hostile.flag, flags)
    for flag in graded.flags(hostile.student):
        assert flag in unescape(graded.report)


@each_hostile
def test_the_attack_was_carried_out_as_it_was_meant(graded, hostile):
    """Or all the other tests say nothing about it."""
    assert re.search(hostile.says, printed(graded.notebook(hostile.student)))


@each_hostile
def test_flags_and_messages_are_words(graded, hostile):
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
    """Or a student's fault would be told as the course's."""
    flags = graded.flags(hostile.student)
    assert [flag for flag in flags if re.match(r"the hidden test of \w+ failed", flag)] == []


def test_a_student_does_not_say_when_the_hand_in_came(graded):
    """Or a late penalty would be a matter of honesty."""
    assert "1999-12-31" not in graded.table


def test_no_cell_of_the_grades_file_is_a_formula(graded):
    for line in graded.table.splitlines()[1:]:
        assert not line.startswith(("=", "+", "-", "@", "\t", "\r", '"=', '"+', '"-', '"@'))


# ------------------------------------------------------------------------------------------------
# Secrets


def secrets_in(graded, text):
    """Return the places from which something has got into `text`, in whatever spelling."""
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


def test_the_secrets_lay_where_they_were_to_be_found(graded):
    """Or the tests above would say nothing."""
    secrets = graded.secrets
    assert all(secret.startswith(PREFIX) for secret in secrets.values())
    course = graded.folder / "course"
    assert secrets["test"].encode() in (course / "gradebook.db").read_bytes()
    assert secrets["course"] in (course / "notes.txt").read_text()
    assert secrets_in(graded, graded.page(HONEST)) == {"neighbour"}


# ------------------------------------------------------------------------------------------------
# Pages


def active_on(page):
    """What acts on a page, counted."""
    return Counter(page.active)


@each_hostile
def test_nothing_on_its_feedback_page_acts_but_what_is_ours(graded, hostile):
    page, ours = Page(graded.page(hostile.student)), Page(graded.page(UNTOUCHED))
    assert page.acts == ours.acts == []
    assert active_on(page) - active_on(ours) == Counter()


def test_no_page_of_a_hand_in_lies_beside_ours(graded):
    """The formgrader serves what lies beside a graded notebook, with the instructor's rights."""
    course = graded.folder / "course"
    for step, end in (("autograded", "ipynb"), ("feedback", "html")):
        names = {path.name for path in (course / step).rglob("*") if path.is_file()}
        assert names - {"timestamp.txt"} == {f"{ASSIGNMENT}.{end}"}


def test_nothing_on_the_class_report_acts_but_what_is_ours(graded):
    page = Page(graded.report)
    assert page.acts == []
    scripts = [found for found in page.active if found.startswith("script")]
    assert len(scripts) == 2  # the tag and its content
    assert "steal" not in "".join(page.active)


@pytest.fixture(scope="module")
def formgrader(graded):
    """Render a graded notebook as the formgrader shows it."""
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
def test_nothing_in_the_formgrader_acts_but_what_is_ours(formgrader, ours, hostile):
    page = Page(formgrader(hostile.student))
    assert [act for act in page.acts if act not in ours.acts] == []
    assert active_on(page) - active_on(ours) == Counter()


# ------------------------------------------------------------------------------------------------
# What it takes, and what it leaves


@each_hostile
def test_its_time_is_limited(graded, hostile):
    # The last kernel may take a few seconds to end, and hidden tests on our side theirs.
    assert Record.read(graded.notebook(hostile.student)).seconds < TOTAL_SECONDS + 15


def test_the_run_ends_within_its_bound(graded):
    assert graded.run["seconds"] < len(STUDENTS) * TOTAL_SECONDS / JOBS


def test_no_process_outlives_the_run(graded):
    assert graded.run["processes"] == []


def test_no_temporary_file_outlives_the_run(graded):
    assert [path.name for path in (graded.folder / "tmp").iterdir()] == []


def test_no_code_of_a_hand_in_ran_on_our_side(graded):
    assert not (graded.folder / "trap").exists()


def test_the_gradebook_knows_this_class_and_nobody_else(graded):
    with Gradebook(f"sqlite:///{graded.folder}/course/gradebook.db") as gradebook:
        assert sorted(student.id for student in gradebook.students) == sorted(STUDENTS)
        names = [
            grade.name for grade in gradebook.find_notebook(ASSIGNMENT, ASSIGNMENT).grade_cells
        ]
    assert sorted(names) == sorted([*POINTS, WRITTEN])
