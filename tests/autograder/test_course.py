"""Where things lie in a course folder, and its gradebook."""

from pathlib import Path

import pytest
from graded_course import ASSIGNMENT, GradedCourse
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from autograder.configuration import course_config
from autograder.course import Course, NoGradebook
from autograder.errors import UserError


def test_the_paths_are_those_that_nbgrader_uses(tmp_path):
    course = Course(tmp_path / "course", tmp_path / "sources")
    nbgrader = CourseDirectory(config=course_config(course))

    def path(folder, student):
        return Path(nbgrader.format_path(folder, student, "pruning"))

    assert path(nbgrader.source_directory, ".") == course.source_notebook("pruning").parent
    assert path(nbgrader.release_directory, ".") == course.release("pruning")
    assert path(nbgrader.submitted_directory, "ada") == course.submission("ada", "pruning")
    graded = course.graded_notebook("ada", "pruning")
    assert path(nbgrader.autograded_directory, "ada") == graded.parent
    page = course.feedback_page("ada", "pruning")
    assert path(nbgrader.feedback_directory, "ada") == page.parent


def test_a_gradebook_that_does_not_exist_is_not_made(tmp_path):
    course = Course(tmp_path)
    with pytest.raises(NoGradebook, match="autograder release"), course.gradebook():
        pass
    assert not course.database.exists()


def test_the_gradebook_is_open_in_the_block(tmp_path):
    course = GradedCourse(tmp_path).paths
    with course.gradebook() as gradebook:
        assert [assignment.name for assignment in gradebook.assignments] == [ASSIGNMENT]


def test_a_course_in_a_relative_folder_is_where_it_was_when_the_command_began(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    course = Course(Path("my-course"))
    monkeypatch.chdir("/")
    assert course.release("pruning") == tmp_path / "my-course" / "release" / "pruning"


@pytest.mark.parametrize("name", ["c?x", "50%20", "a*", "[x]", "one#two"])
def test_a_path_that_nbgrader_cannot_handle_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(UserError, match="rename the folder, or choose another"):
        Course(tmp_path / name / "course")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["my course", "Kurs für Übung", "課程", "it's", "a+b,c@d"])
def test_a_course_may_have_spaces_and_letters_of_any_script_in_its_path(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    course = Course(folder)
    with Gradebook(course.database_url) as gradebook:
        gradebook.add_assignment("work")
    assert course.database.is_file()
    with course.gradebook() as gradebook:
        assert [assignment.name for assignment in gradebook.assignments] == ["work"]
