"""Copies are looked for among submitted networks and in the code of graded notebooks."""

import json
import random

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.course import Course
from autograder.reporting.copies import look_alikes
from helpers.artifacts import write_weights

ASSIGNMENT = "pruning"


def code(author, lines=60):
    draw = random.Random(author)
    return "\n".join(f"x = y[{draw.random()}] + {draw.random()} * z" for _ in range(lines))


def marked(name, source="", **marks):
    nbgrader = {"grade_id": name, "grade": False, "solution": False, **marks}
    return new_code_cell(source, metadata={"nbgrader": nbgrader})


def answer(source):
    return marked("question_solution", source, solution=True)


class ClassFolder:
    """A course folder in which every submission is graded."""

    def __init__(self, folder):
        self.folder = folder
        self.notebooks = folder / "source"
        self.students = []
        self.write(
            self.notebooks / ASSIGNMENT,
            [
                new_code_cell(code("setup")),
                answer(f"# given\n### BEGIN SOLUTION\n{code('solution')}\n### END SOLUTION"),
                marked("question", "### BEGIN HIDDEN TESTS\n1\n### END HIDDEN TESTS", grade=True),
            ],
        )

    def write(self, place, cells):
        place.mkdir(parents=True, exist_ok=True)
        nb = new_notebook(cells=cells, metadata={"course": {"artifacts": ["toy"]}})
        nbformat.write(nb, place / f"{ASSIGNMENT}.ipynb")

    def graded(self, student, *cells):
        self.students.append(student)
        self.write(self.folder / "autograded" / student / ASSIGNMENT, cells)

    def handed_in(self, student, seed):
        folder = self.folder / "submitted" / student / ASSIGNMENT / "artifacts" / "quick"
        draw = torch.Generator().manual_seed(seed)
        write_weights(folder / "toy.safetensors", {"w": torch.randn(30, 30, generator=draw)})
        names = ("train_loss", "train_accuracy", "test_accuracy", "learning_rate", "seconds")
        numbers = {name: torch.rand(3, generator=draw).tolist() for name in names}
        (folder / "toy.json").write_text(json.dumps(numbers))

    def alike(self):
        return look_alikes(ASSIGNMENT, Course(self.folder, self.notebooks), self.students)

    def same_code(self):
        return [group.students for group in self.alike().code.groups]


@pytest.fixture
def course(tmp_path):
    return ClassFolder(tmp_path)


def test_networks_are_read_from_the_submissions(course):
    for student, seed in [("ada", 1), ("ben", 1), ("cai", 2)]:
        course.graded(student)
        course.handed_in(student, seed)
    (group,) = course.alike().one_training
    assert (group.students, group.networks) == (("ada", "ben"), ("quick/toy",))
    assert course.alike().same_weights == ()


def test_answers_and_cells_of_the_students_own_are_compared(course):
    course.graded("ada", answer(code("ada", 30)), new_code_cell(code("her own", 30)))
    course.graded(
        "ben", answer("pass"), new_code_cell(code("ada", 30) + "\n" + code("her own", 30))
    )
    course.graded("cai", answer(code("cai")))
    (group,) = course.alike().code.groups
    assert group.students == ("ada", "ben")
    assert set(group.cells) == {"cell 2", "question_solution"}


def test_hidden_tests_the_release_and_written_answers_are_not_compared(course):
    for student in ["ada", "ben"]:
        course.graded(
            student,
            new_code_cell(code("setup")),
            answer("# given\n" + code(student)),
            marked("question", code("tests"), grade=True),
            marked("question_check", code("check"), locked=True),
            new_markdown_cell(code("written")),
        )
    assert course.same_code() == []
    assert course.alike().code.usual == 0


def test_our_own_solution_does_not_count_as_released(course):
    for student in ["ada", "ben"]:
        course.graded(student, answer(code("solution")))
    assert course.same_code() == [("ada", "ben")]


def test_a_graded_notebook_that_is_missing_or_broken_does_not_stop_the_comparison(course):
    for student in ["ada", "ben", "broken"]:
        course.graded(student, answer(code("ada")))
    (course.folder / "autograded" / "broken" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").write_text("{")
    course.students.append("missing")
    assert course.same_code() == [("ada", "ben")]


def test_without_the_source_notebook_code_is_compared_all_the_same(course):
    for student in ["ada", "ben"]:
        course.graded(student, answer(code("ada")))
    found = look_alikes(
        ASSIGNMENT, Course(course.folder, course.folder / "nowhere"), course.students
    )
    assert [group.students for group in found.code.groups] == [("ada", "ben")]
