"""Each hand-in is collected into the course or noted, whatever the other hand-ins contain."""

import errno
import fcntl
import os
import shutil
import socket
import zipfile
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest

from autograder.errors import UserError
from autograder.grading.intake import hand_in_files
from autograder.grading.intake.collecting import NoHandIns, collect
from autograder.grading.intake.names import safe_name
from autograder.grading.intake.submission_folder import SubmissionFolder

CLASS = ["ada", "ben", "cas", "dan"]


def write_notebook(path, source="1 + 1"):
    path.parent.mkdir(parents=True, exist_ok=True)
    cell = nbformat.v4.new_code_cell(source)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)


def source_of(path):
    return nbformat.read(path, as_version=4).cells[0].source


@pytest.fixture
def handed_in(tmp_path):
    """Return a folder as a learning platform exports it: four students use four ways to hand in."""
    folder = tmp_path / "export"
    write_notebook(folder / "ada" / "work" / "work.ipynb")
    write_notebook(folder / "ben" / "work.ipynb")
    write_notebook(folder / "cas" / "work (1).ipynb")
    write_notebook(tmp_path / "zipped" / "work.ipynb")
    with zipfile.ZipFile(folder / "dan.zip", "w") as archive:
        archive.write(tmp_path / "zipped" / "work.ipynb", "work/work.ipynb")
    return folder


@pytest.fixture
def submitted(tmp_path):
    return tmp_path / "course" / "submitted"


def zip_of(folder):
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as out:
        for path in sorted(folder.rglob("*")):
            out.write(path, path.relative_to(folder))
    return archive


def test_a_folder_of_submissions_is_collected(handed_in, submitted):
    collected = collect(handed_in, "work", submitted)
    assert collected.students == CLASS
    for student in collected.students:
        assert source_of(submitted / student / "work" / "work.ipynb") == "1 + 1"
    assert collected.notes["cas"] == ["the notebook was called work (1).ipynb"]
    assert collected.left_out == []


def test_a_zip_of_submissions_is_collected(handed_in, submitted):
    collected = collect(zip_of(handed_in), "work", submitted)
    assert collected.students == CLASS
    assert collected.left_out == []
    assert not (submitted / ".intake" / "unpacked").exists()


def test_submissions_in_the_course_are_collected_in_place(handed_in, submitted):
    collect(handed_in, "work", submitted)
    write_notebook(submitted / "eve" / "work" / "solution.ipynb")
    (submitted / "ada" / "another_assignment").mkdir()
    collected = collect(submitted, "work", submitted)
    assert collected.students == [*CLASS, "eve"]
    assert collected.notes["cas"] == ["the notebook was called work (1).ipynb"]
    assert collected.notes["eve"] == ["the notebook was called solution.ipynb"]


def test_collecting_again_replaces_what_was_handed_in_before(handed_in, submitted):
    collect(handed_in, "work", submitted)
    (submitted / "ben" / "work" / "old.txt").write_text("old")
    write_notebook(handed_in / "ben" / "work.ipynb", "2 + 2")
    collect(handed_in, "work", submitted)
    assert [p.name for p in (submitted / "ben" / "work").iterdir()] == ["work.ipynb"]
    assert source_of(submitted / "ben" / "work" / "work.ipynb") == "2 + 2"


def test_a_hand_in_without_a_notebook_is_left_out_and_replaces_nothing(handed_in, submitted):
    collect(handed_in, "work", submitted)
    (handed_in / "ben" / "work.ipynb").rename(handed_in / "ben" / "work.pdf")
    (handed_in / "eve").mkdir()
    collected = collect(handed_in, "work", submitted)
    assert collected.students == ["ada", "cas", "dan"]
    assert collected.left_out == [
        "ben/work.pdf was left out: there is no notebook in this hand-in: ask the student for the "
        ".ipynb file",
        "eve was left out: it is an empty folder",
    ]
    assert collected.ledger.needs_a_person
    assert source_of(submitted / "ben" / "work" / "work.ipynb") == "1 + 1"
    assert not (submitted / "eve").exists()


def test_if_nothing_is_collected_the_message_says_what_was_expected(tmp_path, submitted):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "grades.csv").touch()
    expected = (
        r"(?s)holds no submission of work.*1 x csv \(grades.csv\): it is neither a folder nor"
    )
    with pytest.raises(NoHandIns, match=expected):
        collect(tmp_path / "empty", "work", submitted)
    with pytest.raises(NoHandIns, match="There is no"):
        collect(tmp_path / "nowhere", "work", submitted)


# Links and special files


@pytest.fixture
def another(tmp_path):
    """Return another student's work; a link would earn its points and show it in the feedback."""
    write_notebook(tmp_path / "another" / "work" / "work.ipynb", "another's")
    return zip_of(tmp_path / "another").with_suffix("")


def check_that_eve_has_nothing(collected, submitted, another):
    assert collected.students == [*CLASS, "eve"]
    assert any("it is a link" in note for note in collected.notes["eve"])
    assert not (submitted / "eve").is_symlink()
    assert not (submitted / "eve" / "work").is_symlink()
    assert (submitted / "eve" / "work" / "work.ipynb").read_bytes() == b""
    assert source_of(another / "work" / "work.ipynb") == "another's"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("eve", "another"),
        ("eve/work", "another/work"),
        ("eve/work.ipynb", "another/work/work.ipynb"),
        ("eve/work/work.ipynb", "another/work/work.ipynb"),
        ("eve.zip", "another.zip"),
    ],
)
def test_a_link_that_was_handed_in_is_not_followed(handed_in, submitted, another, link, target):
    path = handed_in / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(another.parent / target)
    collected = collect(handed_in, "work", submitted)
    check_that_eve_has_nothing(collected, submitted, another)
    assert collected.ledger.needs_a_person


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("eve", "another"),
        ("eve/work", "another/work"),
        ("eve/work/work.ipynb", "another/work/work.ipynb"),
    ],
)
def test_a_link_in_the_course_is_not_followed(handed_in, submitted, another, link, target):
    collect(handed_in, "work", submitted)
    path = submitted / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(another.parent / target)
    check_that_eve_has_nothing(collect(submitted, "work", submitted), submitted, another)


def test_a_link_in_place_of_a_student_is_not_written_through(handed_in, submitted, another):
    submitted.mkdir(parents=True)
    (submitted / "ben").symlink_to(another)
    collected = collect(handed_in, "work", submitted)
    assert collected.notes["ben"] == ["ben was taken away: it is a link"]
    assert source_of(submitted / "ben" / "work" / "work.ipynb") == "1 + 1"
    assert source_of(another / "work" / "work.ipynb") == "another's"


@pytest.mark.timeout(60)  # opening a FIFO waits for its other end
def test_special_files_are_left_out_and_do_not_block(handed_in, submitted, monkeypatch):
    write_notebook(handed_in / "eve" / "work.ipynb")
    monkeypatch.chdir(handed_in)  # a socket's address must be short
    with socket.socket(socket.AF_UNIX) as inner, socket.socket(socket.AF_UNIX) as outer:
        inner.bind("eve/socket")
        outer.bind("socket")
        os.mkfifo("eve/pipe")
        os.mkfifo("pipe")
        os.mkfifo("pipe.zip")
        collected = collect(handed_in, "work", submitted)
    assert collected.students == [*CLASS, "eve"]
    assert collected.notes["eve"] == [
        "pipe was left out: it is a named pipe",
        "socket was left out: it is a socket",
    ]
    assert collected.left_out == [
        "pipe was left out: it is a named pipe",
        "pipe.zip was left out: it is a named pipe",
        "socket was left out: it is a socket",
        "eve/pipe was left out: it is a named pipe",
        "eve/socket was left out: it is a socket",
    ]


# Limits


def test_a_zip_bomb_is_stopped_and_affects_only_its_student(handed_in, submitted):
    with zipfile.ZipFile(handed_in / "eve.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(handed_in / "ben" / "work.ipynb", "work.ipynb")
        for number in range(8):
            archive.writestr(f"bomb{number}", bytes(50 * 2**20))
    collected = collect(handed_in, "work", submitted)
    assert collected.students == [*CLASS, "eve"]
    assert len(collected.notes["eve"]) == 3
    assert source_of(submitted / "eve" / "work" / "work.ipynb") == "1 + 1"
    assert sum(p.stat().st_size for p in submitted.rglob("*")) < 260 * 2**20


def test_a_sparse_file_is_not_filled(handed_in, submitted):
    with (handed_in / "ben" / "data.bin").open("wb") as file:
        file.truncate(3 * 2**30)
    notes = collect(handed_in, "work", submitted).notes
    assert notes["ben"] == [
        "data.bin was left out: the files of a submission may take at most 256 MB"
    ]
    assert sum(p.stat().st_blocks for p in submitted.rglob("*")) * 512 < 2**20


def test_each_hand_in_of_a_zip_has_its_own_limits(handed_in, submitted, monkeypatch):
    monkeypatch.setattr(hand_in_files, "MAX_FILES_BYTES", 10_000)
    for student in ["ada", "ben", "cas"]:
        (handed_in / student / "data").write_bytes(bytes(8_000))
    (handed_in / "ben" / "more").write_bytes(bytes(8_000))
    collected = collect(zip_of(handed_in), "work", submitted)
    assert collected.students == CLASS
    assert collected.notes["ben"] == [
        "ben/more was left out: the files of a submission may take at most 0 MB"
    ]


def test_a_class_that_the_disk_cannot_hold_is_not_unpacked(handed_in, submitted, monkeypatch):
    usage = namedtuple("usage", "free")(1000)
    monkeypatch.setattr(
        "autograder.grading.intake.collecting.shutil.disk_usage", lambda path: usage
    )
    with pytest.raises(UserError, match=r"takes .* GB to unpack, and there are 0.0 GB free"):
        collect(zip_of(handed_in), "work", submitted)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\xff" * 18], ids=str)
def test_a_broken_zip_affects_only_its_student(handed_in, submitted, content):
    (handed_in / "eve.zip").write_bytes(content)
    collected = collect(handed_in, "work", submitted)
    assert collected.students == CLASS
    (line,) = collected.left_out
    assert line.startswith("eve.zip was left out: it cannot be unpacked: ")
    assert line.endswith(
        "ask the student for the notebook itself, or for the zip that `pack` makes"
    )


def test_a_zip_that_is_too_large_is_not_opened(handed_in, submitted):
    with (handed_in / "eve.zip").open("wb") as file:
        file.truncate(3 * 2**30)
    (line,) = collect(handed_in, "work", submitted).left_out
    assert line.startswith("eve.zip was left out: it cannot be unpacked: it is larger than 256 MB")


def test_a_broken_zip_of_the_class_gives_an_error_of_one_sentence(handed_in, tmp_path, submitted):
    (tmp_path / "export.zip").write_bytes(b"no zip")
    with pytest.raises(UserError, match=r"export.zip cannot be unpacked: File is not a zip file; "):
        collect(tmp_path / "export.zip", "work", submitted)


@pytest.mark.parametrize("name", ["../../planted", "/tmp/planted", "eve/../../planted"])
def test_a_path_that_leads_out_of_the_zip_of_the_class_is_left_out(
    handed_in, submitted, tmp_path, name
):
    with zipfile.ZipFile(zip_of(handed_in), "a") as archive:
        archive.writestr(name, "x")
    collected = collect(handed_in.with_suffix(".zip"), "work", submitted)
    assert collected.students == CLASS
    assert collected.left_out == [f"{name} was left out: its path leads out of the submission"]
    assert not list(tmp_path.rglob("planted"))


def test_files_that_macos_adds_are_ignored(handed_in, submitted):
    for folder in [handed_in, handed_in / "ben"]:
        (folder / "__MACOSX").mkdir()
        (folder / "__MACOSX" / "._work.ipynb").touch()
        (folder / ".DS_Store").touch()
        (folder / "._ben").touch()
    collected = collect(zip_of(handed_in), "work", submitted)
    assert (collected.students, collected.left_out) == (CLASS, [])
    assert collected.notes["ben"] == []


# Names

HOSTILE = ["<img src=x onerror=alert(1)>", "*", "a?a", "[x]", "a\nb", "\x1b[2J", "b\udcff"]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_name_that_nbgrader_cannot_handle_is_changed_and_noted(handed_in, submitted, name):
    write_notebook(handed_in / name / "work.ipynb", "hostile")
    collected = collect(handed_in, "work", submitted)
    assert set(collected.students) == {*CLASS, safe_name(name)}
    (note,) = collected.notes[safe_name(name)]
    assert note.startswith("the hand-in was called ")
    assert note.isprintable()
    assert source_of(submitted / safe_name(name) / "work" / "work.ipynb") == "hostile"
    assert collect(submitted, "work", submitted).students == collected.students


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_such_a_name_of_a_folder_in_the_course_is_changed_and_noted(handed_in, submitted, name):
    collect(handed_in, "work", submitted)
    write_notebook(submitted / name / "work" / "work.ipynb", "hostile")
    collected = collect(submitted, "work", submitted)
    assert set(collected.students) == {*CLASS, safe_name(name)}
    (note,) = collected.notes[safe_name(name)]
    assert note.startswith("the student's folder was called ")
    assert not (submitted / name).exists()


def test_a_folder_whose_safe_name_is_taken_is_left_out_and_noted(handed_in, submitted):
    collect(handed_in, "work", submitted)
    write_notebook(submitted / "[x]" / "work" / "work.ipynb", "first")
    collect(submitted, "work", submitted)
    write_notebook(submitted / "[x]" / "work" / "work.ipynb", "second")
    collected = collect(submitted, "work", submitted)
    (note,) = collected.left_out
    assert note == (
        "[x] was left out: nbgrader cannot handle its name, "
        f"and {safe_name('[x]')} is there already"
    )
    assert source_of(submitted / safe_name("[x]") / "work" / "work.ipynb") == "first"


def test_a_file_among_the_folders_of_the_course_is_noted(handed_in, submitted):
    collect(handed_in, "work", submitted)
    shutil.copy(handed_in / "dan.zip", submitted / "eve.zip")
    collected = collect(submitted, "work", submitted)
    assert collected.students == CLASS
    assert collected.left_out == [
        "eve.zip was left out: it is not a folder; import hand-ins with --from"
    ]


def test_a_folder_that_cannot_be_changed_affects_only_its_student(
    handed_in, submitted, monkeypatch
):
    collect(handed_in, "work", submitted)
    prepare = SubmissionFolder.prepare

    def refuse(folder, notes):
        if folder.student == "ben":
            raise PermissionError(errno.EACCES, "Permission denied")
        return prepare(folder, notes)

    monkeypatch.setattr(SubmissionFolder, "prepare", refuse)
    collected = collect(submitted, "work", submitted)
    assert collected.students == ["ada", "cas", "dan"]
    assert collected.left_out == ["ben was left out: [Errno 13] Permission denied"]


def test_names_in_a_zip_that_differ_in_control_characters_are_different(handed_in, submitted):
    with zipfile.ZipFile(zip_of(handed_in), "a") as archive:
        for name in ["e\x01", "e\x02"]:
            archive.writestr(f"{name}/work.ipynb", "x")
    collected = collect(handed_in.with_suffix(".zip"), "work", submitted)
    assert set(collected.students) == {*CLASS, safe_name("e\x01"), safe_name("e\x02")}


def test_two_hand_ins_of_one_student_are_noted(handed_in, submitted):
    with zipfile.ZipFile(handed_in / "ben.zip", "w") as archive:
        archive.writestr("work.ipynb", "x")
    os.utime(handed_in / "ben.zip", (1e9, 1e9))
    collected = collect(handed_in, "work", submitted)
    assert collected.students == CLASS
    note = "ben.zip was left out: ben, another hand-in of ben, is graded, being the newest"
    assert collected.notes["ben"] == [note]
    assert collected.left_out == collected.notes["ben"]
    assert collect(submitted, "work", submitted).notes["ben"] == collected.notes["ben"]
    assert source_of(submitted / "ben" / "work" / "work.ipynb") == "1 + 1"


def test_names_that_differ_only_in_case_are_noted(handed_in, submitted):
    write_notebook(handed_in / "Ben" / "work.ipynb", "another Ben's")
    collected = collect(handed_in, "work", submitted)
    assert collected.notes["ben"] == ["there is also a student Ben"]
    assert collected.notes["Ben"] == ["there is also a student ben"]
    assert collect(submitted, "work", submitted).notes == collected.notes
    assert source_of(submitted / "Ben" / "work" / "work.ipynb") == "another Ben's"


# Interrupted and simultaneous collections


def test_the_leftovers_of_a_killed_collection_are_removed(handed_in, submitted):
    collect(handed_in, "work", submitted)
    side = submitted / ".intake"
    write_notebook(side / "unpacked" / "ada" / "work.ipynb")
    write_notebook(side / "work" / "ada" / "new" / "work.ipynb")
    (submitted / "ben" / "work").rename(side / "work" / "ben" / "old")
    assert collect(submitted, "work", submitted).students == CLASS
    assert not list(side.rglob("*.ipynb"))


def test_a_simultaneous_collection_is_refused(handed_in, submitted):
    collect(handed_in, "work", submitted)
    with (submitted / ".intake" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="Another command is importing submissions into"):
            collect(handed_in, "work", submitted)
    assert collect(handed_in, "work", submitted).students == CLASS


@pytest.mark.timeout(120)
def test_two_people_may_import_a_class_at_once(tmp_path, submitted):
    """One of them is refused, or both see everybody; one of two saw 267 of 300 students."""
    names = [f"student{number:03}" for number in range(60)]
    for name in names:
        write_notebook(tmp_path / "class" / name / "work.ipynb")
    archive = zip_of(tmp_path / "class")

    def import_it(number):
        try:
            return collect(archive, "work", submitted).students
        except UserError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(import_it, range(2)))
    assert names in results
    refused = [result for result in results if result != names]
    assert all("Another command is importing submissions into" in said for said in refused)
    assert collect(submitted, "work", submitted).students == names
