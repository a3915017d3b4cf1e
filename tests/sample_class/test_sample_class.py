"""The sample class of every assignment, and the points of each submission in it."""

from functools import cache
from html import escape

import nbformat
import pytest
from graded_mistakes import MISTAKEN
from nbgrader.api import Gradebook

from autograder.assignments import NOTEBOOKS, assignments
from autograder.demo import TROUBLE_IN
from autograder.grading.execution import is_hidden_test
from autograder.grading.intake.untouched import UNTOUCHED
from autograder.grading.record import Record
from autograder.misconceptions import misconceptions_in
from autograder.notebook.source import nbgrader_marks
from autograder.samples.dependencies import Dependencies, asked_names
from autograder.samples.mistakes import shared_out

# The first test of all waits for the class to be graded.
pytestmark = [pytest.mark.slow, pytest.mark.thorough, pytest.mark.timeout(1800)]


@cache
def source(assignment):
    return nbformat.read(NOTEBOOKS / assignment / f"{assignment}.ipynb", as_version=4)


def full(assignment):
    """Return the points of the automatically graded questions; people grade written answers."""
    tests = [nbgrader_marks(cell) for cell in source(assignment).cells if is_hidden_test(cell)]
    return {test.grade_id: test.points for test in tests}


def judged_by_networks(assignment):
    """Return the questions that are only about submitted networks."""
    tests = [cell for cell in source(assignment).cells if is_hidden_test(cell)]
    about = [cell for cell in tests if "trained(" in cell.source and not asked_names([cell])]
    return {nbgrader_marks(cell).grade_id for cell in about}


def shares(assignment):
    """Return the misconceptions of each submission that is graded."""
    found = shared_out(misconceptions_in(assignment), Dependencies(source(assignment)))
    return found[:MISTAKEN]


MISTAKES = [
    (assignment, f"mistakes-{number}", share)
    for assignment in assignments()
    for number, share in enumerate(shares(assignment), start=1)
]
MISCONCEPTIONS = [(a, sample, wrong) for a, sample, share in MISTAKES for wrong in share]
WITHOUT_TROUBLE = ["solution", "untouched", "forges-scores"]

# The samples of trouble. Each trouble costs only the questions that it concerns.
ANSWERS_LOST = ["endless-loop", "kernel-dies"]
NOTHING_LOST = ["warns-on-stderr", "snoops-around", "test-cell-deleted", "test-cell-twice"]
FLAGS = {
    "endless-loop": "it took more than 20 s of processor time",
    "kernel-dies": "its Python process ended by itself (exit status 1)",
    "test-cell-deleted": "was missing; it was put back",
    "test-cell-twice": "was there more than once",
    "not-json": "the submitted file is not a notebook: not JSON",
    "untouched": UNTOUCHED,
}
"""The flag of each sample at which a person should look."""


@pytest.fixture(scope="module")
def grades(course):
    """Return the points of every sample in the gradebook, question by question."""
    found = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for assignment in assignments():
            automatic = full(assignment)
            for submission in gradebook.assignment_submissions(assignment):
                (notebook,) = submission.notebooks
                found[assignment, submission.student.id] = {
                    g.name: g.auto_score for g in notebook.grades if g.name in automatic
                }
    return found


def graded(course, assignment, sample):
    path = course / "autograded" / sample / assignment / f"{assignment}.ipynb"
    return nbformat.read(path, as_version=4)


def lost(grades, assignment, sample):
    """Return the questions in which a sample misses points."""
    points = full(assignment)
    return {name for name, got in grades[assignment, sample].items() if got < points[name]}


each_assignment = pytest.mark.parametrize("assignment", assignments())


@each_assignment
def test_the_class_is_the_one_expected(grades, assignment):
    expected = {*WITHOUT_TROUBLE, *(s for a, s, _ in MISTAKES if a == assignment)}
    if source(assignment).metadata.course.artifacts:
        expected.add("without-networks")
    if assignment == TROUBLE_IN:
        expected |= {*ANSWERS_LOST, *NOTHING_LOST, "not-json"}
    assert {sample for a, sample in grades if a == assignment} == expected


@each_assignment
def test_the_solution_gets_every_point(grades, assignment):
    assert grades[assignment, "solution"] == full(assignment)


@each_assignment
@pytest.mark.parametrize("sample", ["untouched", "forges-scores"])
def test_a_sample_without_answers_gets_nothing(grades, assignment, sample):
    assert grades[assignment, sample] == dict.fromkeys(full(assignment), 0)


@each_assignment
def test_without_networks_their_questions_are_lost(grades, assignment):
    if not source(assignment).metadata.course.artifacts:
        pytest.skip("nothing is trained")
    networks = judged_by_networks(assignment)
    assert networks
    got = grades[assignment, "without-networks"]
    assert {question for question in networks if got[question]} == set()


@pytest.mark.parametrize(("assignment", "sample", "share"), MISTAKES, ids=lambda v: str(v)[:30])
def test_mistakes_cost_points_only_where_an_answer_depends_on_them(
    grades, assignment, sample, share
):
    dependencies = Dependencies(source(assignment))
    touched = set().union(*(dependencies.questions_on(m.of.__name__) for m in share))
    assert lost(grades, assignment, sample) <= touched


@pytest.mark.parametrize(
    ("assignment", "sample", "wrong"), MISCONCEPTIONS, ids=[m.name for _, _, m in MISCONCEPTIONS]
)
def test_a_misconception_loses_points_of_its_question_and_is_named(
    course, grades, assignment, sample, wrong
):
    verdicts = Record.read(graded(course, assignment, sample)).questions
    naming = {
        question
        for question, verdict in verdicts.items()
        if wrong.name in [m.name for m in verdict.misconceptions]
    }
    assert naming & lost(grades, assignment, sample)
    page = course / "feedback" / sample / assignment / f"{assignment}.html"
    assert escape(wrong.explanation.split("`")[0], quote=False) in page.read_text()


@pytest.mark.parametrize(("assignment", "sample", "share"), MISTAKES, ids=lambda v: str(v)[:30])
def test_only_misconceptions_and_their_consequences_are_named(course, assignment, sample, share):
    # A run with a wrong step may look like a misconception about runs.
    questions = Record.read(graded(course, assignment, sample)).questions
    named = {m.name for verdict in questions.values() for m in verdict.misconceptions}
    dependencies = Dependencies(source(assignment))
    wrong = {misconception.of.__name__ for misconception in share}
    follows = {
        m.name
        for m in misconceptions_in(assignment)
        if m.of.__name__ not in wrong and wrong & dependencies.below([m.of.__name__])
    }
    assert named - follows == {misconception.name for misconception in share}


# ------------------------------------------------------------------------------------------------
# Trouble


@pytest.mark.parametrize("sample", NOTHING_LOST)
def test_a_submission_that_is_odd_but_right_loses_nothing(grades, sample):
    assert lost(grades, TROUBLE_IN, sample) == set()


@pytest.mark.parametrize("sample", ANSWERS_LOST)
def test_a_lost_kernel_costs_only_the_questions_that_depend_on_its_cell(grades, sample):
    cells = source(TROUBLE_IN).cells
    first = next(c for c in cells if nbgrader_marks(c).get("solution") and c.cell_type == "code")
    dependencies = Dependencies(source(TROUBLE_IN))
    defined = Dependencies(nbformat.v4.new_notebook(cells=[first])).names
    resting = set().union(*(dependencies.questions_on(name) for name in defined))
    assert lost(grades, TROUBLE_IN, sample) == resting


def test_a_file_that_is_not_a_notebook_gets_nothing(grades):
    assert grades[TROUBLE_IN, "not-json"] == dict.fromkeys(full(TROUBLE_IN), 0)


def test_odd_submissions_and_no_others_are_flagged(course, grades):
    for assignment, sample in grades:
        if sample == "forges-scores":
            continue  # its objects that answer anything may keep the public checks busy for ever
        flags = " ".join(Record.read(graded(course, assignment, sample)).flags)
        assert FLAGS[sample] in flags if sample in FLAGS else not flags, (assignment, sample, flags)


def test_the_snoop_finds_nothing(course):
    printed = [
        output.text
        for cell in graded(course, TROUBLE_IN, "snoops-around").cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.text.startswith("FOUND")
    ]
    assert printed == ["FOUND []\n"]


# ------------------------------------------------------------------------------------------------
# What the instructor and the students get


@each_assignment
def test_written_answers_wait_for_a_person(course, assignment):
    marks = [nbgrader_marks(c) for c in source(assignment).cells if c.cell_type == "markdown"]
    written = {m.grade_id for m in marks if m.get("grade")}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        notebook = gradebook.find_submission_notebook(assignment, assignment, "solution")
        waiting = {grade.name for grade in notebook.grades if grade.needs_manual_grade}
    assert waiting == written


@each_assignment
def test_no_feedback_page_shows_a_hidden_test(course, grades, assignment):
    pages = list((course / "feedback").glob(f"*/{assignment}/{assignment}.html"))
    assert len(pages) == len([a for a, _ in grades if a == assignment])
    for page in pages:
        text = page.read_text()
        assert "HIDDEN TESTS" not in text
        assert "from autograder.hidden import" not in text


@each_assignment
def test_the_class_report_and_the_grades_file_exist(course, grades, assignment):
    page = (course / "report" / f"{assignment}.html").read_text()
    lines = (course / "report" / f"{assignment}.csv").read_text().splitlines()
    samples = [sample for a, sample in grades if a == assignment]
    assert all(sample in page for sample in samples)
    # Students who handed in only another assignment have a line as well.
    assert set(samples) <= {line.partition(",")[0] for line in lines[1:]}
