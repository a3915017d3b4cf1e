"""The folder of a submission in the course is made safe to read, and its notes are kept."""

import os
import shutil

import nbformat
import pytest

from autograder.grading.intake import hand_in_files
from autograder.grading.intake.hand_in_files import MAX_DEPTH
from autograder.grading.intake.submission_folder import SIDE, SubmissionFolder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "submitted").mkdir()
    return SubmissionFolder(tmp_path / "submitted", "ada", "work")


def write(path, content="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def write_notebook(path, source="1 + 1"):
    cell = nbformat.v4.new_code_cell(source)
    write(path, nbformat.writes(nbformat.v4.new_notebook(cells=[cell])))


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def bring_notebook(source):
    return lambda intake: write_notebook(intake.folder / "work.ipynb", source)


def test_a_submission_in_order_is_not_changed(folder):
    write_notebook(folder.path / "work.ipynb")
    write(folder.path / "artifacts" / "w.json")
    assert folder.prepare() == folder.notes == []
    assert files(folder.submitted) == ["ada/work/artifacts/w.json", "ada/work/work.ipynb"]


def test_links_and_special_files_are_removed_and_their_targets_stay(folder, tmp_path):
    write(tmp_path / "secret", "secret")
    write_notebook(folder.path / "work.ipynb")
    (folder.path / "inner").mkdir()
    (folder.path / "inner" / "link").symlink_to(tmp_path / "secret")
    (folder.path / "folder").symlink_to(tmp_path)
    os.mkfifo(folder.path / "pipe")
    assert folder.prepare() == [
        "folder was taken away: it is a link",
        "pipe was taken away: it is a named pipe",
        "inner/link was taken away: it is a link",
    ]
    assert files(folder.path) == ["work.ipynb"]
    assert (tmp_path / "secret").read_text() == "secret"


@pytest.mark.timeout(20)  # opening a FIFO waits for its other end
def test_a_fifo_in_place_of_the_notebook_is_a_missing_notebook(folder):
    folder.path.mkdir(parents=True)
    os.mkfifo(folder.path / "work.ipynb")
    assert folder.prepare() == [
        "work.ipynb was taken away: it is a named pipe",
        "there is no work.ipynb (0 notebooks)",
    ]
    assert (folder.path / "work.ipynb").read_bytes() == b""


@pytest.mark.parametrize("level", ["ada", "ada/work"])
@pytest.mark.parametrize("kind", ["link", "named pipe", "file"])
def test_anything_else_in_place_of_a_folder_is_removed(folder, level, kind, tmp_path):
    write_notebook(tmp_path / "another" / "work" / "work.ipynb", "another's")
    place = folder.submitted / level
    place.parent.mkdir(exist_ok=True)
    if kind == "link":
        place.symlink_to(tmp_path / "another" / place.relative_to(folder.submitted / "ada"))
    elif kind == "named pipe":
        os.mkfifo(place)
    else:
        place.write_text("")
    assert folder.prepare() == [
        f"{level} was taken away: it is a {kind}",
        "there is no work.ipynb (0 notebooks)",
    ]
    assert not folder.path.parent.is_symlink()
    assert not folder.path.is_symlink()
    assert (folder.path / "work.ipynb").read_bytes() == b""
    assert (tmp_path / "another" / "work" / "work.ipynb").stat().st_size > 0


def test_files_beyond_the_limits_are_taken_away_but_kept(folder, monkeypatch):
    monkeypatch.setattr(hand_in_files, "MAX_FILES_BYTES", 10_000)
    write_notebook(folder.path / "work.ipynb")
    write(folder.path / "large", "x" * 20_000)
    write(folder.path.joinpath(*["d"] * (MAX_DEPTH + 2)) / "deep", "deep")
    assert len(folder.prepare()) == 2
    assert files(folder.path) == ["work.ipynb"]
    away = folder.submitted / SIDE / "work" / "ada" / "taken-away"
    assert {p.read_text()[:4] for p in away.rglob("*") if p.is_file()} == {"xxxx", "deep"}


def test_names_of_files_that_cannot_be_shown_are_changed(folder):
    write_notebook(folder.path / "work.ipynb")
    write(folder.path / "a\x1b[2Jb" / "c\n\udcff", "1")
    write(folder.path / "d\x07", "2")
    write(folder.path / "d\ufffd", "3")
    notes = folder.prepare()
    assert notes == [
        "d\ufffd was taken away: its name cannot be shown",
        "a\ufffd[2Jb/c\ufffd\ufffd came with a name that cannot be shown",
    ]
    assert files(folder.path) == ["a\ufffd[2Jb/c\ufffd\ufffd", "d\ufffd", "work.ipynb"]
    assert (folder.path / "d\ufffd").read_text() == "3"


@pytest.mark.parametrize("name", ["work (1).ipynb", "solution.ipynb"])
def test_the_only_notebook_is_the_submission(folder, name):
    write_notebook(folder.path / name)
    write_notebook(folder.path / "._work.ipynb")
    assert folder.prepare() == [f"the notebook was called {name}"]
    assert (folder.path / "work.ipynb").stat().st_size > 0


def test_a_folder_in_place_of_the_notebook_is_a_missing_notebook(folder):
    write(folder.path / "work.ipynb" / "readme.txt")
    assert folder.prepare() == [
        "work.ipynb was taken away: it is a folder",
        "there is no work.ipynb (0 notebooks)",
    ]


def test_a_zipped_folder_is_unwrapped_whatever_it_holds(folder):
    """x/x and a second __MACOSX would each replace something that is already there."""
    write_notebook(folder.path / "x" / "work.ipynb")
    write(folder.path / "x" / "x" / "data", "1")
    write(folder.path / "x" / "__MACOSX" / "._x", "2")
    write(folder.path / "__MACOSX" / "._x", "3")
    assert folder.prepare() == ["one of two __MACOSX was taken away"]
    assert files(folder.path) == ["__MACOSX/._x", "work.ipynb", "x/data"]


def test_a_zipped_folder_whose_name_cannot_be_shown_is_unwrapped(folder):
    write_notebook(folder.path / "x\x07y" / "work.ipynb")
    write(folder.path / "x\x07y" / "artifacts" / "w.json")
    folder.prepare()
    assert files(folder.path) == ["artifacts/w.json", "work.ipynb"]


def test_a_file_in_the_way_of_unwrapping_is_taken_away(folder):
    write_notebook(folder.path / "x" / "work.ipynb")
    write(folder.path / ".unwrapped")
    assert folder.prepare() == ["the file .unwrapped was taken away: it was in the way"]
    assert files(folder.path) == ["work.ipynb"]


def test_unwrapping_continues_after_a_kill(folder):
    write_notebook(folder.path / ".unwrapped" / "work.ipynb")
    write(folder.path / "artifacts" / "w.json")
    assert folder.prepare() == []
    assert files(folder.path) == ["artifacts/w.json", "work.ipynb"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2025-13-01 00:00:00",
        "0001-01-01 00:00:00 +0900",
        "2025-11-20 17:30:00 /dev/zero",
        "9" * 5000,
        "\x1b[2J",
    ],
)
def test_a_timestamp_that_nbgrader_cannot_read_is_taken_away(folder, text):
    write_notebook(folder.path / "work.ipynb")
    write(folder.path / "timestamp.txt", text)
    assert folder.prepare() == ["timestamp.txt was taken away: nbgrader cannot read it"]
    assert files(folder.path) == ["work.ipynb"]


@pytest.mark.parametrize(
    "text", ["2025-11-20 17:30:00.123456 UTC\n", "2025-11-20 17:30:00 +0100", "2025-11-20 17:30:00"]
)
def test_nbgraders_timestamp_stays(folder, text):
    write_notebook(folder.path / "work.ipynb")
    write(folder.path / "timestamp.txt", text)
    assert folder.prepare() == []


def test_a_timestamp_in_a_hand_in_is_not_trusted(folder):
    def bring(intake):
        write_notebook(intake.folder / "work" / "work.ipynb")
        write(intake.folder / "work" / "timestamp.txt", "1999-12-31 23:59:59 UTC")

    folder.fill(bring, [])
    reason = "a hand-in cannot set its own time of submission"
    assert folder.notes == [f"timestamp.txt was taken away: {reason}"]
    assert files(folder.path) == ["work.ipynb"]


def test_notes_stay_when_there_is_nothing_more_to_note(folder):
    write_notebook(folder.path / "solution.ipynb")
    folder.prepare(["came by mail"])
    assert folder.prepare() == []
    assert folder.notes == ["came by mail", "the notebook was called solution.ipynb"]
    (folder.path / "link").symlink_to("/")
    assert folder.prepare() == ["link was taken away: it is a link"]
    assert len(folder.notes) == 3


def test_notes_on_a_notebook_that_was_replaced_by_hand_are_forgotten(folder):
    folder.path.mkdir(parents=True)
    assert folder.prepare() == ["there is no work.ipynb (0 notebooks)"]
    write_notebook(folder.path / "work.ipynb")
    assert folder.prepare() == folder.notes == []


def test_a_new_submission_replaces_the_old_one_and_its_notes(folder):
    folder.fill(bring_notebook("1"), ["old"])
    write(folder.path / "old.txt")
    folder.fill(bring_notebook("2"), ["new"])
    assert files(folder.path) == ["work.ipynb"]
    assert folder.notes == ["new"]


def test_a_submission_that_cannot_be_imported_leaves_the_old_one(folder):
    folder.fill(bring_notebook("1"), [])

    def fail(intake):
        write(intake.folder / "half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder.fill(fail, [])
    folder.clear_up()
    assert files(folder.submitted) == ["ada/work/work.ipynb"]


@pytest.mark.parametrize("renamed", [1, 2])
def test_a_kill_while_the_old_submission_is_replaced_loses_nothing(folder, renamed, monkeypatch):
    folder.fill(bring_notebook("1"), [])
    rename, calls = os.rename, []

    def killed(*arguments, **options):
        calls.append(arguments)
        if len(calls) == renamed:
            raise KeyboardInterrupt
        rename(*arguments, **options)

    monkeypatch.setattr(os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.fill(bring_notebook("2"), [])
    monkeypatch.undo()
    folder.clear_up()
    (notebook,) = files(folder.submitted)
    assert '"1"' in (folder.submitted / notebook).read_text()
    assert notebook == "ada/work/work.ipynb"


def test_a_replaced_submission_that_cannot_be_removed_does_not_block_the_next(folder, monkeypatch):
    """This happens when its folders are read-only, or nested a thousand deep."""
    folder.fill(bring_notebook("1"), [])
    monkeypatch.setattr(shutil, "rmtree", lambda *arguments, **options: None)
    for source in "23":
        folder.fill(bring_notebook(source), [])
    assert '"3"' in (folder.path / "work.ipynb").read_text()
