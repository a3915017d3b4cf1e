"""Hand-ins are found in the layouts that learning management systems and people make."""

import io
import zipfile

import nbformat
import pytest

from autograder.errors import UserError
from autograder.grading.intake.class_layout import folder_around_class, is_one_hand_in, students
from autograder.grading.intake.collecting import collect

NOTEBOOK = nbformat.writes(
    nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
).encode()


def zipped(files):
    """Return the bytes of a zip; a dictionary stands for a zip within it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, zipped(data) if isinstance(data, dict) else data)
    return content.getvalue()


PACKED = {"work.ipynb": NOTEBOOK, "artifacts/quick/w.json": b"1"}
"""What `pack` makes."""
MOODLE = "{}_assignsubmission_file"

LAYOUTS = {
    "folders": {"ada/work.ipynb": NOTEBOOK, "ben/work.ipynb": NOTEBOOK},
    "folders of the assignment": {"ada/work/work.ipynb": NOTEBOOK, "ben/work/work.ipynb": NOTEBOOK},
    "zips": {"ada.zip": PACKED, "ben.ZIP": PACKED},
    "notebooks": {"ada.ipynb": NOTEBOOK, "ben.ipynb": NOTEBOOK},
    "Canvas": {
        "ada_101_2001_work.zip": PACKED,
        "ben_LATE_102_2002_work-1.ipynb": NOTEBOOK,
    },
    "Moodle, folders": {
        f"{MOODLE.format('ada_17')}/work.ipynb": NOTEBOOK,
        f"{MOODLE.format('ben_18')}/work.zip": PACKED,
    },
    "Moodle, files": {
        f"{MOODLE.format('ada_17')}_work.ipynb": NOTEBOOK,
        f"{MOODLE.format('ben_18')}_work.zip": PACKED,
    },
    "a folder around the class": {
        "Homework 1/ada/work.ipynb": NOTEBOOK,
        "Homework 1/ben.zip": PACKED,
        "__MACOSX/Homework 1/._ben.zip": b"",
    },
    "a folder and a file in the zip": {
        "ada.zip": {"my work/work.ipynb": NOTEBOOK, "README.txt": b"Hello"},
        "ben.zip": {"work/final/work.ipynb": NOTEBOOK, "work/notes.txt": b"Hello"},
    },
    "a zip in a zip": {
        "ada.zip": {"work.zip": PACKED},
        "ben.zip": {"a folder/work.zip": {"again.zip": PACKED}},
    },
    "a zip in a folder": {"ada/work.zip": PACKED, "ben/work/hand-in.zip": PACKED},
    "Finder": {
        "ada/work.ipynb": NOTEBOOK,
        "ben/work.ipynb": NOTEBOOK,
        "__MACOSX/ada/._work.ipynb": b"",
        "__MACOSX/._ada": b"",
        ".DS_Store": b"",
    },
    "Windows": {"ada.zip": {"work\\work.ipynb": NOTEBOOK}, "ben\\work.ipynb": NOTEBOOK},
    "a saved copy beside": {
        "ada/work.ipynb": NOTEBOOK,
        "ada/.ipynb_checkpoints/work-checkpoint.ipynb": NOTEBOOK,
        "ben.zip": {
            "work/work.ipynb": NOTEBOOK,
            "work/.ipynb_checkpoints/work-checkpoint.ipynb": NOTEBOOK,
        },
    },
    "other notebooks in other folders": {
        "ada/work.ipynb": NOTEBOOK,
        "ben/hand-in/work.ipynb": NOTEBOOK,
        "ben/old/try.ipynb": NOTEBOOK,
    },
}


def write(folder, files):
    for name, data in files.items():
        path = folder / name.replace("\\", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zipped(data) if isinstance(data, dict) else data)


@pytest.fixture(params=["folder", "zip"])
def source(request, tmp_path):
    """Return a function that lays files out in a folder or in a zip, and returns it."""

    def lay_out(files):
        if request.param == "zip":
            path = tmp_path / "class.zip"
            path.write_bytes(zipped(files))
        else:
            path = tmp_path / "class"
            write(path, files)
        return path

    return lay_out


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_student_is_found_with_a_notebook(layout, source, tmp_path):
    submitted = tmp_path / "submitted"
    collected = collect(source(LAYOUTS[layout]), "work", submitted)
    assert collected.students == ["ada", "ben"]
    for student in collected.students:
        found = nbformat.read(submitted / student / "work" / "work.ipynb", as_version=4)
        assert found.cells[0].source == "1 + 1"
    assert collected.left_out == []


@pytest.mark.parametrize("layout", ["zips", "Canvas", "a zip in a zip", "a zip in a folder"])
def test_artifacts_are_beside_the_notebook(layout, source, tmp_path):
    submitted = tmp_path / "submitted"
    collect(source(LAYOUTS[layout]), "work", submitted)
    assert (submitted / "ada" / "work" / "artifacts" / "quick" / "w.json").read_text() == "1"


def test_what_is_no_hand_in_is_named(source, tmp_path):
    files = {"ada_1_2_work.ipynb": NOTEBOOK, "ben_2_3_work.rar": b"Rar!", "grades.csv": b""}
    collected = collect(source(files), "work", tmp_path / "submitted")
    assert collected.students == ["ada"]
    assert collected.left_out == [
        "ben_2_3_work.rar was left out: it is neither a folder nor a zip nor a notebook",
        "grades.csv was left out: it is neither a folder nor a zip nor a notebook",
    ]


def test_the_hand_in_of_one_student_is_not_taken_for_a_class(source, tmp_path):
    with pytest.raises(UserError, match="is the hand-in of one student, and does not say whose"):
        collect(source(PACKED), "work", tmp_path / "submitted")


def test_a_hand_in_named_after_the_assignment_alone_is_left_out(source, tmp_path):
    files = {"ada.zip": PACKED, "work.zip": PACKED}
    collected = collect(source(files), "work", tmp_path / "submitted")
    assert collected.students == ["ada"]
    assert "named after the assignment and not after a student" in collected.left_out[0]


def test_a_broken_zip_in_a_hand_in_is_named(source, tmp_path):
    submitted = tmp_path / "submitted"
    collected = collect(source({"ada/work.zip": b"PK", "ben.zip": PACKED}), "work", submitted)
    assert collected.students == ["ada", "ben"]
    assert any("work.zip cannot be unpacked" in note for note in collected.notes["ada"])


def test_zips_in_zips_share_the_limits_of_their_hand_in(source, tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.grading.intake.hand_in_files.MAX_FILES", 4)
    files = {"ada.zip": {"work.zip": {f"{n}.txt": b"" for n in range(9)}}, "ben.zip": PACKED}
    collected = collect(source(files), "work", tmp_path / "submitted")
    assert any("may have at most 4 files" in note for note in collected.notes["ada"])
    assert collected.notes["ben"] == []


def test_two_users_of_one_name_are_told_apart():
    entries = ["ada_1_7_work.zip", "ada_2_8_work.zip", "ben_3_9_work.zip"]
    assert list(students(entries).values()) == ["ada-1", "ada-2", "ben"]


@pytest.mark.parametrize(
    ("entry", "student"),
    [
        ("ada", "ada"),
        ("ada.zip", "ada"),
        ("Ada Lovelace_12_assignsubmission_file_", "Ada Lovelace"),
        ("Ada_Lovelace", "Ada_Lovelace"),
        ("team_1", "team_1"),
        ("ada_v1.2", "ada_v1.2"),
    ],
)
def test_a_name_that_no_system_has_made_stays_as_it_is(entry, student):
    assert students([entry]) == {entry: student}


@pytest.mark.parametrize(
    "files",
    [
        ["ada/work.ipynb"],
        ["ada/work/work.ipynb", "ada/work/artifacts/w.json"],
        ["ada/my work/work.ipynb", "ada/README.txt"],
        ["ada/work.ipynb", "ada/data/more.zip", "ada/data/even more.zip"],
        ["ada/work.ipynb", "ben/work.ipynb"],
        ["class/notes.txt"],
        [],
    ],
)
def test_the_folder_of_a_student_is_not_one_around_the_class(files):
    assert folder_around_class([tuple(file.split("/")) for file in files], "work") is None


@pytest.mark.parametrize(
    "files",
    [
        ["class/ada/work.ipynb", "class/ben/work.ipynb"],
        ["class/ada.zip", "class/ben.zip", "class/grades.csv"],
        ["class/ada/work/work.ipynb"],
        ["class/ada.zip", "class/ben/any/name.ipynb", "__MACOSX/class/._ada.zip"],
    ],
)
def test_a_folder_around_the_class_is_recognised(files):
    assert folder_around_class([tuple(file.split("/")) for file in files], "work") == "class"


def test_a_notebook_outside_of_any_folder_is_one_hand_in():
    assert is_one_hand_in([("work.ipynb",), ("artifacts", "w.json")], "work")
    assert not is_one_hand_in([("ada", "work.ipynb")], "work")
