"""Submissions as they come."""

import json
import os
import zipfile

import nbformat
import pytest

from autograder.submitted import (
    MAX_NOTEBOOK_BYTES,
    UnreadableNotebook,
    collect,
    copy_files,
    read_notebook,
    remove_links,
)


def write_notebook(path, source="1 + 1"):
    path.parent.mkdir(parents=True, exist_ok=True)
    cell = nbformat.v4.new_code_cell(source)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)


def test_a_notebook_is_read(tmp_path):
    write_notebook(tmp_path / "a.ipynb")
    assert read_notebook(tmp_path / "a.ipynb").cells[0].source == "1 + 1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not a text file"),
        (b"[" * 100_000, "nested too deeply|not JSON"),
        (b"[]", "not in the notebook format"),
        (json.dumps({"cells": 3, "nbformat": 4, "nbformat_minor": 5}).encode(), "format"),
    ],
)
def test_anything_else_is_refused_with_the_reason(tmp_path, content, reason):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(UnreadableNotebook, match=reason):
        read_notebook(path)


def test_a_huge_file_is_not_even_opened(tmp_path):
    path = tmp_path / "a.ipynb"
    with path.open("wb") as file:
        file.truncate(MAX_NOTEBOOK_BYTES + 1)
    with pytest.raises(UnreadableNotebook, match="larger than 64 MB"):
        read_notebook(path)


def test_files_are_copied_without_notebooks_and_links(tmp_path):
    source, target = tmp_path / "submitted", tmp_path / "copy"
    write_notebook(source / "a.ipynb")
    (source / "artifacts").mkdir()
    (source / "artifacts" / "w.json").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    (source / "link").symlink_to(tmp_path / "secret")
    (source / "folder").symlink_to(tmp_path)
    os.mkfifo(source / "pipe")
    notes = copy_files(source, target)
    assert [str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()] == [
        "artifacts/w.json"
    ]
    assert len(notes) == 3


def test_links_are_removed_and_what_they_point_at_stays(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "link").symlink_to(tmp_path / "secret")
    assert remove_links(tmp_path / "submission") == [tmp_path / "submission" / "link"]
    assert (tmp_path / "secret").read_text() == "secret"
    assert not (tmp_path / "submission" / "link").is_symlink()


@pytest.fixture
def handed_in(tmp_path):
    """Four students, four ways to hand in, as a learning platform exports them."""
    folder = tmp_path / "export"
    write_notebook(folder / "ada" / "work" / "work.ipynb")
    write_notebook(folder / "ben" / "work.ipynb")
    write_notebook(folder / "cas" / "work (1).ipynb")
    write_notebook(tmp_path / "zipped" / "work.ipynb")
    with zipfile.ZipFile(folder / "dan.zip", "w") as archive:
        archive.write(tmp_path / "zipped" / "work.ipynb", "work/work.ipynb")
    return folder


def test_a_folder_of_submissions_is_collected(handed_in, tmp_path):
    submitted = tmp_path / "course" / "submitted"
    collected = collect(handed_in, "work", submitted)
    assert collected.students == ["ada", "ben", "cas", "dan"]
    for student in collected.students:
        assert (submitted / student / "work" / "work.ipynb").is_file()
    assert collected.notes["cas"] == ["the notebook was called work (1).ipynb"]


def test_a_zip_of_submissions_is_collected(handed_in, tmp_path):
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in sorted(handed_in.rglob("*")):
            out.write(path, path.relative_to(handed_in))
    submitted = tmp_path / "course" / "submitted"
    submitted.mkdir(parents=True)
    assert collect(archive, "work", submitted).students == ["ada", "ben", "cas", "dan"]
    assert not list(submitted.parent.glob(".*"))


def test_collecting_again_replaces_what_was_handed_in_before(handed_in, tmp_path):
    submitted = tmp_path / "course" / "submitted"
    collect(handed_in, "work", submitted)
    write_notebook(handed_in / "ben" / "work.ipynb", "2 + 2")
    collect(handed_in, "work", submitted)
    assert read_notebook(submitted / "ben" / "work" / "work.ipynb").cells[0].source == "2 + 2"


@pytest.mark.parametrize("name", ["../../planted", "/tmp/planted"])
def test_a_zip_that_climbs_out_is_refused_and_costs_its_student_alone(handed_in, tmp_path, name):
    with zipfile.ZipFile(handed_in / "eve.zip", "w") as archive:
        archive.writestr(name, "x")
    collected = collect(handed_in, "work", tmp_path / "course" / "submitted")
    assert "the zip cannot be unpacked" in collected.notes["eve"][0]
    assert "ben" in collected.students
    assert not list(tmp_path.rglob("planted"))


def test_a_missing_notebook_becomes_an_empty_file(handed_in, tmp_path):
    (handed_in / "eve").mkdir()
    submitted = tmp_path / "course" / "submitted"
    notes = collect(handed_in, "work", submitted).notes
    assert "there is no work.ipynb" in notes["eve"][0]
    assert (submitted / "eve" / "work" / "work.ipynb").read_bytes() == b""


def test_nothing_to_collect_says_what_is_expected(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"expected <student>/work/"):
        collect(tmp_path / "empty", "work", tmp_path / "submitted")
    with pytest.raises(FileNotFoundError, match="There is no"):
        collect(tmp_path / "nowhere", "work", tmp_path / "submitted")
