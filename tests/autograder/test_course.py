"""Where things lie in a course folder, and its gradebook."""

from pathlib import Path

import pytest
from graded_course import ASSIGNMENT, GradedCourse
from nbgrader.coursedir import CourseDirectory

from autograder.configuration import course_config
from autograder.course import Course, NoGradebook


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
