"""Zips that students made are unpacked safely, even if they are damaged or malicious."""

import errno
import io
import os
import random
import stat
import struct
import tarfile
import zipfile
from contextlib import suppress
from datetime import datetime

import pytest

from autograder.grading.intake import hand_in_files, unpacking
from autograder.grading.intake.hand_in_files import CannotBeWritten, Intake
from autograder.grading.intake.unpacking import (
    UnreadableArchive,
    opened_archive,
    unpack,
    unpacked_size,
)


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
    with opened_archive(archive, target.parent) as members:
        unpack(members, lambda parts: intake)
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
    archive = zipped(
        [(".cache/g", "x"), ("data/d", "x"), ("work.ipynb", "1"), ("artifacts/a", "x")]
    )
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
    (note,) = notes_of(io.BytesIO(data), target)
    assert note.startswith("secret was left out: it is encrypted: ask the student")
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
    with pytest.raises(UnreadableArchive):
        notes_of(io.BytesIO(content), target)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_zip_gives_notes_or_is_refused(target, seed):
    """zipfile may raise BadZipFile, zlib.error, struct.error, OSError or another error."""
    generator = random.Random(seed)
    members = [(f"{n}.txt", generator.randbytes(500) + bytes(500)) for n in range(5)]
    data = bytearray(zipped(members).getvalue())
    for _ in range(generator.randint(1, 20)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    with suppress(UnreadableArchive):
        notes_of(io.BytesIO(data), target)


@pytest.mark.parametrize(
    ("offset", "values", "why"),
    [(6, b"\xff", "zip file version 25.5"), (8, b"\x00\x08", "can't decode byte 0xff")],
)
def test_a_zip_whose_list_of_members_cannot_be_read_is_refused(target, offset, values, why):
    data = zipped([("name", "x")]).getvalue().replace(b"name", b"\xff\xff\xff\xff")
    entry = data.index(b"PK\x01\x02") + offset
    data = data[:entry] + values + data[entry + len(values) :]
    with pytest.raises(UnreadableArchive, match=why):
        notes_of(io.BytesIO(data), target)


def test_too_many_members_are_not_even_listed(target, monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 10)
    archive = zipped([(f"{n}", "") for n in range(11)])
    monkeypatch.setattr(unpacking.zipfile, "ZipFile", None)
    with pytest.raises(UnreadableArchive, match="more than 10 files"):
        notes_of(archive, target)


def test_the_unpacked_size_counts_each_hand_in_up_to_its_limit(tmp_path):
    archive = zipped([("ada/a", bytes(300 * 2**20)), ("ben/b", bytes(10)), ("ben/c", bytes(5))])
    with opened_archive(archive, tmp_path) as members:
        assert unpacked_size(members) == 256 * 2**20 + 15


# Tars


def tarred(members, mode="w:gz"):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode) as out:
        for name, content in members:
            if isinstance(content, str):
                content = content.encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return archive


@pytest.mark.parametrize("mode", ["w:gz", "w"])
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_files_come_out_of_a_tar_as_they_went_in(target, mode, form, monkeypatch):
    monkeypatch.setattr(tarfile.TarFile, "format", form)
    archive = tarred([("work.ipynb", "1"), ("artifacts/w.json", "2")], mode)
    assert notes_of(archive, target) == []
    assert unpacked(target) == {"work.ipynb": "1", "artifacts/w.json": "2"}


@pytest.mark.parametrize("name", ["../../planted", "/tmp/planted", "a/../../planted"])
def test_a_name_in_a_tar_that_leads_out_is_left_out(tmp_path, target, name):
    assert notes_of(tarred([(name, "x"), ("work.ipynb", "1")]), target) == [
        f"{name} was left out: its path leads out of the submission"
    ]
    assert unpacked(target) == {"work.ipynb": "1"}
    assert not list(tmp_path.rglob("planted"))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (tarfile.SYMTYPE, "it is a link"),
        (tarfile.LNKTYPE, "it is a link"),
        (tarfile.CHRTYPE, "it is not a regular file"),
        (tarfile.BLKTYPE, "it is not a regular file"),
        (tarfile.FIFOTYPE, "it is not a regular file"),
    ],
)
def test_links_and_devices_in_a_tar_are_left_out(target, kind, why):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as out:
        info = tarfile.TarInfo("odd")
        info.type, info.linkname = kind, "/etc/passwd"
        out.addfile(info)
    assert notes_of(archive, target) == [f"odd was left out: {why}"]


def test_a_compressed_tar_that_expands_without_end_is_stopped(target, monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_TAR_BYTES", 2**20)
    archive = tarred([("bomb", bytes(20 * 2**20))])
    assert archive.tell() < 2**15
    with pytest.raises(UnreadableArchive, match="it takes more than 1 MB to unpack"):
        notes_of(archive, target)


def test_a_sparse_file_in_a_tar_is_left_out(target):
    """A few bytes stand for any number of zeros."""
    info = tarfile.TarInfo("sparse")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": str(2**40),
    }
    info.size = 1
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as out:
        out.addfile(info, io.BytesIO(b"x"))
    assert notes_of(archive, target) == ["sparse was left out: it is not a regular file"]


def test_too_many_members_of_a_tar_are_not_listed(target, monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 10)
    with pytest.raises(UnreadableArchive, match="more than 10 files"):
        notes_of(tarred([(f"{n}", "") for n in range(11)]), target)


def test_a_header_of_a_tar_that_takes_much_memory_is_not_read(target):
    data = bytearray(tarred([("n" * 200, "x")], "w").getvalue())
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**30
    data[:512] = header.tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(UnreadableArchive, match="a header in it is too large"):
        notes_of(io.BytesIO(data), target)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_a_damaged_tar_gives_notes_or_is_refused(target, seed, mode):
    generator = random.Random(seed)
    members = [(f"{n}.txt", generator.randbytes(500) + bytes(500)) for n in range(5)]
    data = bytearray(tarred(members, mode).getvalue())
    for _ in range(generator.randint(1, 20)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    with suppress(UnreadableArchive):
        notes_of(io.BytesIO(data), target)


def test_a_damaged_header_is_not_taken_for_the_end_of_a_tar(target):
    data = bytearray(tarred([("a", "1"), ("b", "2")], "w").getvalue())
    data[1024 + 150] ^= 0xFF  # in the checksum of the second header
    with pytest.raises(UnreadableArchive, match="not all of its files are found"):
        notes_of(io.BytesIO(data), target)


# What cannot be opened, and times


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"\xfd7zXZ\x00", "compressed by xz"),
    ],
)
def test_what_cannot_be_opened_is_named_with_what_to_ask_for(target, start, kind):
    with pytest.raises(UnreadableArchive, match=f"it is {kind}, which cannot be opened here: ask"):
        notes_of(io.BytesIO(start + bytes(600)), target)


def test_the_time_of_a_file_is_kept(target):
    archive = tarred([("work.ipynb", "1")])
    notes_of(archive, target)
    assert (target / "work.ipynb").stat().st_mtime == hand_in_files.OLDEST  # the tar says 1970
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        out.writestr(zipfile.ZipInfo("a", (2024, 2, 29, 12, 0, 0)), "x")
        out.writestr(zipfile.ZipInfo("b", (2099, 1, 1, 0, 0, 0)), "x")
        out.writestr(zipfile.ZipInfo("c", (1980, 0, 0, 0, 0, 0)), "x")
    notes_of(made, target)
    expected = datetime(2024, 2, 29, 12).timestamp()
    times = [(target / name).stat().st_mtime for name in "abc"]
    assert times == [expected, hand_in_files.OLDEST, hand_in_files.OLDEST]


def test_a_full_disk_is_not_the_students_fault(tmp_path, target, monkeypatch):
    def full(**options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(unpacking.tempfile, "TemporaryFile", full)
    with pytest.raises(CannotBeWritten, match="No space left on device"):
        notes_of(tarred([("work.ipynb", "1")]), target)
