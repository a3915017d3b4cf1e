"""In every layout, each student gets the right notebook, and every file is accounted for.

The names are those that learning management systems, systems and people give; the people are
invented. See `autograder.grading.intake.systems` for the sources.
"""

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
    leaves,
    notebook,
    tarred,
    write,
    zipped,
)

from autograder.grading.intake.collecting import collect
from autograder.grading.intake.ledger import What

CANVAS_ADA, CANVAS_BEN = "lovelaceada_101_5001_{}", "doeben_LATE_102_5002_{}"
MOODLE_ADA, MOODLE_BEN = "Ada Lovelace_17_assignsubmission_file", "Ben Doe_18_assignsubmission_file"
SAKAI_ADA, SAKAI_BEN = "Lovelace, Ada(alovelace)", "Doe, Ben(bdoe)"
BRIGHT_ADA = "41023-77 - Ada Lovelace - Mar 4, 2026 1227 PM"
BRIGHT_BEN = "41024-77 - Ben Doe - Mar 4, 2026 110 AM"
BB_ADA, BB_BEN = "HW 1_ada_attempt_2026-03-04-10-00-00", "HW 1_ben_attempt_2026-03-04-11-00-00"
GRADESCOPE = b"""\
submission_5001:
  :submitters:
  - :name: Ada Lovelace
    :sid: '101'
    :email: ada@example.org
  :created_at: 2026-03-04 10:00:00.000000000 Z
submission_5002:
  :submitters:
  - :name: Ben Doe
    :sid: '102'
    :email: ben@example.org
  :created_at: 2026-03-04 11:00:00.000000000 Z
"""
CHECKPOINT = ".ipynb_checkpoints/pruning-checkpoint.ipynb"
BOTH = {"ada": "ada", "ben": "ben"}
CANVAS = {"lovelaceada": "ada", "doeben": "ben"}
NAMES = {"Ada Lovelace": "ada", "Ben Doe": "ben"}
SAKAI = {"Lovelace, Ada": "ada", "Doe, Ben": "ben"}

# The files, and the answer that is graded for each student.
LAYOUTS = {
    "a folder for each student": ({"ada/pruning.ipynb": ADA, "ben/pruning.ipynb": BEN}, BOTH),
    "nbgrader's folders": (
        {"ada/pruning/pruning.ipynb": ADA, "ben/pruning/pruning.ipynb": BEN},
        BOTH,
    ),
    "nbgrader's folders of several assignments": (
        {
            "ada/pruning/pruning.ipynb": ADA,
            "ada/lora/lora.ipynb": OLD,
            "ben/pruning/pruning.ipynb": BEN,
        },
        BOTH,
    ),
    "nbgrader's exchange": (
        {
            "ada+pruning+2026-03-04 10:00:00.123456 UTC+qX1/pruning.ipynb": ADA,
            "ada+pruning+2026-03-03 10:00:00.123456 UTC+qX0/pruning.ipynb": OLD,
            "ben+pruning+2026-03-04 11:00:00 UTC/pruning.ipynb": BEN,
        },
        BOTH,
    ),
    "a zip of pack for each student": ({"ada.zip": PACKED, "ben.ZIP": PACKED_BEN}, BOTH),
    "a notebook for each student": ({"ada.ipynb": ADA, "ben.IPYNB": BEN}, BOTH),
    "tars": (
        {
            "ada.tar.gz": tarred(PACKED),
            "ben.TGZ": tarred(PACKED_BEN),
            "cas.tar": tarred(PACKED, "w"),
        },
        {**BOTH, "cas": "ada"},
    ),
    "Canvas, zips": (
        {CANVAS_ADA.format("pruning.zip"): PACKED, CANVAS_BEN.format("a.zip"): PACKED_BEN},
        CANVAS,
    ),
    "Canvas, notebooks uploaded again": (
        {CANVAS_ADA.format("pruning-2.ipynb"): ADA, CANVAS_BEN.format("pruning-1.ipynb"): BEN},
        CANVAS,
    ),
    "Canvas, a notebook and its artifacts": (
        {
            CANVAS_ADA.format("pruning.ipynb"): ADA,
            "lovelaceada_101_5003_artifacts.zip": {"artifacts/quick/w.json": b"1"},
            "lovelaceada_101_5004_notes.txt": b"Hello",
            CANVAS_BEN.format("pruning.ipynb"): BEN,
            "doeben_LATE_102_text.html": b"<p>Sorry</p>",
        },
        CANVAS,
    ),
    "Canvas, anonymous": (
        {"anon_q3Xy_5001_pruning.ipynb": ADA, "LATE_anon_Zk90_5002_pruning.zip": PACKED_BEN},
        {"anon_q3Xy": "ada", "anon_Zk90": "ben"},
    ),
    "Canvas, two people of one name": (
        {"doeann_101_5001_pruning.ipynb": ADA, "doeann_102_5002_pruning.ipynb": BEN},
        {"doeann-101": "ada", "doeann-102": "ben"},
    ),
    "Moodle, folders": (
        {f"{MOODLE_ADA}/pruning.ipynb": ADA, f"{MOODLE_BEN}/pruning.zip": PACKED_BEN},
        NAMES,
    ),
    "Moodle before 3.9": (
        {f"{MOODLE_ADA}_/pruning.ipynb": ADA, f"{MOODLE_BEN}_/pruning.zip": PACKED_BEN},
        NAMES,
    ),
    "Moodle, files": (
        {f"{MOODLE_ADA}_pruning.ipynb": ADA, f"{MOODLE_BEN}_pruning.zip": PACKED_BEN},
        NAMES,
    ),
    "Moodle, with texts": (
        {
            f"{MOODLE_ADA}/pruning.ipynb": ADA,
            "Ada Lovelace_17_assignsubmission_onlinetext/onlinetext.html": b"Hello",
            f"{MOODLE_BEN}/pruning.ipynb": BEN,
        },
        NAMES,
    ),
    "Moodle, anonymous": (
        {
            "Participant_901_assignsubmission_file/pruning.ipynb": ADA,
            "Participant_902_assignsubmission_file/pruning.ipynb": BEN,
        },
        {"Participant-901": "ada", "Participant-902": "ben"},
    ),
    "Moodle, groups": (
        {
            "Team Red_4_assignsubmission_file/pruning.ipynb": ADA,
            "Default group_assignsubmission_file/pruning.ipynb": BEN,
        },
        {"Team Red": "ada", "Default group": "ben"},
    ),
    "Sakai": (
        {
            "HW 1/grades.csv": b"",
            f"HW 1/{SAKAI_ADA}/Submission attachment(s)/pruning.zip": PACKED,
            f"HW 1/{SAKAI_ADA}/Feedback Attachment(s)/pruning.ipynb": OLD,
            f"HW 1/{SAKAI_ADA}/timestamp.txt": b"20260304100000123",
            f"HW 1/{SAKAI_ADA}/comments.txt": b"",
            f"HW 1/{SAKAI_BEN}/Submission attachment(s)/pruning.ipynb": BEN,
            f"HW 1/{SAKAI_BEN}/{SAKAI_BEN}_submissionText.html": b"",
        },
        SAKAI,
    ),
    "Sakai, one student in another language": (
        {f"課題/{SAKAI_ADA}/提出物の添付ファイル/pruning.ipynb": ADA, "課題/grades.xls": b""},
        {"Lovelace, Ada": "ada"},
    ),
    "Sakai without folders": (
        {
            f"{SAKAI_ADA}_Submission attachment(s)_pruning.ipynb": ADA,
            f"{SAKAI_BEN}_Submission attachment(s)_pruning.zip": PACKED_BEN,
        },
        SAKAI,
    ),
    "Gradescope": (
        {
            "assignment_42_export/submission_metadata.yml": GRADESCOPE,
            "assignment_42_export/submission_5001/pruning.ipynb": ADA,
            "assignment_42_export/submission_5001/artifacts/quick/w.json": b"1",
            "assignment_42_export/submission_5002/pruning.ipynb": BEN,
        },
        NAMES,
    ),
    "Gradescope, a group": (
        {
            "submission_metadata.yml": GRADESCOPE.replace(
                b"submission_5002:\n  :submitters:\n", b""
            ).replace(b"  :created_at: 2026-03-04 10:00:00.000000000 Z\n", b"", 1),
            "submission_5001/pruning.ipynb": ADA,
        },
        {"Ada Lovelace": "ada", "Ben Doe": "ada"},
    ),
    "Gradescope without its list": (
        {"submission_5001/pruning.ipynb": ADA, "submission_5002/pruning.ipynb": BEN},
        {"submission_5001": "ada", "submission_5002": "ben"},
    ),
    "Blackboard": (
        {
            f"{BB_ADA}.txt": b"Name: Ada",
            f"{BB_ADA}_pruning.zip": PACKED,
            f"{BB_BEN}.txt": b"Name: Ben",
            f"{BB_BEN}_pruning.ipynb": BEN,
        },
        BOTH,
    ),
    "Blackboard, two attempts": (
        {
            f"{BB_ADA}_pruning.ipynb": ADA,
            "HW 1_ada_attempt_2026-03-01-10-00-00_pruning.ipynb": OLD,
            "HW 1_ada_attempt_2026-03-01-10-00-00_notes.txt": b"",
            f"{BB_BEN}_pruning.ipynb": BEN,
        },
        BOTH,
    ),
    "Blackboard, names with underscores": (
        {
            "HW_1_a_doe_attempt_2026-03-04-10-00-00_pruning.ipynb": ADA,
            "HW_1_b_doe_attempt_2026-03-04-10-00-00_pruning.ipynb": BEN,
        },
        {"a_doe": "ada", "b_doe": "ben"},
    ),
    "Brightspace, folders": (
        {
            "index.html": b"",
            f"{BRIGHT_ADA}/pruning.ipynb": ADA,
            f"{BRIGHT_BEN}/pruning.zip": PACKED_BEN,
        },
        NAMES,
    ),
    "Brightspace, files and two attempts": (
        {
            f"{BRIGHT_ADA} - pruning.ipynb": ADA,
            "41023-77 - Ada Lovelace - Mar 3, 2026 1230 PM - pruning - new.ipynb": OLD,
            f"{BRIGHT_BEN} - ben - pruning.zip": PACKED_BEN,
            "index.html": b"",
        },
        NAMES,
    ),
    "Google Classroom": (
        {"Ada Lovelace - pruning.ipynb": ADA, "Copy of Ben Doe - Pruning.ipynb": BEN},
        NAMES,
    ),
    "Google Drive, in parts": (
        {
            "drive-download-20260304T100000Z-1-001.zip": {"ada/pruning.ipynb": ADA},
            "drive-download-20260304T100000Z-1-002.zip": {"ben/Copy of pruning.ipynb": BEN},
        },
        BOTH,
    ),
    "Colab's copies": (
        {"ada/Copy of pruning.ipynb": ADA, "ben/Copy of Copy of pruning (1).ipynb": BEN},
        BOTH,
    ),
    "names of students and the assignment": (
        {"ada_pruning.ipynb": ADA, "pruning-ben.zip": PACKED_BEN},
        BOTH,
    ),
    "a folder around the class": (
        {
            "Homework 1/ada/pruning.ipynb": ADA,
            "Homework 1/ben.zip": PACKED_BEN,
            "__MACOSX/Homework 1/._ben.zip": b"",
        },
        BOTH,
    ),
    "two folders around the class": (
        {
            f"Downloads/HW 1/{MOODLE_ADA}/pruning.ipynb": ADA,
            f"Downloads/HW 1/{MOODLE_BEN}/pruning.ipynb": BEN,
        },
        NAMES,
    ),
    "a zip around the class": (
        {"submissions.zip": {"all/ada/pruning.ipynb": ADA, "all/ben.zip": PACKED_BEN}},
        BOTH,
    ),
    "Canvas's zip in a folder": (
        {
            "submissions.zip": {
                CANVAS_ADA.format("pruning.ipynb"): ADA,
                CANVAS_BEN.format("pruning.ipynb"): BEN,
            },
            ".DS_Store": b"",
        },
        CANVAS,
    ),
    "Finder": (
        {
            "ada/pruning.ipynb": ADA,
            "ben/pruning.ipynb": BEN,
            "__MACOSX/ada/._pruning.ipynb": b"",
            "__MACOSX/._ada": b"",
            ".DS_Store": b"",
        },
        BOTH,
    ),
    "Finder's zips": (
        {
            "ada.zip": {"pruning/pruning.ipynb": ADA, "__MACOSX/pruning/._pruning.ipynb": b""},
            "ben.zip": {"my work/pruning.ipynb": BEN, "my work/.DS_Store": b""},
        },
        BOTH,
    ),
    "Windows": (
        {
            "ada.zip": {
                "pruning\\pruning.ipynb": ADA,
                "pruning\\artifacts\\quick\\w.json": b"1",
                "pruning\\desktop.ini": b"",
            },
            "ben/pruning.ipynb": BEN,
            "ben/Thumbs.db": b"",
        },
        BOTH,
    ),
    "a folder and a file in the zip": (
        {
            "ada.zip": {"my work/pruning.ipynb": ADA, "README.txt": b"Hello"},
            "ben.zip": {"pruning/final/pruning.ipynb": BEN, "pruning/notes.txt": b"Hello"},
        },
        BOTH,
    ),
    "a zip in a zip": (
        {
            "ada.zip": {"pruning.zip": PACKED},
            "ben.zip": {"a folder/pruning.zip": {"again.zip": PACKED_BEN}},
        },
        BOTH,
    ),
    "a zip in a folder": ({"ada/pruning.zip": PACKED, "ben/pruning/hand-in.zip": PACKED_BEN}, BOTH),
    "a tar in a zip": (
        {"ada.zip": {"pruning.tar.gz": tarred({"pruning.ipynb": ADA})}, "ben.zip": PACKED_BEN},
        BOTH,
    ),
    "saved copies beside": (
        {
            "ada/pruning.ipynb": ADA,
            f"ada/{CHECKPOINT}": OLD,
            "ben.zip": {"pruning/pruning.ipynb": BEN, f"pruning/{CHECKPOINT}": OLD},
        },
        BOTH,
    ),
    "other notebooks beside": (
        {
            "ada/pruning.ipynb": ADA,
            "ada/scratch.ipynb": OLD,
            "ben/hand-in/pruning.ipynb": BEN,
            "ben/old/try.ipynb": OLD,
        },
        BOTH,
    ),
    "renamed notebooks": ({"ada/HW1 final.ipynb": ADA, "ben/Pruning.ipynb.txt": BEN}, BOTH),
    "the release beside the copy that was worked on": (
        {
            "ada/pruning.ipynb": notebook(ANSWER),
            "ada/pruning (1).ipynb": ADA,
            "ben.zip": PACKED_BEN,
        },
        BOTH,
    ),
    "the zip of pack beside the notebook": (
        {"ada/pruning.ipynb": ADA, "ada/pruning.zip": zipped(PACKED), "ben.zip": PACKED_BEN},
        BOTH,
    ),
    "accents": (
        {"Zoë Müller/pruning.ipynb": ADA, "José.zip": PACKED_BEN, "李雷/pruning.ipynb": BEN},
        {"Zoë Müller": "ada", "José": "ben", "李雷": "ben"},
    ),
    "decomposed accents": (
        {"Zoe\u0308/pruning.ipynb": ADA, "ben.zip": PACKED_BEN},
        {"Zoë": "ada", "ben": "ben"},
    ),
}


@pytest.fixture(params=["folder", "zip", "tar"])
def source(request, tmp_path):
    """Return a function that lays files out in a folder, a zip or a tar, and returns it."""

    def lay_out(files):
        path = tmp_path / f"class.{request.param}"
        if request.param == "folder":
            write(path, files)
        else:
            path.write_bytes(zipped(files) if request.param == "zip" else tarred(files))
        return path

    return lay_out


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_student_and_every_file_is_accounted_for(layout, source, tmp_path):
    files, students = LAYOUTS[layout]
    submitted = tmp_path / "submitted"
    collected = collect(source(files), ASSIGNMENT, submitted, answers={"a": ANSWER})
    assert collected.students == sorted(students)
    for student, answer in students.items():
        assert answer_in(submitted / student / ASSIGNMENT / "pruning.ipynb") == answer
    assert not collected.ledger.needs_a_person
    entries = collected.ledger.entries
    assert {entry.student for entry in entries if entry.what == What.NOTEBOOK} == set(students)
    listed = {entry.parts for entry in entries}
    for leaf in leaves(files):
        # An archive is in the ledger as the files in it, or as a whole if it was not taken.
        assert any(parts[: len(leaf)] == leaf or leaf[: len(parts)] == parts for parts in listed)


def test_there_are_at_least_forty_layouts():
    assert len(LAYOUTS) >= 40


@pytest.mark.parametrize(
    "layout", ["a zip of pack for each student", "tars", "Windows", "a zip in a zip", "Gradescope"]
)
def test_artifacts_are_beside_the_notebook(layout, source, tmp_path):
    submitted = tmp_path / "submitted"
    collected = collect(source(LAYOUTS[layout][0]), ASSIGNMENT, submitted)
    folder = submitted / collected.students[0] / ASSIGNMENT
    assert (folder / "artifacts" / "quick" / "w.json").read_text() == "1"
