"""Where the best attempt counts: which one it is, what is kept, and what is said about it."""

import csv
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from nbgrader.converters import Autograde
from small_course import ASSIGNMENT, cell_of, marks, small_course, small_notebook, write_source

from autograder.configuration import add_scripts_to_path, full_config
from autograder.course import Course
from autograder.grading import best_attempt
from autograder.grading.attempt_choice import Choice, attempts_of
from autograder.grading.converting import convert
from autograder.grading.grade import grade
from autograder.releasing.release import make_release
from autograder.reporting.report import class_report
from autograder.sandbox.bubblewrap import SandboxUnavailable, require

pytestmark = pytest.mark.slow

STUDENT = "ada"
IN_TIME, LATE, LATER = "2027-02-14-12-00-00", "2027-02-17-06-00-00", "2027-02-17-07-00-00"
SETTINGS = f'attempts = "best"\n[due]\n{ASSIGNMENT} = 2027-02-15T12:00:00Z\n[late]\n'
DAILY = 'penalty = "daily"\npercent_per_day = 20\n'

ANSWERS = {
    "right": ("return w / 2", 4),
    "wrong": ("return w", 1),
    "wrong as well": ("return w + 0", 1),
    "nothing": ("raise NotImplementedError", 0),
}
"""The body of the student's function, and its points."""

HIDDEN_TESTS = {
    "halve": (
        3,
        "score(same(student.halve, lambda w: w / 2, on=[(np.ones(3, np.float32),)]), of=3)",
    ),
    "runs": (1, 'score(holds(lambda: student.halve(np.ones(3)) is not None, "It runs."), of=1)'),
}

CONFIGURATION = """
from pathlib import Path
from autograder.configuration import course_config
from autograder.course import Course
c = get_config()
c.merge(course_config(Course(Path(__file__).parent, Path({notebooks!r}))))
"""


def source():
    """Return the source notebook, with a test for the value and one for any result."""
    found = small_notebook()
    tests = [
        new_code_cell(
            "### BEGIN HIDDEN TESTS\nimport numpy as np\n"
            "from autograder.hidden import holds, same, score, student\n\n"
            f"{test}\n### END HIDDEN TESTS\n",
            id=name,
            metadata=marks(name, points=points, locked=True),
        )
        for name, (points, test) in HIDDEN_TESTS.items()
    ]
    place = found.cells.index(cell_of(found, "test"))
    found.cells[place : place + 1] = tests
    found.cells = [cell for cell in found.cells if cell.id != "task"]
    return found


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """Return a folder with a course and its release."""
    try:
        require()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("released")
    write_source(folder, source())
    course = small_course(folder)
    make_release(ASSIGNMENT, course)
    return folder


@pytest.fixture
def course(released, tmp_path, monkeypatch):
    """Return a course in which the best attempt counts."""
    shutil.copytree(released, tmp_path, dirs_exist_ok=True, symlinks=True)
    monkeypatch.setenv("TZ", "UTC")
    return configured(small_course(tmp_path), DAILY)


def configured(course, late, attempts="best"):
    """Write the settings; return the course as the next command sees it."""
    text = (SETTINGS + late).replace('"best"', f'"{attempts}"')
    (course.folder / "course.toml").write_text(text)
    configuration = CONFIGURATION.format(notebooks=str(course.notebooks))
    (course.folder / "nbgrader_config.py").write_text(configuration)
    return Course(course.folder, course.notebooks)


def hand_in(answer, reason="The exponent becomes smaller by one."):
    """Return a notebook with an answer and a written answer."""
    found = source()
    cell_of(found, "answer").source = f"def halve(w):\n    {ANSWERS[answer][0]}\n"
    cell_of(found, "reason").source = reason
    return found


def imported(course, attempts):
    """Grade a download of Blackboard with attempts of a student, given by their times."""
    download = course.folder.parent / "download"
    shutil.rmtree(download, ignore_errors=True)
    download.mkdir()
    for time, found in attempts.items():
        found = hand_in(found) if isinstance(found, str) else found
        name = f"{ASSIGNMENT}_{STUDENT}_attempt_{time}_{ASSIGNMENT}.ipynb"
        nbformat.write(found, download / name)
    [outcome] = grade(ASSIGNMENT, course, source=download, jobs=1)
    assert outcome.problem is None


def counts(course):
    """Return the points, the penalty and what waits for a person, as the gradebook has them."""
    with course.gradebook() as gradebook:
        found = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, STUDENT)
        waiting = {grade.name for grade in found.grades if grade.needs_manual_grade}
        return found.score, pytest.approx(found.late_submission_penalty or 0), waiting


def graded_by_hand(course, points):
    with course.gradebook() as gradebook:
        found = gradebook.find_grade("reason", ASSIGNMENT, ASSIGNMENT, STUDENT)
        found.manual_score, found.needs_manual_grade = points, False
        gradebook.db.commit()


def ledger(course):
    """Return what became of each file of the last download, and why, the earliest first."""
    with course.hand_ins(ASSIGNMENT).open(encoding="utf-8") as table:
        return [(row["what became of it"], row["why"]) for row in csv.DictReader(table)]


@pytest.fixture
def runs(monkeypatch):
    """Grade in this process; return a list that gets an entry for every notebook that is run."""
    found = []
    inner = best_attempt.convert

    def counted(step, assignment, student, config):
        if "TakeGraded" not in config:
            found.append(student)
        return inner(step, assignment, student, config)

    def in_this_process(work, names, **limits):
        return ((name, work(name)) for name in names)

    monkeypatch.setattr(best_attempt, "convert", counted)
    monkeypatch.setattr("autograder.grading.outcomes.in_workers", in_this_process)
    return found


def test_of_the_attempts_in_one_download_the_one_with_the_most_points_counts(course):
    imported(course, {IN_TIME: "right", LATE: "wrong", LATER: "nothing"})
    assert counts(course) == (4, 0, {"reason"})
    [best, *others] = ledger(course)
    why = "it is attempt 1 of 3, which counts, with 4 automatic points"
    assert best == ("graded", why)
    assert [what for what, _ in others] == ["left out", "left out"]
    assert others[0][1] == (
        "it is attempt 2 of 3, with 0.6 automatic points, after 0.4 were taken off because it was "
        "late; attempt 1 has more and counts"
    )
    page = course.feedback_page(STUDENT, ASSIGNMENT).read_text(encoding="utf-8")
    report = class_report(ASSIGNMENT, course).read_text(encoding="utf-8")
    for text in (page, report):
        assert "Attempt 1 (14 February 2027, 12:00 UTC): 4 automatic points. It counts." in text
        assert "Attempt 3 (17 February 2027, 07:00 UTC): 0 automatic points." in text


@pytest.mark.parametrize(("percent", "best"), [(20, "right"), (40, "wrong")])
def test_a_late_attempt_counts_if_it_has_more_points_after_the_penalty(course, runs, percent, best):
    course = configured(course, f'penalty = "daily"\npercent_per_day = {percent}\n')
    imported(course, {IN_TIME: "wrong", LATE: "right"})
    score, penalty, _ = counts(course)
    assert score == ANSWERS[best][1]
    assert penalty == (2 * 4 * percent / 100 if best == "right" else 0)


def test_a_later_import_of_a_worse_attempt_changes_no_grade(course, runs):
    imported(course, {IN_TIME: "right"})
    graded_by_hand(course, 1)
    imported(course, {LATE: "wrong"})
    assert counts(course) == (5, 0, set())
    assert ledger(course)[0][0] == "left out"
    page = course.feedback_page(STUDENT, ASSIGNMENT).read_text(encoding="utf-8")
    assert "Attempt 2 (17 February 2027, 06:00 UTC): 0.6 automatic points" in page


def test_every_attempt_is_run_once_however_often_it_is_imported(course, runs):
    imported(course, {IN_TIME: "wrong"})
    imported(course, {IN_TIME: "wrong", LATE: "right"})
    imported(course, {IN_TIME: "wrong", LATE: "right", LATER: "nothing"})
    assert len(runs) == 3
    assert counts(course)[0] == 4


def test_of_attempts_with_as_many_points_the_earlier_counts(course, runs):
    imported(course, {IN_TIME: "wrong as well"})
    imported(course, {"2027-02-13-12-00-00": "wrong"})
    submitted = nbformat.read(course.submission(STUDENT, ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", 4)
    assert cell_of(submitted, "answer").source.endswith("return w\n")
    assert "has as many points" in attempt_choice(course).why(
        attempt_choice(course).attempts[1].key
    )


def attempt_choice(course):
    return Choice.read(attempts_of(course, ASSIGNMENT, STUDENT).folder)


def test_points_of_a_person_stay_with_the_attempt_that_they_belong_to(course, runs):
    imported(course, {IN_TIME: hand_in("wrong", "First answer.")})
    graded_by_hand(course, 1)
    imported(course, {LATE: hand_in("right", "Second answer.")})
    assert counts(course) == (4, 1.6, {"reason"})

    graded_by_hand(course, 0.5)
    assert attempt_choice(course).counts == attempt_choice(course).attempts[1].key
    # With a penalty of everything, the first attempt is the best again, with what a person gave it.
    course = configured(course, 'penalty = "zero"\n')
    [outcome] = grade(ASSIGNMENT, course)
    assert outcome.problem is None
    assert counts(course) == (2, 0, set())


def test_an_answer_that_is_the_same_in_both_attempts_is_not_graded_by_hand_twice(course, runs):
    imported(course, {IN_TIME: "wrong"})
    graded_by_hand(course, 1)
    imported(course, {LATE: "right"})
    assert counts(course) == (5, 2.0, set())


def test_points_of_a_person_do_not_change_the_choice(course, runs):
    imported(course, {IN_TIME: "wrong", LATE: "right"})
    graded_by_hand(course, -4)
    [outcome] = grade(ASSIGNMENT, course)
    assert outcome.problem is None
    assert counts(course)[0] == 0
    assert ledger(course)[1][0] == "graded"


def test_a_course_that_goes_over_to_the_best_attempt_keeps_what_counted_before(course, runs):
    latest = configured(course, DAILY, attempts="latest")
    imported(latest, {IN_TIME: "right"})
    graded_by_hand(latest, 1)
    course = configured(course, DAILY)
    imported(course, {LATE: "wrong"})
    assert counts(course) == (5, 0, set())


@pytest.mark.slow
@pytest.mark.thorough
def test_a_grader_that_is_killed_at_any_moment_loses_nothing(course, runs, monkeypatch):
    imported(course, {IN_TIME: hand_in("wrong", "First answer.")})
    graded_by_hand(course, 1)

    class Killed(BaseException):
        pass

    def killed(*args, **options):
        raise Killed

    steps = ["convert", "give_by_hand", "assign_penalty"]
    download = {LATE: hand_in("right", "Second answer.")}
    for step in steps:
        with monkeypatch.context() as patch:
            patch.setattr(best_attempt, step, killed)
            with pytest.raises(Killed):
                imported(course, download)
        # Until another attempt counts, its grade is that of the first one or its own.
        assert counts(course)[0] in (2, 4, 5)
    imported(course, download)
    assert counts(course) == (4, 1.6, {"reason"})
    attempts = attempts_of(course, ASSIGNMENT, STUDENT)
    first = attempts.all()[0]
    assert cell_of(
        nbformat.read(first.submission.path / f"{ASSIGNMENT}.ipynb", 4), "reason"
    ).source == ("First answer.")
    assert not list(attempts.folder.glob("new-*"))


def test_nbgraders_own_command_gives_what_counts_the_same_points(course, runs):
    imported(course, {IN_TIME: "wrong", LATE: "right"})
    ours = counts(course)
    with course.gradebook() as gradebook:
        gradebook.remove_submission(ASSIGNMENT, STUDENT)
    add_scripts_to_path()
    convert(Autograde, ASSIGNMENT, STUDENT, full_config(course))
    assert counts(course) == ours


def test_after_a_new_release_all_attempts_are_compared_anew(course, runs, released):
    imported(course, {IN_TIME: "wrong", LATE: "right"})
    notebook = source()
    test = cell_of(notebook, "halve")
    test.source = test.source.replace("w: w / 2", "w: w")  # now, the other answer is right
    write_source(course.folder.parent, notebook)
    make_release(ASSIGNMENT, course)
    [outcome] = grade(ASSIGNMENT, course)
    assert outcome.problem is None
    assert counts(course)[0] == 4
    assert attempt_choice(course).counts == attempt_choice(course).attempts[0].key
