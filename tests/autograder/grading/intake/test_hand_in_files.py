"""The regular files of a submission are copied within limits, and everything else is noted."""

import errno
import io
import os
from contextlib import contextmanager

import pytest

from autograder.errors import UserError
from autograder.grading.intake import hand_in_files
from autograder.grading.intake.hand_in_files import (
    MAX_DEPTH,
    MAX_NOTES,
    Intake,
    copy_files,
    opened,
    regular_file,
    walk,
)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "submitted"
    folder.mkdir()
    return folder


@pytest.fixture
def target(tmp_path):
    return tmp_path / "copy"


def copied(target):
    return sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())


def write(path, content="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_files_are_copied_without_notebooks_and_links(tmp_path, source, target):
    write(source / "a.ipynb")
    write(source / "artifacts" / "w.json", "{}")
    write(tmp_path / "secret")
    (source / "link").symlink_to(tmp_path / "secret")
    (source / "folder").symlink_to(tmp_path)
    os.mkfifo(source / "pipe")
    notes = copy_files(source, target)
    assert copied(target) == ["artifacts/w.json"]
    assert notes == [
        "folder was left out: it is a link",
        "link was left out: it is a link",
        "pipe was left out: it is a named pipe",
    ]


def test_a_folder_that_is_itself_a_link_is_not_entered(tmp_path, source, target):
    write(source / "work.txt")
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(OSError, match=os.strerror(errno.ENOTDIR)):
        copy_files(tmp_path / "link", target)


def test_a_hard_link_is_a_regular_file(source, target):
    write(source / "one")
    (source / "two").hardlink_to(source / "one")
    assert copy_files(source, target) == []
    assert copied(target) == ["one", "two"]


def test_a_file_that_becomes_a_link_while_it_is_copied_is_not_followed(tmp_path, source, target):
    write(tmp_path / "secret", "secret")
    write(source / "file")
    intake = Intake(target)
    with opened(source, os.O_DIRECTORY) as place:
        for found in walk(place):
            (source / "file").unlink()
            (source / "file").symlink_to(tmp_path / "secret")
            hand_in_files.copy([found], intake)
    assert intake.notes == ["file was left out: it is a link"]
    assert copied(target) == []


def test_a_file_that_becomes_a_link_between_two_checks_is_not_followed(
    tmp_path, source, monkeypatch
):
    write(tmp_path / "secret", "secret")
    (source / "file").symlink_to(tmp_path / "secret")
    monkeypatch.setattr(hand_in_files, "_require_regular", lambda status: None)
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)), regular_file(source / "file"):
        pass


@pytest.mark.timeout(20)
def test_a_file_that_becomes_a_fifo_between_two_checks_is_not_waited_for(source, monkeypatch):
    os.mkfifo(source / "file")
    looks = iter([None, OSError(0, "it is a named pipe")])

    def require_regular(status):
        if problem := next(looks):
            raise problem

    monkeypatch.setattr(hand_in_files, "_require_regular", require_regular)
    with pytest.raises(OSError, match="named pipe"), regular_file(source / "file"):
        pass


def test_a_sparse_file_is_not_filled_with_zeros(source, target):
    write(source / "small")
    with (source / "sparse").open("wb") as file:
        file.truncate(3 * 2**30)
    assert copy_files(source, target) == [
        "sparse was left out: the files of a submission may take at most 256 MB"
    ]
    assert copied(target) == ["small"]


def test_the_limit_is_on_all_files_together(source, target, monkeypatch):
    monkeypatch.setattr(hand_in_files, "MAX_FILES_BYTES", 100)
    for name in "abc":
        write(source / name, "x" * 40)
    assert len(copy_files(source, target)) == 1
    assert copied(target) == ["a", "b"]


def test_a_students_own_files_come_before_those_left_by_tools(source, target, monkeypatch):
    monkeypatch.setattr(hand_in_files, "MAX_FILES", 3)
    for name in ["__pycache__/p", ".git/g", "artifacts/a", "z", "y"]:
        write(source / name)
    assert copy_files(source, target) == [
        ".git/g was left out: a submission may have at most 3 files",
        "__pycache__/p was left out: a submission may have at most 3 files",
    ]
    assert copied(target) == ["artifacts/a", "y", "z"]


def test_many_notes_end_with_a_count_of_the_rest(source, target):
    for number in range(50):
        (source / f"link{number:02}").symlink_to("/")
    notes = copy_files(source, target)
    assert len(notes) == MAX_NOTES + 1
    assert notes[-1] == "and 30 more"


def test_folders_nested_too_deeply_are_left_out(source, target):
    """Python's own functions to walk and remove folders fail a thousand folders deep."""
    write(source.joinpath(*["d"] * (MAX_DEPTH + 1)) / "deep")
    write(source.joinpath(*["e"] * MAX_DEPTH) / "deep")
    (note,) = copy_files(source, target)
    assert note == f"{'d/' * MAX_DEPTH}d was left out: it lies more than {MAX_DEPTH} folders deep"
    assert copied(target) == [f"{'e/' * MAX_DEPTH}deep"]


def test_a_path_that_is_too_long_is_left_out(source, target):
    name = "n" * 250
    write(source / name / name / name / "inner" / name)
    write(source / "own")
    (note,) = copy_files(source, target)
    assert note.endswith("its path is longer than 1,000 bytes")
    assert copied(target) == ["own"]


def test_notes_are_printable(source, target):
    (source / "\x1b[2J\n\udcff").symlink_to("/")
    assert copy_files(source, target) == ["\ufffd[2J\ufffd\ufffd was left out: it is a link"]


def test_no_more_is_written_than_the_declared_size_of_a_file(target):
    @contextmanager
    def bomb():
        yield io.BytesIO(bytes(10_000_000))

    intake = Intake(target)
    intake.bring(("bomb",), 10, bomb)
    assert intake.notes == ["bomb was left out: it is larger than declared"]
    assert copied(target) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_cannot_be_written_is_not_the_students_fault(target, monkeypatch, code):
    @contextmanager
    def content():
        yield io.BytesIO(b"content")

    def fail(*arguments, **options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(hand_in_files.Path, "mkdir", fail)
    intake = Intake(target)
    with pytest.raises(UserError, match=f"cannot be written: {os.strerror(code)}"):
        intake.bring(("file",), 7, content)
    assert intake.notes == []
