"""`regrade` says whose grades would change, writes nothing, and grading then repeats no work."""

import shutil
import sqlite3
from contextlib import closing

import nbformat
import pytest
from small_class import (
    STUDENT,
    course,
    grade_by_hand,
    graded,
    notebook,
    released,
    sandbox,
    submission,
)
from small_course import ASSIGNMENT, cell_of, small_course, write_source

from autograder.cli import main
from autograder.grading import job
from autograder.grading.grade import Outcome, grade
from autograder.grading.intake.collecting import NoHandIns
from autograder.grading.record import QuestionRecord, Record
from autograder.grading.regrade import Change, Regraded, regrade
from autograder.grading.trouble import DiskTrouble
from autograder.releasing.release import make_release

__all__ = ["course", "graded", "released", "sandbox"]  # fixtures

pytestmark = pytest.mark.slow


def release_with(course, old, new):
    """Release the assignment anew with a change in its hidden test."""
    source = notebook()
    test = cell_of(source, "test")
    test.source = test.source.replace(old, new)
    write_source(course.folder.parent, source)
    make_release(ASSIGNMENT, course)


def kept_results(course):
    files = (course.folder / ".cache").rglob("results/*")
    return {file.name: file.stat().st_mtime_ns for file in files}


def test_nothing_to_say_if_nothing_has_changed(graded):
    found = regrade(ASSIGNMENT, graded, jobs=1)
    assert (found.students, found.changes, found.problems) == (0, [], {})


def test_a_changed_hidden_test_changes_a_grade_only_when_it_is_written(graded):
    before = submission(graded)
    release_with(graded, "w / 2", "w / 4")
    found = regrade(ASSIGNMENT, graded, jobs=1)
    [change] = found.changes
    assert (change.student, change.before, change.after) == (STUDENT, 4.0, 0.0)
    assert found.students == 1
    assert submission(graded) == before
    assert not (graded.folder / ".regrade").exists()
    kept = kept_results(graded)
    assert len(kept) == 1
    assert grade(ASSIGNMENT, graded) == [Outcome(STUDENT)]
    assert kept_results(graded) == kept  # the same result was taken over
    assert submission(graded)[0] == before[0] - 4.0
    assert regrade(ASSIGNMENT, graded, jobs=1).changes == []


def test_the_same_hand_in_is_run_once(graded):
    shutil.copytree(graded.submission(STUDENT, ASSIGNMENT), graded.submission("bob", ASSIGNMENT))
    kept = kept_results(graded)
    assert grade(ASSIGNMENT, graded) == [Outcome(STUDENT, unchanged=True), Outcome("bob")]
    assert kept_results(graded) == kept
    with graded.gradebook() as gradebook:
        [mine, copied] = (
            gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, name).score
            for name in (STUDENT, "bob")
        )
    assert mine == copied > 0


def test_what_is_asked_to_be_graded_again_is_run_again(graded):
    kept = kept_results(graded)
    assert grade(ASSIGNMENT, graded, again=True) == [Outcome(STUDENT)]
    assert kept_results(graded).keys() == kept.keys()
    assert kept_results(graded) != kept


def test_points_given_by_hand_are_not_among_the_changes(graded):
    grade_by_hand(graded, 1.0)
    release_with(graded, "np.ones(3", "np.ones(4")
    found = regrade(ASSIGNMENT, graded, jobs=1)
    assert (found.students, found.changes) == (1, [])


def test_the_command_prints_what_it_found(graded, monkeypatch, capsys):
    release_with(graded, "w / 2", "w / 4")
    monkeypatch.setattr("autograder.commands._course", lambda _: small_course(graded.folder.parent))
    assert main(["regrade", ASSIGNMENT, "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert f"{STUDENT}: " in said
    assert "4 points -> 0 points" in said
    assert "the grades of 1 would change" in said
    assert "Nothing is written" in said


def test_one_student_is_graded_again_and_nobody_else(graded):
    shutil.copytree(graded.submission(STUDENT, ASSIGNMENT), graded.submission("bob", ASSIGNMENT))
    found = regrade(ASSIGNMENT, graded, students=["bob"], jobs=1)
    assert {change.student for change in found.changes} == {"bob"}
    with pytest.raises(NoHandIns, match="There is no submission of eve"):
        regrade(ASSIGNMENT, graded, students=["eve"])


def test_one_question_of_one_student_is_written(graded, monkeypatch, capsys):
    release_with(graded, "w / 2", "w / 4")
    monkeypatch.setattr("autograder.commands._course", lambda _: small_course(graded.folder.parent))
    options = ["--jobs", "1", "--student", STUDENT]
    assert main(["regrade", ASSIGNMENT, *options, "--question", "half"]) == 1
    said = capsys.readouterr().err
    assert f"'half' is not a question of {ASSIGNMENT}. Its questions are: halve, reason." in said
    assert main(["regrade", ASSIGNMENT, *options, "--question", "reason", "--write"]) == 0
    said = capsys.readouterr()
    assert f"other questions would change, too, for {STUDENT}" in said.err
    assert "graded: 0 of 0 submissions" in said.out
    assert submission(graded)[0] == 4.0
    assert main(["regrade", ASSIGNMENT, *options, "--question", "halve", "--write"]) == 0
    assert "graded: 1 of 1 submissions" in capsys.readouterr().out
    assert submission(graded)[0] == 0.0


def test_a_student_for_whom_other_questions_would_change_is_named():
    changes = [
        Change("ada", "a", "A", 1.0, 0.0),
        Change("ben", "a", "A", 1.0, 0.0),
        Change("ben", "b", "B", 0.0, 1.0),
    ]
    assert Regraded(2, changes, {}).only("a") == (changes[:2], ["ben"])


def test_a_gradebook_that_is_in_use_is_one_sentence(graded, monkeypatch):
    monkeypatch.setattr("autograder.course.LOCK_SECONDS", 0)
    with closing(sqlite3.connect(graded.database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DiskTrouble, match="The gradebook is in use by another program"):
            regrade(ASSIGNMENT, graded, jobs=1)


def test_a_change_is_one_line():
    change = Change("ada", "rounding", "1.1 Rounding", 8.0, None, ("A person will look.",))
    assert str(change) == "ada: 1.1 Rounding: 8 points -> no points yet (A person will look.)"


def test_a_result_with_a_note_is_not_kept(tmp_path):
    graded = nbformat.v4.new_notebook()
    for kept, record in [
        (False, Record(flags=["a limit was reached"])),
        (False, Record(questions={"q": QuestionRecord(0.0, 1.0, judged=False)})),
        (True, Record(questions={"q": QuestionRecord(0.0, 1.0)})),
    ]:
        record.write(graded)
        job.keep_result(tmp_path / "result", graded)
        assert (job.kept_result(tmp_path / "result") is not None) == kept
