"""Zips that students made are unpacked safely, even if they are damaged or malicious."""

import io
import random
import stat
import struct
import zipfile
from contextlib import suppress

import pytest

from autograder.grading.intake import hand_in_files, unpacking
from autograder.grading.intake.hand_in_files import Intake
from autograder.grading.intake.unpacking import UnreadableZip, opened_zip, unpack, unpacked_size


@pytest.fixture
def target(tmp_path):
    return tmp_path / "unpacked"


def zipped(members, method=zipfile.ZIP_DEFLATED):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as out:
        for name, content in members:
            out.writestr(name, content)
    return archive


def notes_of(archive, target):
    intake = Intake(target)
    unpack(opened_zip(archive), lambda parts: intake)
    return intake.notes


def unpacked(target):
    return {str(p.relative_to(target)): p.read_text() for p in target.rglob("*") if p.is_file()}


def test_files_come_out_as_they_went_in(target):
    archive = zipped([("work.ipynb", "1"), ("artifacts/", ""), ("artifacts/w.json", "2")])
    assert notes_of(archive, target) == []
    assert unpacked(target) == {"work.ipynb": "1", "artifacts/w.json": "2"}


def test_a_bomb_is_not_written_and_the_rest_is(target):
    archive = zipped([("bomb", bytes(300 * 2**20)), ("work.ipynb", "1")])
    assert archive.tell() < 2**20
    assert notes_of(archive, target) == [
        "bomb was left out: the files of a submission may take at most 256 MB"
    ]
    assert unpacked(target) == {"work.ipynb": "1"}


def test_a_header_that_understates_the_size_is_not_believed(target):
    archive = zipped([("bomb", bytes(20 * 2**20)), ("work.ipynb", "1")])
    data = archive.getvalue().replace(struct.pack("<L", 20 * 2**20), struct.pack("<L", 10))
    (note,) = notes_of(io.BytesIO(data), target)
    assert note.startswith("bomb was left out")
    assert unpacked(target) == {"work.ipynb": "1"}


def test_the_notebook_is_unpacked_before_files_in_folders(target, monkeypatch):
    monkeypatch.setattr(hand_in_files, "MAX_FILES", 2)
    archive = zipped([(".git/g", "x"), ("data/d", "x"), ("work.ipynb", "1"), ("artifacts/a", "x")])
    assert len(notes_of(archive, target)) == 2
    assert unpacked(target).keys() == {"work.ipynb", "data/d"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_not_unpacked(target, method):
    """300 bytes of bzip2 unpack to 200 MB at once, and LZMA may require any amount of memory."""
    archive = zipped([("strange", "x")], method)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as out:
        out.writestr("work.ipynb", "1")
    (note,) = notes_of(archive, target)
    assert "strange was left out: it is compressed in an unusual way" in note
    assert unpacked(target) == {"work.ipynb": "1"}


def test_an_encrypted_file_is_left_out(target):
    archive = zipped([("secret", "x"), ("work.ipynb", "1")])
    data = bytearray(archive.getvalue())
    for signature, flags in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
        data[data.index(signature) + flags] |= 1
    assert notes_of(io.BytesIO(data), target) == ["secret was left out: it is encrypted"]
    assert unpacked(target) == {"work.ipynb": "1"}


@pytest.mark.parametrize("name", ["../../planted", "/tmp/planted", "a/../../planted"])
def test_a_name_that_leads_out_is_left_out(tmp_path, target, name):
    assert notes_of(zipped([(name, "x"), ("work.ipynb", "1")]), target) == [
        f"{name} was left out: its path leads out of the submission"
    ]
    assert unpacked(target) == {"work.ipynb": "1"}
    assert not list(tmp_path.rglob("planted"))


def test_links_and_devices_are_left_out(target):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        for name, kind in [("link", stat.S_IFLNK), ("device", stat.S_IFCHR)]:
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o777) << 16
            out.writestr(info, "/etc/passwd")
    assert notes_of(archive, target) == [
        "link was left out: it is a link",
        "device was left out: it is not a regular file",
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["work.ipynb", "./work.ipynb"])
def test_the_last_of_two_files_of_the_same_name_counts(target, name):
    (note,) = notes_of(zipped([("work.ipynb", "old"), (name, "new")]), target)
    assert note == "work.ipynb was left out: the zip has a later file of this name"
    assert unpacked(target) == {"work.ipynb": "new"}


@pytest.mark.parametrize("names", [["a", "a/b"], ["a/b", "a/b/c"], ["n" * 300]])
def test_files_whose_names_cannot_be_stored_are_left_out(target, names):
    archive = zipped([*((name, "x") for name in names), ("work.ipynb", "1")])
    (note,) = notes_of(archive, target)
    assert "it cannot be stored" in note
    assert unpacked(target)["work.ipynb"] == "1"


def test_backslashes_separate_folders(target):
    assert notes_of(zipped([("artifacts\\w.json", "x")]), target) == []
    assert unpacked(target) == {"artifacts/w.json": "x"}


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\xff" * 18], ids=str)
def test_a_file_that_is_not_a_zip_is_refused(target, content):
    with pytest.raises(UnreadableZip):
        notes_of(io.BytesIO(content), target)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_zip_gives_notes_or_is_refused(target, seed):
    """zipfile may raise BadZipFile, zlib.error, struct.error, OSError or another error."""
    generator = random.Random(seed)
    members = [(f"{n}.txt", generator.randbytes(500) + bytes(500)) for n in range(5)]
    data = bytearray(zipped(members).getvalue())
    for _ in range(generator.randint(1, 20)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    with suppress(UnreadableZip):
        notes_of(io.BytesIO(data), target)


@pytest.mark.parametrize(
    ("offset", "values", "why"),
    [(6, b"\xff", "zip file version 25.5"), (8, b"\x00\x08", "can't decode byte 0xff")],
)
def test_a_zip_whose_list_of_members_cannot_be_read_is_refused(target, offset, values, why):
    data = zipped([("name", "x")]).getvalue().replace(b"name", b"\xff\xff\xff\xff")
    entry = data.index(b"PK\x01\x02") + offset
    data = data[:entry] + values + data[entry + len(values) :]
    with pytest.raises(UnreadableZip, match=why):
        notes_of(io.BytesIO(data), target)


def test_too_many_members_are_not_even_listed(target, monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 10)
    archive = zipped([(f"{n}", "") for n in range(11)])
    monkeypatch.setattr(unpacking.zipfile, "ZipFile", None)
    with pytest.raises(UnreadableZip, match="more than 10 files"):
        notes_of(archive, target)


def test_the_unpacked_size_counts_each_hand_in_up_to_its_limit():
    archive = zipped([("ada/a", bytes(300 * 2**20)), ("ben/b", bytes(10)), ("ben/c", bytes(5))])
    assert unpacked_size(opened_zip(archive)) == 256 * 2**20 + 15
