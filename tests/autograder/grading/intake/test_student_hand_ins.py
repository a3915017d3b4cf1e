"""Of several hand-ins of a student the newest is graded, and what was not graded is listed."""

import csv
import errno
import os
import zipfile

import pytest
from class_downloads import (
    ADA,
    ANSWER,
    ASSIGNMENT,
    BEN,
    OLD,
    PACKED,
    PACKED_BEN,
    answer_in,
    notebook,
    tarred,
    write,
    zipped,
)

from autograder.errors import UserError
from autograder.grading.intake.collecting import NoHandIns, collect
from autograder.grading.intake.hand_in_files import CannotBeWritten
from autograder.grading.intake.ledger import COLUMNS, What
from autograder.grading.intake.student_hand_ins import MAX_ARCHIVES
from autograder.grading.intake.untouched import UNTOUCHED

RELEASE = notebook(ANSWER)


@pytest.fixture
def submitted(tmp_path):
    return tmp_path / "course" / "submitted"


@pytest.fixture
def take_in(tmp_path, submitted):
    """Return a function that imports files as a folder; `times` are their times of last change."""

    def run(files, times=None):
        write(tmp_path / "class", files, times)
        return collect(tmp_path / "class", ASSIGNMENT, submitted, answers={"a": ANSWER})

    return run


def graded(submitted, student="ada"):
    return answer_in(submitted / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")


def became(collected, *parts):
    (entry,) = [entry for entry in collected.ledger.entries if entry.parts == parts]
    return entry.what


# Attempts


@pytest.mark.parametrize("newer", ["ada.zip", "ada/pruning.ipynb"])
def test_of_a_folder_and_a_zip_the_newer_is_graded(take_in, submitted, newer):
    files = {"ada/pruning.ipynb": ADA, "ada.zip": {"pruning.ipynb": BEN}}
    collected = take_in(files, {newer: 1.7e9})
    assert graded(submitted) == ("ben" if newer == "ada.zip" else "ada")
    assert collected.ledger.needs_a_person
    assert "is graded, being the newest" in collected.left_out[0]
    assert collected.notes["ada"] == collected.left_out[:1] or newer == "ada.zip"


@pytest.mark.parametrize(
    ("newer", "answer"), [("pruning (1).ipynb", "ada"), ("pruning.ipynb", "ben")]
)
def test_of_two_copies_in_a_hand_in_the_newer_is_graded(take_in, submitted, newer, answer):
    files = {"ada/pruning (1).ipynb": ADA, "ada/pruning.ipynb": BEN}
    collected = take_in(files, {f"ada/{newer}": 1.7e9})
    assert graded(submitted) == answer
    (other,) = {"pruning (1).ipynb", "pruning.ipynb"} - {newer}
    assert became(collected, "ada", other) == What.PERSON
    assert f"there are 2 notebooks; {newer} is graded, being the newest" in collected.notes["ada"]


def test_two_renamed_copies_in_a_hand_in_are_not_taken_for_nothing(take_in, submitted):
    """They earned no points, because none has the name of the assignment."""
    files = {"ada/HW final.ipynb": ADA, "ada/HW draft.ipynb": OLD}
    collected = take_in(files, {"ada/HW final.ipynb": 1.7e9})
    assert graded(submitted) == "ada"
    assert became(collected, "ada", "HW draft.ipynb") == What.PERSON


def test_the_same_notebook_twice_needs_no_person(take_in, submitted):
    collected = take_in({"ada/pruning.ipynb": ADA, "ada.zip": PACKED})
    assert collected.students == ["ada"]
    assert not collected.ledger.needs_a_person


def test_the_systems_order_of_attempts_counts_and_not_the_times_of_files(take_in, submitted):
    entry = "HW_ada_attempt_2026-03-0{}-10-00-00_pruning.ipynb"
    collected = take_in({entry.format(1): OLD, entry.format(2): ADA}, {entry.format(1): 1.7e9})
    assert graded(submitted) == "ada"
    assert became(collected, entry.format(1)) == What.LEFT_OUT
    assert not collected.ledger.needs_a_person


def test_if_the_newest_attempt_cannot_be_read_the_one_before_is_graded(take_in, submitted):
    entry = "HW_ada_attempt_2026-03-0{}-10-00-00_pruning.{}"
    files = {entry.format(1, "ipynb"): ADA, entry.format(2, "zip"): b"PK broken"}
    collected = take_in(files)
    assert graded(submitted) == "ada"
    assert became(collected, entry.format(2, "zip")) == What.PERSON
    assert "cannot be unpacked" in collected.notes["ada"][0]


def test_the_time_that_a_system_gives_is_that_of_the_submission(take_in, submitted):
    take_in({"ada+pruning+2026-03-04 10:00:00 UTC/pruning.ipynb": ADA})
    timestamp = submitted / "ada" / ASSIGNMENT / "timestamp.txt"
    assert timestamp.read_text() == "2026-03-04 10:00:00 UTC\n"


def test_sakais_time_counts_and_a_students_does_not(take_in, submitted):
    sakai = "Lovelace, Ada(ada)"
    files = {
        f"{sakai}/Submission attachment(s)/pruning.ipynb": ADA,
        f"{sakai}/Submission attachment(s)/timestamp.txt": b"19991231235959000",
        f"{sakai}/timestamp.txt": b"20260304100000123",
    }
    collected = take_in(files)
    timestamp = submitted / "Lovelace, Ada" / ASSIGNMENT / "timestamp.txt"
    assert timestamp.read_text() == "2026-03-04 10:00:00 UTC\n"
    inner = (sakai, "Submission attachment(s)", "timestamp.txt")
    assert became(collected, *inner) == What.LEFT_OUT


@pytest.mark.parametrize("text", ["see me", "1999-12-31 23:59:59 UTC"])
def test_a_time_that_a_student_wrote_decides_nothing(take_in, submitted, text):
    collected = take_in({"ada/pruning.ipynb": ADA, "ada/timestamp.txt": text.encode()})
    assert graded(submitted) == "ada"
    assert not (submitted / "ada" / ASSIGNMENT / "timestamp.txt").exists()
    assert became(collected, "ada", "timestamp.txt") == What.LEFT_OUT


def test_a_time_in_the_future_decides_nothing(take_in, submitted):
    files = {"ada/pruning.ipynb": ADA, "ada/pruning (1).ipynb": OLD}
    take_in(files, {"ada/pruning (1).ipynb": 9e9})
    assert graded(submitted) == "ada"


def test_all_members_of_a_group_get_the_notebook_of_the_group(take_in, submitted):
    metadata = b"submission_1:\n  :submitters:\n  - :name: Ada\n  - :name: Ben\n"
    take_in({"submission_metadata.yml": metadata, "submission_1/pruning.ipynb": ADA})
    assert graded(submitted, "Ada") == graded(submitted, "Ben") == "ada"


# The release


@pytest.mark.parametrize("layout", ["folder", "notebook", "zip"])
def test_a_release_that_was_handed_in_is_graded_and_said(take_in, submitted, layout):
    files = {"folder": {"ada/a.ipynb": RELEASE}, "notebook": {"ada.ipynb": RELEASE}}
    collected = take_in(files.get(layout, {"ada.zip": {"pruning.ipynb": RELEASE}}))
    assert collected.students == ["ada"]
    assert UNTOUCHED in collected.notes["ada"]
    assert [entry.why for entry in collected.ledger.entries] == [UNTOUCHED]
    summary = collected.ledger.summary(submitted)
    assert "1 taken, 1 of them a notebook without any answer" in summary
    assert (
        collect(submitted, ASSIGNMENT, submitted, answers={"a": ANSWER}).notes["ada"][-1]
        == UNTOUCHED
    )


def test_an_answer_is_no_untouched_release(take_in):
    assert take_in({"ada.ipynb": ADA}).notes["ada"] == []


# What is left out


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("ben.rar", b"Rar!\x1a\x07\x01\x00" + bytes(300), "a RAR archive, which cannot be opened"),
        ("ben.7z", b"7z\xbc\xaf\x27\x1c" + bytes(300), "a 7-Zip archive, which cannot be opened"),
        ("ben.zip", b"Rar!\x1a\x07\x01\x00" + bytes(300), "a RAR archive, which cannot be opened"),
        ("ben.zip", b"", "File is not a zip file"),
        ("ben.zip", zipped(PACKED)[:-40], "File is not a zip file"),
        ("ben.tar.gz", tarred(PACKED)[:200], "it is damaged"),
        ("ben.tar.gz", b"\x1f\x8bnonsense", "it is damaged"),
        ("ben.tar", b"x" * 2000, "File is not a zip file"),
        ("ben.zip", zipped({}), "there is no file in it"),
    ],
)
def test_an_archive_that_cannot_be_opened_costs_no_neighbour(
    take_in, submitted, name, content, why
):
    collected = take_in({"ada.zip": PACKED, name: content, "cas.ipynb": BEN})
    assert collected.students == ["ada", "cas"]
    (line,) = collected.left_out
    assert line.startswith(f"{name} was left out: it cannot be unpacked: ")
    assert why in line
    assert "ask the student for the notebook itself, or for the zip that `pack` makes" in line
    assert became(collected, name) == What.PERSON


def encrypted(files):
    data = bytearray(zipped(files))
    for signature, flags in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
        data[data.index(signature) + flags] |= 1
    return bytes(data)


def corrupt(files):
    data = bytearray(zipped(files))
    data[60:90] = bytes(30)
    return bytes(data)


@pytest.mark.parametrize("spoil", [encrypted, corrupt])
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_an_encrypted_or_corrupt_zip_costs_no_neighbour(tmp_path, submitted, spoil, kind):
    files = {"ada.zip": spoil({"pruning.ipynb": ADA}), "ben.zip": {"pruning.ipynb": BEN}}
    source = tmp_path / "class"
    write(source, files)
    if kind == "zip":
        source = tmp_path / "class.zip"
        source.write_bytes(zipped(files))
    collected = collect(source, ASSIGNMENT, submitted)
    assert collected.students == ["ben"]
    (line,) = collected.left_out
    assert line.startswith("ada.zip/pruning.ipynb was left out: it ")
    assert collected.ledger.needs_a_person


def test_a_hand_in_that_cannot_be_opened_does_not_replace_the_one_before(take_in, submitted):
    take_in({"ada.zip": PACKED})
    with pytest.raises(NoHandIns):
        take_in({"ada.zip": b"PK broken"})
    assert graded(submitted) == "ada"


@pytest.mark.parametrize("name", ["ben_2_3_pruning.pdf", "ben_2_3_pruning.html", "ben_2_3_a.py"])
def test_the_wrong_format_is_named_with_what_to_ask_for(take_in, name):
    collected = take_in({"ada_1_2_pruning.ipynb": ADA, name: b""})
    assert collected.students == ["ada"]
    assert collected.left_out == [
        f"{name} was left out: it is neither a folder nor an archive nor a notebook: ask the "
        "student for the .ipynb file"
    ]
    (entry,) = [entry for entry in collected.ledger.entries if entry.what == What.PERSON]
    assert entry.student == "ben"


def test_files_of_tools_are_counted_and_need_no_person(take_in, submitted):
    tools = [".DS_Store", "Thumbs.db", "desktop.ini", "._pruning.ipynb", ".git/config"]
    tools += ["__MACOSX/._a", ".ipynb_checkpoints/pruning-checkpoint.ipynb", "__pycache__/a.pyc"]
    files = {"ada/pruning.ipynb": ADA, **{f"ada/{name}": OLD for name in tools}}
    collected = take_in({**files, ".DS_Store": b"", "Thumbs.db": b""})
    assert [e.what for e in collected.ledger.entries].count(What.TOOL) == len(tools) + 2
    assert collected.left_out == []
    assert os.listdir(submitted / "ada" / ASSIGNMENT) == ["pruning.ipynb"]


def test_nothing_recognised_is_refused_with_what_was_seen(take_in, submitted):
    files = {f"pruning ({n}).zip": {"report.txt": b""} for n in (1, 2, 3)} | {"a.pdf": b""}
    with pytest.raises(NoHandIns) as refused:
        take_in(files)
    text = str(refused.value)
    assert "holds no submission of pruning, so nothing was imported and nobody is graded" in text
    assert (
        "3 x zip (pruning (1).zip, pruning (2).zip, pruning (3).zip): it is named after the "
        "assignment, and there is no notebook in it"
    ) in text
    assert "1 x pdf (a.pdf): it is neither a folder nor an archive nor a notebook" in text
    assert [name for name in os.listdir(submitted) if not name.startswith(".")] == []


def test_notebooks_that_do_not_say_whose_they_are_are_refused(take_in):
    with pytest.raises(NoHandIns, match=r"3 x notebook .*: it is named after the assignment and"):
        take_in({"pruning.ipynb": ADA, "pruning (1).ipynb": BEN, "Copy of pruning.ipynb": OLD})


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("pruning.zip", PACKED),
        ("submissions.zip", PACKED),
        ("class", PACKED),
        ("class.tar", PACKED),
    ],
)
def test_the_hand_in_of_one_student_is_not_taken_for_a_class(tmp_path, submitted, name, files):
    source = tmp_path / name
    if name == "class":
        write(source, files)
    else:
        source.write_bytes(tarred(files, "w") if name.endswith("tar") else zipped(files))
    with pytest.raises(UserError, match="is the hand-in of one student, and does not say whose"):
        collect(source, ASSIGNMENT, submitted)


@pytest.mark.parametrize(
    "name",
    [
        "lovelaceada_101_5001_pruning.zip",
        "lovelaceada_17_assignsubmission_file_pruning.zip",
        "HW_lovelaceada_attempt_2026-03-04-10-00-00_pruning.zip",
    ],
)
def test_the_hand_in_of_one_student_may_say_whose_it_is(tmp_path, submitted, name):
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "other.pdf").touch()
    (tmp_path / "downloads" / name).write_bytes(zipped(PACKED))
    collected = collect(tmp_path / "downloads" / name, ASSIGNMENT, submitted)
    assert collected.students == ["lovelaceada"]
    assert {entry.parts[0] for entry in collected.ledger.entries} == {name}


# Names


@pytest.mark.parametrize(
    "name", ["[TA] Jane", "who?", "100%", "a#b", "Zoë  Müller", "Ann-Maria D."]
)
def test_every_name_of_a_student_is_graded_under_a_safe_one(take_in, submitted, name):
    collected = take_in({f"{name}/pruning.ipynb": ADA})
    (student,) = collected.students
    assert graded(submitted, student) == "ada"


@pytest.mark.parametrize("page", ["utf-8", "cp437", "cp850", "cp1252"])
def test_a_name_in_a_zip_is_read_in_the_code_page_of_its_maker(tmp_path, submitted, page):
    name = {"cp850": "Álvaro São", "cp1252": "Élodie Crête"}.get(page, "Zoé Müller")
    raw = f"{name}/pruning.ipynb".encode(page)
    made = zipped({"x" * len(raw): ADA}).replace(b"x" * len(raw), raw)
    (tmp_path / "class.zip").write_bytes(made)
    with zipfile.ZipFile(tmp_path / "class.zip") as archive:
        assert archive.namelist() == [raw.decode("cp437")]  # what Python makes of it
    assert collect(tmp_path / "class.zip", ASSIGNMENT, submitted).students == [name]


def test_a_user_is_the_same_student_in_every_import(tmp_path, submitted):
    ann, other = "doeann_101_5001_pruning.ipynb", "doeann_102_5002_pruning.ipynb"
    write(tmp_path / "both", {ann: ADA, other: BEN})
    assert collect(tmp_path / "both", ASSIGNMENT, submitted).students == [
        "doeann-101",
        "doeann-102",
    ]
    write(tmp_path / "one", {other: OLD})
    assert collect(tmp_path / "one", ASSIGNMENT, submitted).students == ["doeann-102"]


def test_a_second_user_of_a_name_is_another_student_in_a_later_import(tmp_path, submitted):
    ann, other = "doeann_101_5001_pruning.ipynb", "doeann_102_5002_pruning.ipynb"
    write(tmp_path / "one", {ann: ADA})
    assert collect(tmp_path / "one", ASSIGNMENT, submitted).students == ["doeann"]
    write(tmp_path / "another", {other: BEN})
    assert collect(tmp_path / "another", ASSIGNMENT, submitted).students == ["doeann-102"]
    write(tmp_path / "both", {ann: OLD, other: BEN})
    assert collect(tmp_path / "both", ASSIGNMENT, submitted).students == ["doeann", "doeann-102"]
    assert graded(submitted, "doeann") == "old"


# Submissions that an instructor has put into the course


def test_a_zip_in_the_course_is_unpacked_and_kept(submitted):
    write(submitted.parent, {"submitted/ada/pruning/pruning.zip": PACKED})
    collected = collect(submitted, ASSIGNMENT, submitted)
    assert collected.students == ["ada"]
    assert graded(submitted) == "ada"
    assert (submitted / "ada" / ASSIGNMENT / "artifacts" / "quick" / "w.json").exists()
    assert list((submitted / ".intake").rglob("pruning.zip"))


# The disk


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("call", ["mkdir", "rename", "open"])
def test_a_disk_that_refuses_is_said_in_one_sentence_and_nothing_is_lost(
    tmp_path, submitted, monkeypatch, code, call
):
    write(tmp_path / "class", {"ada.zip": PACKED_BEN})
    collect(tmp_path / "class", ASSIGNMENT, submitted)
    write(tmp_path / "class", {"ada.zip": PACKED})
    real = getattr(type(tmp_path), call)

    def refuse(path, *arguments, **options):
        if submitted in path.parents and (call != "open" or "x" in str(arguments)):
            raise OSError(code, os.strerror(code), str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(type(tmp_path), call, refuse)
    with pytest.raises(CannotBeWritten) as refused:
        collect(tmp_path / "class", ASSIGNMENT, submitted)
    monkeypatch.undo()
    assert str(refused.value) == (
        f"{submitted} cannot be written: {os.strerror(code)}. Nothing that was there is lost: once "
        "this is repaired, run the same command again."
    )
    assert graded(submitted) == "ben"
    assert collect(tmp_path / "class", ASSIGNMENT, submitted).students == ["ada"]
    assert graded(submitted) == "ada"


# The ledger as a file


def test_the_ledger_is_a_table_of_every_file(take_in, tmp_path):
    collected = take_in({"ada/pruning.ipynb": ADA, "ada/=1+1.txt": b"", "ben.rar": b"Rar!"})
    collected.ledger.write(tmp_path / "report" / "hand-ins.csv")
    with (tmp_path / "report" / "hand-ins.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert [row[:3] for row in rows[1:]] == [
        ["ada/=1+1.txt", "ada", "beside the graded notebook"],
        ["ada/pruning.ipynb", "ada", "graded"],
        ["ben.rar", "ben", "left out: please look at it"],
    ]


def test_the_summary_counts_files(take_in, tmp_path):
    files = {"ada/pruning.ipynb": ADA, "ada/a.txt": b"", "ben.rar": b"Rar!", ".DS_Store": b""}
    summary = take_in(files).ledger.summary(tmp_path / "x.csv")
    assert summary == (
        f"4 files came in: 2 taken, 1 made by tools, 1 left out that you should look at (see "
        f"{tmp_path / 'x.csv'})"
    )


# Hand-ins that would keep the grader busy


def test_only_some_archives_in_a_hand_in_are_opened(take_in, submitted):
    files = {f"ada/{n:02}.zip": {"a.txt": b""} for n in range(30)}
    collected = take_in({**files, "ben.zip": PACKED_BEN})
    opened = [e.parts for e in collected.ledger.entries if e.parts[-1] == "a.txt"]
    assert len(opened) <= MAX_ARCHIVES
    assert {entry.parts[:2] for entry in collected.ledger.entries} >= {
        tuple(name.split("/")) for name in files
    }


def test_of_many_notebooks_none_is_compared_with_the_release(take_in, submitted, monkeypatch):
    compared = set()
    monkeypatch.setattr(
        "autograder.grading.intake.collecting.is_untouched",
        lambda path, released: compared.add(path.name),
    )
    files = {f"ada/{n:02}.ipynb": OLD for n in range(30)}
    take_in({**files, "ada/pruning.ipynb": ADA})
    assert graded(submitted) == "ada"
    assert compared == {"pruning.ipynb"}


# Documents


def test_a_write_up_and_a_log_are_kept_beside_the_notebook_and_accounted_for(take_in, submitted):
    documents = {"documents/write_up.html": b"<p>Mine", "documents/ai_log_1.txt": b"I asked."}
    collected = take_in({"ada.zip": {"pruning.ipynb": ADA, **documents}})
    assert graded(submitted) == "ada"
    for name, content in documents.items():
        assert (submitted / "ada" / ASSIGNMENT / name).read_bytes() == content
    found = {entry.parts[-1]: entry.what for entry in collected.ledger.entries}
    assert found["write_up.html"] == found["ai_log_1.txt"] == What.BESIDE
    assert not collected.ledger.needs_a_person
