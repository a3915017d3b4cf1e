"""Where the best attempt counts, every attempt is kept, whatever happens in between."""

import threading

import pytest
from class_downloads import ADA, ANSWER, ASSIGNMENT, BEN, OLD, answer_in, notebook, write

from autograder.grading.intake.collecting import collect
from autograder.grading.intake.kept_attempts import KeptAttempts, digest
from autograder.grading.intake.ledger import UNDECIDED, What
from autograder.grading.intake.submission_folder import SubmissionFolder
from autograder.grading.intake.untouched import UNTOUCHED

FIRST, SECOND, THIRD = "2027-02-14-12-00-00", "2027-02-15-12-00-00", "2027-02-16-12-00-00"


def named(time, file="pruning.ipynb"):
    """Return the name that Blackboard gives to a file of an attempt."""
    return f"pruning_ada_attempt_{time}_{file}"


@pytest.fixture
def submitted(tmp_path):
    return tmp_path / "course" / "submitted"


@pytest.fixture
def take_in(tmp_path, submitted):
    """Return a function that imports files as a folder of their own."""
    number = iter(range(10))

    def run(files):
        source = tmp_path / f"class-{next(number)}"
        write(source, files)
        answers = {"a": ANSWER}
        return collect(source, ASSIGNMENT, submitted, answers=answers, keep_attempts=True)

    return run


@pytest.fixture
def kept(submitted):
    return KeptAttempts(SubmissionFolder(submitted, "ada", ASSIGNMENT))


def answers(kept):
    return [answer_in(one.submission.path / "pruning.ipynb") for one in kept.all()]


def test_every_attempt_of_a_download_is_kept_with_the_files_that_belong_to_it(take_in, kept):
    files = {named(SECOND): BEN, named(FIRST): ADA, named(FIRST, "notes.txt"): b"text"}
    collected = take_in(files)
    assert answers(kept) == ["ada", "ben"]
    first, second = kept.all()
    assert (first.submission.path / "notes.txt").is_file()
    assert not (second.submission.path / "notes.txt").exists()
    assert {entry.parts[-1]: (entry.what, entry.attempt) for entry in collected.ledger.entries} == {
        named(FIRST): (What.NOTEBOOK, first.key),
        named(FIRST, "notes.txt"): (What.BESIDE, first.key),
        named(SECOND): (What.NOTEBOOK, second.key),
    }


def test_two_copies_in_one_attempt_are_no_two_attempts(take_in, kept):
    collected = take_in({"ada.ipynb": ADA, "ada (1).ipynb": BEN})
    assert len(kept.all()) == 1
    assert collected.ledger.needs_a_person


@pytest.mark.parametrize("answer", ["ada", ANSWER])
def test_the_ledger_says_which_attempt_counts_as_soon_as_it_is_decided(take_in, kept, answer):
    ledger = take_in({named(FIRST): notebook(answer)}).ledger
    [entry] = ledger.entries
    untouched = f"{UNTOUCHED}; " if answer == ANSWER else ""
    assert (entry.what, entry.why) == (What.NOTEBOOK, f"{untouched}{UNDECIDED}")
    ledger.settle("ada", kept.all()[0].key, "another has more points", counts=False)
    assert (entry.what, entry.why) == (What.LEFT_OUT, f"{untouched}another has more points")


def test_two_graders_of_a_student_wait_for_each_other(kept):
    order = []

    def second():
        with kept.graded_alone():
            order.append("second")

    with kept.graded_alone():
        other = threading.Thread(target=second)
        other.start()
        other.join(0.5)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_an_attempt_that_comes_again_is_kept_once(take_in, kept):
    take_in({named(FIRST): ADA})
    collected = take_in({named(FIRST): ADA, named(SECOND): BEN})
    assert answers(kept) == ["ada", "ben"]
    assert {entry.attempt for entry in collected.ledger.entries} == {a.key for a in kept.all()}


def test_the_time_decides_which_attempt_was_earlier_and_not_the_order_of_imports(take_in, kept):
    for time, found in [(SECOND, BEN), (FIRST, ADA), (THIRD, OLD)]:
        take_in({named(time): found})
    assert answers(kept) == ["ada", "ben", "old"]


def test_without_times_the_order_of_imports_decides(take_in, kept):
    for found in (BEN, ADA):
        take_in({"ada.ipynb": found})
    assert answers(kept) == ["ben", "ada"]


def test_what_is_submitted_stays_until_another_attempt_is_put_into_its_place(
    take_in, kept, submitted
):
    take_in({named(FIRST): ADA})
    take_in({named(SECOND): BEN})
    notebook_there = submitted / "ada" / ASSIGNMENT / "pruning.ipynb"
    assert answer_in(notebook_there) == "ada"
    first, second = kept.all()
    assert kept.counting() == first
    kept.place(second)
    assert answer_in(notebook_there) == "ben"
    assert kept.counting() == second
    assert answers(kept) == ["ada", "ben"]


def test_a_submission_that_was_changed_by_a_person_is_kept_as_another_attempt(take_in, kept):
    take_in({named(FIRST): ADA})
    kept.keep_submission()
    assert len(kept.all()) == 1
    (kept.submission.path / "pruning.ipynb").write_bytes(OLD)
    kept.keep_submission()
    assert sorted(answers(kept)) == ["ada", "old"]
    assert kept.counting() in kept.all()


def test_a_release_that_was_handed_in_is_said_with_its_attempt(take_in, kept):
    take_in({named(FIRST): notebook(ANSWER), named(SECOND): ADA})
    assert [UNTOUCHED in one.submission.notes for one in kept.all()] == [True, False]


class Killed(BaseException):
    """Ends an import as a signal does."""


def killed(*args, **options):
    raise Killed


def test_an_import_that_was_killed_is_completed_by_the_next(take_in, kept, monkeypatch):
    take_in({named(FIRST): ADA})
    with monkeypatch.context() as patch:
        patch.setattr("autograder.grading.intake.kept_attempts.digest", killed)
        with pytest.raises(Killed):
            take_in({named(SECOND): BEN})
    assert answers(kept) == ["ada"]
    take_in({named(SECOND): BEN})
    assert answers(kept) == ["ada", "ben"]
    assert not list(kept.folder.glob("new-*"))


def test_a_submission_is_there_as_a_whole_when_its_replacement_is_killed(
    take_in, kept, monkeypatch
):
    take_in({named(FIRST): ADA})
    take_in({named(SECOND): BEN})
    with monkeypatch.context() as patch:
        patch.setattr("autograder.grading.intake.kept_attempts.shutil.copytree", killed)
        with pytest.raises(Killed):
            kept.place(kept.all()[1])
    assert kept.counting() == kept.all()[0]
    kept.place(kept.all()[1])
    assert kept.counting() == kept.all()[1]


def test_the_digest_depends_on_content_and_names(tmp_path):
    write(tmp_path / "one", {"pruning.ipynb": ADA, "artifacts/w": b"1"})
    write(tmp_path / "same", {"pruning.ipynb": ADA, "artifacts/w": b"1"}, {"artifacts/w": 1.7e9})
    write(tmp_path / "other", {"pruning.ipynb": ADA, "artifacts/v": b"1"})
    assert digest(tmp_path / "one") == digest(tmp_path / "same") != digest(tmp_path / "other")
