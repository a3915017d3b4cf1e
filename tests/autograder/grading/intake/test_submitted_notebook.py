"""Submitted notebooks are read, or refused with a reason."""

import json
import os
import socket
import sys

import nbformat
import pytest

from autograder.grading.intake import submitted_notebook
from autograder.grading.intake.submitted_notebook import (
    MAX_CELLS,
    MAX_NOTEBOOK_BYTES,
    UnreadableNotebook,
    read_notebook,
)


def write_notebook(path, source="1 + 1", **metadata):
    cell = {"cell_type": "code", "id": "a", "source": source, "metadata": metadata}
    cell |= {"outputs": [], "execution_count": None}
    nb = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(nb))  # lone surrogates are written as \ud800


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.ipynb"


def test_a_notebook_is_read(path):
    write_notebook(path)
    assert read_notebook(path).cells[0].source == "1 + 1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xff{}", "not a text file"),
        (b"[" * 100_000, "nested too deeply|not JSON"),
        (b"[]", "not in the notebook format"),
        (json.dumps({"cells": 3, "nbformat": 4, "nbformat_minor": 5}).encode(), "format"),
    ],
)
def test_anything_else_is_refused_with_the_reason(path, content, reason):
    path.write_bytes(content)
    with pytest.raises(UnreadableNotebook, match=reason):
        read_notebook(path)


def test_a_huge_file_is_refused(path):
    with path.open("wb") as file:
        file.truncate(MAX_NOTEBOOK_BYTES + 1)
    with pytest.raises(UnreadableNotebook, match="larger than 160 MB"):
        read_notebook(path)


def test_half_of_a_surrogate_pair_is_replaced_by_one_character(path):
    write_notebook(path, "print('\ud800')")
    read = read_notebook(path)
    assert read.cells[0].source == "print('\ufffd')"
    nbformat.write(read, path)  # UTF-8 cannot encode half of a pair


def test_a_link_is_not_followed(tmp_path, path):
    write_notebook(tmp_path / "another's.ipynb")
    path.symlink_to(tmp_path / "another's.ipynb")
    with pytest.raises(UnreadableNotebook, match="it is a link"):
        read_notebook(path)


@pytest.mark.timeout(20)  # opening a FIFO waits for its other end
@pytest.mark.parametrize("kind", ["named pipe", "socket", "folder"])
def test_anything_but_a_regular_file_is_not_opened(path, kind, monkeypatch):
    monkeypatch.chdir(path.parent)  # a socket's address must be short
    with socket.socket(socket.AF_UNIX) as listener:
        make = {"named pipe": os.mkfifo, "socket": listener.bind, "folder": os.mkdir}
        make[kind](path.name)
        with pytest.raises(UnreadableNotebook, match=f"it is a {kind}"):
            read_notebook(path)


def test_json_that_would_take_too_much_memory_is_not_parsed(path, monkeypatch):
    monkeypatch.setattr(submitted_notebook, "_parsed", None)
    path.write_bytes(b'{"metadata": [' + b"[]," * 24_000_000 + b"[]]}")
    with pytest.raises(UnreadableNotebook, match="more than 2 GB of memory"):
        read_notebook(path)


@pytest.mark.slow
def test_a_notebook_that_grows_when_it_is_written_is_refused(path):
    """Each line of its source becomes a separate string in the file."""
    write_notebook(path, "\n" * 10_000_000)
    with pytest.raises(UnreadableNotebook, match="more than 32 MB without its outputs"):
        read_notebook(path)


def test_a_notebook_of_countless_cells_is_refused(path):
    cells = [{"cell_type": "raw", "metadata": {}, "source": ""}] * (MAX_CELLS + 1)
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(notebook))
    with pytest.raises(UnreadableNotebook, match="more than 5,000 cells"):
        read_notebook(path)


def test_reading_has_a_time_limit(path, monkeypatch):
    # The exception may be raised in a destructor, where it is lost; it is raised again later.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    monkeypatch.setattr(submitted_notebook, "MAX_SECONDS", 0.3)
    cell = {"cell_type": "code", "source": "", "metadata": {}, "outputs": [], "id": "a"}
    cells = [cell | {"execution_count": None}] * 20_000  # for whose validation some seconds go by
    monkeypatch.setattr(submitted_notebook, "MAX_CELLS", len(cells))
    path.write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    with pytest.raises(UnreadableNotebook, match=r"more than 0.3 s of processor time"):
        read_notebook(path)


def test_nothing_that_a_notebook_contains_is_written_to_the_terminal(path, capfd, recwarn):
    """nbformat logs the faults that it finds, and quotes the notebook."""
    path.write_text(json.dumps({"cells": [{"x": "MARK"}], "nbformat": 4, "nbformat_minor": 5}))
    with pytest.raises(UnreadableNotebook):
        read_notebook(path, submitted=False)
    read_notebook(path)
    write_notebook(path)
    nb = json.loads(path.read_text())
    path.write_text(json.dumps(nb | {"cells": nb["cells"] * 2}))  # a duplicate id
    read_notebook(path)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_notebook_may_be_in_any_encoding_of_unicode(path, encoding):
    write_notebook(path, "grüße = '漢字 😀'")
    text = json.dumps(json.loads(path.read_text()), ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    assert read_notebook(path).cells[0].source == "grüße = '漢字 😀'"


def test_brackets_that_utf16_hides_from_the_estimate_are_counted(path, monkeypatch):
    """In UTF-16, U+2200 contains the byte of a quotation mark, as if a string began there."""
    monkeypatch.setattr(submitted_notebook, "_parsed", None)
    path.write_bytes(('{"a": ["\u2200", ' + "[]," * 24_000_000 + "[]]}").encode("utf-16"))
    with pytest.raises(UnreadableNotebook, match="more than 2 GB of memory"):
        read_notebook(path)


@pytest.mark.slow
def test_a_notebook_of_66_mb_of_outputs_is_a_notebook(path):
    write_notebook(path)
    notebook = json.loads(path.read_text())
    image = {"output_type": "display_data", "data": {"image/png": "A" * 66_000_000}, "metadata": {}}
    notebook["cells"][0]["outputs"] = [image]
    path.write_text(json.dumps(notebook))
    assert read_notebook(path).cells[0].outputs == []
