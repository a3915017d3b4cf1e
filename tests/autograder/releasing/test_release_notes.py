"""Release notes say what has changed for students, and give no hidden test or solution away."""

import zipfile
from copy import deepcopy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from small_course import (
    ASSIGNMENT,
    HIDDEN_TEST_LINE,
    SOLUTION_LINE,
    cell_of,
    marks,
    small_course,
    small_notebook,
    write_source,
)

from autograder.cli import main
from autograder.errors import UserError
from autograder.notebook.source import visible_text
from autograder.releasing.changes import changes, describe, release_notes, remember
from autograder.releasing.release import make_release

CHECKS = '''\
TOLERANCE = 1e-6


def halve(answer):
    """Compare an answer with half of its argument."""
    return near(answer(2.0), 1.0)


def near(a, b):
    return abs(a - b) <= TOLERANCE


def third(answer):
    return near(answer(3.0), 1.0)
'''


def source():
    """Return a source notebook of which each question has a heading."""
    notebook = small_notebook()
    notebook.cells[3:3] = [
        new_markdown_cell("## 1 Halving (4 points)\n\nWrite `halve`.", id="asks"),
    ]
    place = notebook.cells.index(cell_of(notebook, "test"))
    check = new_code_cell("checks.halve(halve)", id="check", metadata=marks("check", locked=True))
    notebook.cells[place:place] = [check]
    place = notebook.cells.index(cell_of(notebook, "reason"))
    notebook.cells[place:place] = [new_markdown_cell("## 2 Why?\n\nSay why.", id="why")]
    place = notebook.cells.index(cell_of(notebook, "task"))
    notebook.cells[place:place] = [new_markdown_cell("## 3 Spacing", id="space")]
    return notebook


@pytest.fixture
def described(tmp_path):
    """Return a function that describes a release."""
    count = iter(range(100))

    def description(notebook, checks=CHECKS, version="0.1.0+c1"):
        folder = tmp_path / f"release-{next(count)}"
        path = write_source(folder / "project", notebook)
        students = deepcopy(notebook)
        for cell in students.cells:
            cell.source = visible_text(cell)
        nbformat.write(students, folder / path.name)
        with zipfile.ZipFile(folder / "helpers.whl", "w") as wheel:
            wheel.writestr("helpers/__init__.py", f'__version__ = "{version}"\n')
            wheel.writestr(f"helpers/assignments/{ASSIGNMENT}/checks.py", checks)
        return describe(folder, path)

    return description


def changed(described, change, **new):
    """Return what notes say about a change of the notebook."""
    notebook = source()
    change(notebook)
    return changes(described(source()), described(notebook, **new))


def setting(id, old, new):
    def change(notebook):
        cell = cell_of(notebook, id)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def test_the_same_release_under_another_version_has_no_changes(described):
    before, now = described(source()), described(source(), version="0.1.0+c2")
    assert before == now
    assert changes(before, now) == ["Nothing that concerns a question was changed."]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (setting("asks", "1 Halving", "1 Halves"), "**1 Halving** is now called **1 Halves**."),
        (setting("asks", "Write", "Program"), "**1 Halving**: the text was changed."),
        (
            setting("answer", "half as large", "divided by 2"),
            "**1 Halving**: the code to start from was changed.",
        ),
        (
            setting("check", "(halve)", "(lambda w: halve(w))"),
            "**1 Halving**: the public check was changed.",
        ),
        (setting("test", "3.0", "5.0"), "**1 Halving**: the hidden test was changed."),
        (
            setting("setup", "numpy", "numpy.linalg"),
            "The text or the code outside of the questions was changed.",
        ),
    ],
)
def test_each_kind_of_change_has_a_sentence(described, change, note):
    assert changed(described, change) == [note]


def test_a_solution_and_a_comment_in_a_hidden_test_are_no_changes_for_students(described):
    def change(notebook):
        setting("answer", "factor = 1 / 2", "factor = 0.5")(notebook)
        setting("reason", "stays", "remains")(notebook)
        setting("test", "score(\n", "score(  # all points\n")(notebook)

    assert changed(described, change) == ["Nothing that concerns a question was changed."]


def test_points_are_compared_question_by_question_and_in_all(described):
    def change(notebook):
        cell_of(notebook, "test").metadata.nbgrader.points = 5

    assert changed(described, change) == [
        "**1 Halving** is worth 5 points; it was worth 4.",
        "All questions together are worth 7 points; it was 6.",
    ]


def test_new_and_removed_questions_are_named(described):
    def change(notebook):
        notebook.cells.remove(cell_of(notebook, "reason"))
        notebook.cells.remove(cell_of(notebook, "why"))
        new = marks("bonus_thirds", points=1, locked=True)
        notebook.cells.append(new_markdown_cell("## 4 Thirds"))
        notebook.cells.append(new_code_cell("# Hidden", metadata=new))

    assert changed(described, change) == [
        "**4 Thirds** is a new question, worth 1 point.",
        "**2 Why?**, which was worth 1 point, was removed.",
        "All questions together are worth 5 points; it was 6.",
    ]


@pytest.mark.parametrize(
    ("old", "new"), [("1e-6", "1e-5"), ("a - b", "b - a"), ("answer(2.0)", "answer(2)")]
)
def test_a_public_check_has_changed_if_anything_has_that_it_uses(described, old, new):
    checks = CHECKS.replace(old, new)
    assert checks != CHECKS
    assert changed(described, lambda notebook: None, checks=checks) == [
        "**1 Halving**: the public check was changed.",
        "The package `helpers` was changed: the first cell installs the new one.",
    ]


def test_another_question_s_check_changes_only_the_package(described):
    checks = CHECKS.replace("answer(3.0)", "answer(3)")
    assert changed(described, lambda notebook: None, checks=checks) == [
        "The package `helpers` was changed: the first cell installs the new one.",
    ]


def test_questions_under_one_heading_are_told_apart(described):
    def change(notebook):
        notebook.cells.remove(cell_of(notebook, "space"))
        setting("task", "Draw", "Plot")(notebook)

    before = source()
    before.cells.remove(cell_of(before, "space"))
    now = source()
    change(now)
    assert changes(described(before), described(now)) == [
        "**2 Why? (Spacing)**: the text was changed."
    ]


def test_the_last_change_stays_known_when_the_same_is_released_again(described, tmp_path):
    course = small_course(tmp_path)
    changed = source()
    setting("asks", "Write", "Program")(changed)
    assert not remember(described(source()), ASSIGNMENT, course)
    assert remember(described(changed), ASSIGNMENT, course)
    assert not remember(described(changed), ASSIGNMENT, course)
    assert release_notes(ASSIGNMENT, course) == (
        "# What has changed in Halves\n\n- **1 Halving**: the text was changed."
    )


def test_one_release_alone_has_no_notes(described, tmp_path):
    course = small_course(tmp_path)
    for _ in range(2):
        remember(described(source()), ASSIGNMENT, course)
        with pytest.raises(UserError, match="was not released twice, with a change in between"):
            release_notes(ASSIGNMENT, course)


@pytest.mark.thorough
def test_release_and_changes_work_together(tmp_path, capsys, monkeypatch):
    course = small_course(tmp_path)
    write_source(tmp_path, small_notebook())
    assert not make_release(ASSIGNMENT, course).changed
    notebook = small_notebook()
    cell_of(notebook, "test").source = cell_of(notebook, "test").source.replace("3.0", "5.0")
    write_source(tmp_path, notebook)
    monkeypatch.setattr("autograder.commands._course", lambda options: course)
    assert main(["release", ASSIGNMENT]) == 0
    assert f"`autograder changes {ASSIGNMENT}`" in capsys.readouterr().out
    assert main(["changes", ASSIGNMENT]) == 0
    notes = capsys.readouterr().out
    assert "the hidden test was changed" in notes
    assert notes.count("\n- ") == 1
    kept = course.releases(ASSIGNMENT).read_text()
    for secret in (HIDDEN_TEST_LINE, SOLUTION_LINE):
        assert secret not in notes + kept
