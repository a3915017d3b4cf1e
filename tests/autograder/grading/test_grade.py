"""What a run of `grade` leaves behind, however it ends."""

import errno
import os
import signal
import sqlite3
from contextlib import closing

import nbformat
import pytest
from graded_course import ASSIGNMENT, GradedCourse
from nbformat.v4 import new_notebook
from traitlets.config import Config

from autograder.cli import main
from autograder.commands import LOOK_AT_IT
from autograder.configuration import full_config
from autograder.course import Course
from autograder.grading import grade as grading
from autograder.grading import outcomes
from autograder.grading.grade import GradingStopped, grade
from autograder.grading.unchanged import Unchanged
from autograder.grading.unfinished import INTERRUPTED, unfinished
from autograder.grading.workers import WorkerLost
from autograder.sandbox import shown

STUDENTS = ["ada", "ben", "cas"]


@pytest.fixture
def course(tmp_path):
    """Return the folder of a course with three submissions that wait to be graded."""
    course = GradedCourse(tmp_path / "course")
    for student in STUDENTS:
        place = course.folder / "submitted" / student / ASSIGNMENT
        place.mkdir(parents=True)
        nbformat.write(new_notebook(), place / f"{ASSIGNMENT}.ipynb")
    return course.folder


@pytest.fixture
def workers(monkeypatch):
    """Replace the worker processes; a test says how each submission ends."""
    ends = {}

    def in_workers(work, names, *, workers, seconds, inherited):
        for name in names:
            end = ends.get(name)
            if isinstance(end, signal.Signals):
                os.kill(os.getpid(), end)
            yield name, end if isinstance(end, WorkerLost) else grading.Outcome(name)

    monkeypatch.setattr("autograder.grading.outcomes.in_workers", in_workers)
    return ends


def run(course, **options):
    settings = Config()
    settings.GradeInSandbox.sandbox = False
    return grade(ASSIGNMENT, Course(course), settings=settings, **options)


def test_every_submission_has_an_outcome_and_nothing_is_unfinished(course, workers):
    assert [outcome.student for outcome in run(course)] == STUDENTS
    assert unfinished(ASSIGNMENT, Course(course)) == {}


def test_a_lost_worker_affects_only_its_submission_and_is_reported(course, workers):
    workers["ben"] = WorkerLost("its process died twice")
    problems = {outcome.student: outcome.problem for outcome in run(course)}
    lost = "the grader failed in this submission: its process died twice"
    assert problems == {"ada": None, "ben": lost, "cas": None}
    assert unfinished(ASSIGNMENT, Course(course)) == {"ben": f"there is no grade: {lost}"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_run_says_what_is_graded_and_how_to_continue(course, workers, number):
    workers["ben"] = number
    before = signal.signal(number, signal.default_int_handler)  # these tests may run under nohup
    try:
        with pytest.raises(GradingStopped) as stopped:
            run(course)
    finally:
        signal.signal(number, before)
    text = str(stopped.value)
    assert "1 of 3 submissions are graded" in text
    assert "Not graded: ben, cas." in text
    assert f"autograder grade {ASSIGNMENT} --unfinished" in text
    assert unfinished(ASSIGNMENT, Course(course)) == {"ben": INTERRUPTED, "cas": INTERRUPTED}


def test_the_handlers_of_signals_are_restored(course, workers):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    run(course)
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)] == before


def test_a_run_under_nohup_outlives_its_terminal(course, workers):
    workers["ben"] = signal.SIGHUP
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert [outcome.problem for outcome in run(course)] == [None] * 3
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_command_continues_with_what_is_unfinished(course, workers, monkeypatch, capsys):
    workers["ben"] = signal.SIGTERM
    command = ["grade", ASSIGNMENT, "--course", str(course), "--no-sandbox"]
    assert main(command) == 130
    said = capsys.readouterr().err
    assert "Not graded: ben, cas." in said
    assert "Traceback" not in said
    workers.clear()
    assert main([*command, "--unfinished"]) == 0
    assert "graded: 2 of 2 submissions" in capsys.readouterr().out
    assert main([*command, "--unfinished"]) == 0
    assert "graded: 0 of 0 submissions" in capsys.readouterr().out


@pytest.fixture
def hand_ins(tmp_path):
    """Return a folder with the hand-ins of dan and eve, to which a test adds others."""
    folder = tmp_path / "class"
    for student in ["dan", "eve"]:
        (folder / student).mkdir(parents=True)
        nbformat.write(new_notebook(), folder / student / f"{ASSIGNMENT}.ipynb")
    return folder


def command_line(course, *arguments):
    return main(["grade", ASSIGNMENT, "--course", str(course), "--no-sandbox", *arguments])


def last_line(capsys):
    return capsys.readouterr().out.splitlines()[-1]


def test_the_last_line_accounts_for_every_file_of_an_import(course, workers, hand_ins, capsys):
    (hand_ins / ".DS_Store").touch()
    assert command_line(course, "--from", str(hand_ins)) == 0
    table = course / "report" / f"{ASSIGNMENT}-hand-ins.csv"
    assert last_line(capsys) == (
        f"graded: 2 of 2 submissions; 3 files came in: 2 taken, 1 made by tools (see {table})"
    )
    assert len(table.read_text().splitlines()) == 4


def test_the_exit_status_says_that_something_was_left_out(course, workers, hand_ins, capsys):
    (hand_ins / "fay.rar").write_bytes(b"Rar!")
    assert command_line(course, "--from", str(hand_ins)) == LOOK_AT_IT
    assert "1 left out that you should look at" in last_line(capsys)
    workers["dan"] = WorkerLost("its process died twice")
    assert command_line(course, "--from", str(hand_ins)) == 1


def test_nothing_is_graded_if_nothing_is_recognised(course, workers, tmp_path, capsys):
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / f"{ASSIGNMENT}.zip").write_bytes(b"no zip")
    assert command_line(course, "--from", str(tmp_path / "class")) == 1
    assert "nothing was imported and nobody is graded" in capsys.readouterr().err


def test_a_student_who_is_named_twice_is_graded_once(course, workers, capsys):
    assert command_line(course, "--student", "ada", "--student", "ada") == 0
    assert last_line(capsys) == "graded: 1 of 1 submissions"


def test_a_student_may_be_named_as_the_hand_in_was(course, workers, hand_ins):
    (hand_ins / "dan").rename(hand_ins / "[TA] Jane")
    (outcome,) = run(course, source=hand_ins, students=["[TA] Jane"])
    assert outcome.student.startswith("TA_ Jane-")


def test_a_student_without_a_submission_is_named(course, workers, capsys):
    assert command_line(course, "--student", "zoe") == 1
    assert "There is no submission of zoe." in capsys.readouterr().err


def test_a_locked_gradebook_is_said_in_one_sentence(course, workers, monkeypatch, capsys):
    monkeypatch.setattr("autograder.course.LOCK_SECONDS", 0)
    with closing(sqlite3.connect(course / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert command_line(course) == 1
    said = capsys.readouterr().err
    assert "The gradebook is in use by another program" in said
    assert "Traceback" not in said
    assert command_line(course) == 0


def test_a_gradebook_that_is_locked_later_on_costs_nobody_a_grade(course, monkeypatch):
    monkeypatch.setattr("autograder.course.LOCK_SECONDS", 0)
    config = full_config(Course(course))
    graded_before = Unchanged(ASSIGNMENT, Course(course), config)
    with closing(sqlite3.connect(course / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        problem = grading._grade_one(ASSIGNMENT, config, graded_before, "ada").problem
    assert problem == (
        "the gradebook is in use by another program, such as the formgrader or another `autograder "
        "grade`: wait until it has ended, or close it. Nothing is lost; `autograder grade "
        f"{ASSIGNMENT} --unfinished` goes on from here"
    )


def test_a_read_only_course_is_said_in_one_sentence(course, workers, monkeypatch, capsys):
    def refuse(*arguments):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(course))

    monkeypatch.setattr(grading.unfinished, "begin", refuse)
    assert command_line(course) == 1
    assert "make the course folder writable" in capsys.readouterr().err


def test_an_error_of_ours_is_not_taken_for_the_users(course, workers, monkeypatch):
    def fail(*arguments, **options):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "a file of ours")

    monkeypatch.setattr(grading, "collect", fail)
    with pytest.raises(FileNotFoundError):
        command_line(course)


def test_an_import_cannot_be_combined_with_unfinished(course, workers, tmp_path, capsys):
    command = ["grade", ASSIGNMENT, "--course", str(course), "--no-sandbox", "--unfinished"]
    assert main([*command, "--from", str(tmp_path)]) == 1
    assert "leave out --from" in capsys.readouterr().err


def test_temporary_folders_of_killed_graders_are_swept_before_and_after(
    course, workers, monkeypatch
):
    steps = []
    in_workers = outcomes.in_workers
    monkeypatch.setattr(outcomes, "sweep", lambda: steps.append("sweep"))
    monkeypatch.setattr(
        outcomes, "in_workers", lambda *a, **k: steps.append("work") or in_workers(*a, **k)
    )
    workers["ben"] = signal.SIGTERM
    with pytest.raises(GradingStopped):
        run(course)
    assert steps == ["sweep", "work", "sweep"]


def test_a_course_that_student_code_could_read_is_refused(tmp_path, monkeypatch):
    tmp_path.chmod(0o755)
    monkeypatch.setattr(shown, "SYSTEM", (*shown.SYSTEM, str(tmp_path)))
    with pytest.raises(shown.Exposed, match=r"The course folder .* lies in"):
        grade(ASSIGNMENT, Course(tmp_path / "course"))
    assert not (tmp_path / "course").exists()
