"""The folders around a class are told from the folder of a student."""

import pytest

from autograder.grading.intake.class_layout import (
    folders_around_class,
    is_class,
    is_one_hand_in,
)


def paths(files):
    return [tuple(file.split("/")) for file in files]


@pytest.mark.parametrize(
    "files",
    [
        ["ada/work.ipynb"],
        ["ada/Work.IPYNB"],
        ["ada/work/work.ipynb", "ada/work/artifacts/w.json"],
        ["ada/my work/work.ipynb", "ada/README.txt"],
        ["ada/work.ipynb", "ada/data/more.zip", "ada/data/even more.zip"],
        ["ada/work.zip", "ada/work (1).zip"],
        ["ada/try 1.ipynb", "ada/try 2.ipynb"],
        ["ada/work.ipynb", "ben/work.ipynb"],
        ["Ada Lovelace_17_assignsubmission_file/a/work.ipynb"],
        ["class/notes.txt"],
        [],
    ],
)
def test_the_folder_of_a_student_is_not_one_around_the_class(files):
    assert folders_around_class(paths(files), "work") == ()


@pytest.mark.parametrize(
    ("files", "around"),
    [
        (["class/ada/work.ipynb", "class/ben/work.ipynb"], ("class",)),
        (["class/ada.zip", "class/ben.tar.gz", "class/grades.csv"], ("class",)),
        (["class/ada/work/work.ipynb"], ("class",)),
        (["work/ada/work.ipynb"], ("work",)),
        (["class/ada.zip", "class/ben/any/name.ipynb", "__MACOSX/class/._ada.zip"], ("class",)),
        (["HW 1/Doe, Jane(jdoe)/Submission attachment(s)/a.ipynb", "HW 1/grades.csv"], ("HW 1",)),
        (["a/b/Jane Doe_17_assignsubmission_file/work.ipynb"], ("a", "b")),
        (["class/doejane_1_2_work.ipynb"], ("class",)),
    ],
)
def test_folders_around_the_class_are_recognised(files, around):
    assert folders_around_class(paths(files), "work") == around


@pytest.mark.parametrize(
    "files", [["work.ipynb", "artifacts/w.json"], ["Work (1).ipynb"], ["Copy of work.ipynb.txt"]]
)
def test_a_notebook_outside_of_any_folder_is_one_hand_in(files):
    assert is_one_hand_in(paths(files), "work")


@pytest.mark.parametrize(
    "files",
    [
        ["ada/work.ipynb"],
        ["ada.ipynb", "ben.ipynb"],
        ["work.ipynb", "work (1).ipynb"],
        ["doejane_1_2_work.ipynb"],
    ],
)
def test_other_files_are_not_one_hand_in(files):
    assert not is_one_hand_in(paths(files), "work")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["ada/work.ipynb", "ben/work.ipynb"], True),
        (["all/ada.zip", "all/ben.zip"], True),
        (["doejane_1_2_work.ipynb"], True),
        (["work.ipynb", "artifacts/w.json"], False),
        (["work/work.ipynb", "README.txt"], False),
        (["try 1.ipynb", "try 2.ipynb"], False),
    ],
)
def test_an_archive_of_a_class_is_told_from_that_of_a_student(files, expected):
    assert is_class(paths(files), "work") == expected
